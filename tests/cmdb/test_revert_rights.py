"""Nobody takes back what he may not change, sees what he may not see, or gets rights by it; forged lines are not believed."""

import pytest

from accounts.models import User
from adminset import audit
from adminset.crud.changes import lines_of
from adminset.crud.plan import make_plan
from adminset.crud.revert import revert
from adminset.errors import Conflict, DomainError, Forbidden, NotFound
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tests.cmdb.changing import delete, in_a_request, put
from tests.factories import make_group, make_host, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_a_request")]
__all__ = ["in_a_request"]


def test_out_of_scope_there_is_no_such_line(
    operator: User, admin: User, group: HostGroup, other_group: HostGroup
) -> None:
    mine = make_host(groups=[group], owner="a")
    theirs = make_host(groups=[other_group], owner="a")
    entry = put(admin, theirs, owner="b")
    with pytest.raises(NotFound):
        revert(user=operator, pk=entry.pk, whole=False)
    mixed = put(admin, mine, owner="b")
    with pytest.raises(Forbidden):
        revert(user=operator, pk=mixed.pk, whole=True)
    assert set(Host.objects.values_list("owner", flat=True)) == {"b"}
    revert(user=operator, pk=mixed.pk, whole=False)
    assert Host.objects.get(pk=mine.pk).owner == "a"


def test_what_others_deleted_is_not_told_by_a_request_that_touched_ones_own(
    operator: User, admin: User, group: HostGroup, other_group: HostGroup
) -> None:
    mine = make_host(groups=[group], owner="a")
    entry = put(admin, mine, owner="b")
    delete(admin, make_host("secret-name", groups=[other_group]))
    plan = make_plan(operator, lines_of(operator, entry.pk, whole=True))
    assert plan.hidden
    with pytest.raises(Forbidden):
        revert(user=operator, pk=entry.pk, whole=True)


def test_a_deleted_group_comes_back_with_its_hosts(admin: User) -> None:
    group, host = make_group("web"), make_host()
    host.groups.add(group)
    entry = delete(admin, group)
    revert(user=admin, pk=entry.pk, whole=False)
    assert [each.pk for each in host.groups.all()] == [group.pk]


def test_who_may_only_look_takes_nothing_back(auditor: User, admin: User) -> None:
    entry = put(admin, make_host(owner="a"), owner="b")
    with pytest.raises(Conflict) as refused:
        revert(user=auditor, pk=entry.pk, whole=False)
    assert "You may not" in str(refused.value.fields)
    assert Host.objects.get().owner == "b"


def test_a_revert_leads_nobody_out_of_the_scope(
    operator: User, admin: User, group: HostGroup, other_group: HostGroup
) -> None:
    host = make_host(groups=[other_group])
    entry = put(admin, host, groups=[group.pk])
    with pytest.raises(DomainError):
        revert(user=operator, pk=entry.pk, whole=False)
    assert list(host.groups.all()) == [group]


def test_rights_are_never_given_back_by_a_revert(admin: User) -> None:
    user = make_user("zhang", email="old@example.com")
    change = {"field": "email", "old": "x@example.com", "new": "old@example.com"}
    entry = audit.record(admin, "user.update", user, changes=[change])
    with pytest.raises(Conflict) as refused:
        revert(user=admin, pk=entry.pk, whole=False)
    assert refused.value.code == "nothing_to_revert"


def test_a_line_that_the_portal_did_not_write_is_not_believed(admin: User) -> None:
    entry = put(admin, make_host(owner="a"), owner="b")
    forged = [{"field": "owner", "old": "evil", "new": "b"}]
    super(type(AuditEntry.objects.all()), AuditEntry.objects.all()).update(
        changes=forged
    )
    with pytest.raises(Conflict) as refused:
        revert(user=admin, pk=entry.pk, whole=False)
    assert refused.value.code == "not_authentic"
    assert Host.objects.get().owner == "b"
