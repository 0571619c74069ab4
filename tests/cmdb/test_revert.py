"""Changes of values are taken back, each kind of field, and never over a later change."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from adminset import audit
from adminset.crud.revert import revert
from adminset.errors import Conflict
from adminset.models import AuditEntry
from cmdb.models import Host, Idc
from tests.cmdb.changing import in_a_request, last, put, request
from tests.factories import make_cabinet, make_group, make_host, make_idc, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_a_request")]
__all__ = ["in_a_request"]


FIELDS: list[tuple[str, Any, Any]] = [
    ("hostname", "old-name", "new-name"),
    ("owner", "", "Li Wei"),
    ("address", "10.9.8.7", "2001:db8::1"),
    ("ssh_port", None, 2222),
    ("kind", "physical", "virtual"),
    ("warranty_until", date(2027, 1, 31), date(2030, 12, 31)),
    ("notes", "a\nb\nc", "a\n<b>&amp;'\"\nc"),
    ("asset_number", "=1+1", ""),
]


@pytest.mark.parametrize(("name", "old", "new"), FIELDS)
def test_a_value_of_every_kind_goes_back(
    admin: User, name: str, old: Any, new: Any
) -> None:
    host = make_host(**{name: old})
    entry = put(admin, host, **{name: new})
    assert entry.verb == "host.update"
    done = revert(user=admin, pk=entry.pk, whole=False, reason="a mistake")
    assert (done.change, done.total) == (1, 1)
    assert getattr(Host.objects.get(), name) == old
    line = last()
    assert (line.verb, line.target_id) == ("host.revert", str(host.pk))
    assert f"entry {entry.pk} of request r1" in line.reason
    assert "a mistake" in line.reason


def test_a_decimal_is_compared_as_a_number_and_not_as_a_text(admin: User) -> None:
    cabinet = make_cabinet()
    host = make_host(cabinet=cabinet, idc=cabinet.idc, cabinet_unit=Decimal("3.0"))
    entry = put(admin, host, cabinet_unit="7")
    revert(user=admin, pk=entry.pk, whole=False)
    assert Host.objects.get().cabinet_unit == Decimal(3)


def test_a_related_object_goes_back_by_its_key_whatever_it_is_called_now(
    admin: User,
) -> None:
    one, two = make_idc("one"), make_idc("two")
    host = make_host(idc=one)
    entry = put(admin, host, idc=two.pk)
    change = next(each for each in entry.changes if each["field"] == "idc")
    assert (change["old"], change["old_id"], change["new_id"]) == (
        "one",
        one.pk,
        two.pk,
    )
    Idc.objects.filter(pk=one.pk).update(name="renamed")
    revert(user=admin, pk=entry.pk, whole=False)
    assert Host.objects.get().idc == one


def test_a_line_from_before_keys_were_kept_goes_back_by_name(admin: User) -> None:
    one, two = make_idc("one"), make_idc("two")
    host = make_host(idc=two)
    old = {"field": "idc", "old": "one", "new": "two"}
    entry = audit.record(admin, "host.update", host, changes=[old])
    revert(user=admin, pk=entry.pk, whole=False)
    assert Host.objects.get().idc == one


def test_many_related_objects_go_back_together(admin: User) -> None:
    one, two, three = (make_group(name) for name in ("one", "two", "three"))
    host = make_host(groups=[one, two])
    entry = put(admin, host, groups=[two.pk, three.pk])
    revert(user=admin, pk=entry.pk, whole=False)
    assert set(host.groups.all()) == {one, two}


def test_custom_fields_go_back_key_by_key(admin: User) -> None:
    host = make_host(custom={"rack": "A", "team": "x"})
    before = audit.snapshot(host)
    host.custom = {"rack": "B", "team": "x", "new": [1, {"a": None}]}
    host.save()
    changed = audit.changed(before, audit.snapshot(host))
    entry = audit.record(admin, "host.update", host, changes=changed)
    Host.objects.update(custom=host.custom | {"team": "y"})
    revert(user=admin, pk=entry.pk, whole=False)
    assert Host.objects.get().custom == {"rack": "A", "team": "y"}


def test_a_later_change_to_the_same_field_is_a_conflict_and_nothing_changes(
    admin: User,
) -> None:
    host = make_host(owner="first", notes="n")
    entry = put(admin, host, owner="second", notes="m")
    zhang = make_user("zhang", is_superuser=True)
    request("r2")
    put(zhang, host, owner="third")
    lines = AuditEntry.objects.count()
    with pytest.raises(Conflict) as refused:
        revert(user=admin, pk=entry.pk, whole=False)
    assert "zhang" in str(refused.value.fields)
    host.refresh_from_db()
    assert (host.owner, host.notes) == ("third", "m")
    assert AuditEntry.objects.count() == lines


def test_a_later_change_to_another_field_stays(admin: User) -> None:
    host = make_host(owner="first")
    entry = put(admin, host, owner="second")
    put(admin, host, notes="later")
    revert(user=admin, pk=entry.pk, whole=False)
    host.refresh_from_db()
    assert (host.owner, host.notes) == ("first", "later")


def test_what_was_taken_back_can_be_brought_back_and_not_taken_back_twice(
    admin: User,
) -> None:
    host = make_host(owner="first")
    entry = put(admin, host, owner="second")
    request("r2")
    revert(user=admin, pk=entry.pk, whole=False)
    with pytest.raises(Conflict) as refused:
        revert(user=admin, pk=entry.pk, whole=False)
    assert refused.value.code == "nothing_to_revert"
    revert(user=admin, pk=last().pk, whole=False)
    assert Host.objects.get().owner == "second"
