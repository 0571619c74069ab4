"""What came goes, what went comes back, whole requests at once; never a secret, never what one may not change."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.models import User
from adminset import audit
from adminset.audit import MASK
from adminset.crud import changes
from adminset.crud.resource import _registry as kinds
from adminset.crud.revert import revert
from adminset.errors import Conflict, DomainError
from adminset.models import AuditEntry
from cmdb.models import Credential, Host, HostGroup, Idc, Tag
from tests.cmdb.changing import delete, in_a_request, last, put, request, resource
from tests.factories import make_cabinet, make_group, make_host, make_idc

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_a_request")]
__all__ = ["in_a_request"]


def test_an_object_that_was_made_is_deleted(admin: User) -> None:
    entry = put(admin, "cmdb.idc", name="typo", code="typo")
    assert revert(user=admin, pk=entry.pk, whole=False).delete == 1
    assert not Idc.objects.exists()
    assert last().verb == "idc.revert"
    assert last().changes[0] == {
        "field": "id",
        "old": int(entry.target_id),
        "new": None,
    }


def test_an_object_that_something_needs_by_now_is_not_deleted(admin: User) -> None:
    entry = put(admin, "cmdb.idc", name="busy", code="busy")
    make_cabinet(Idc.objects.get())
    with pytest.raises(Conflict) as refused:
        revert(user=admin, pk=entry.pk, whole=False)
    assert "cabinets" in str(refused.value.fields)
    assert Idc.objects.exists()


def test_an_object_that_somebody_has_worked_on_since_is_not_deleted(
    admin: User,
) -> None:
    entry = put(admin, "cmdb.idc", name="mine", code="mine")
    put(admin, Idc.objects.get(), notes="work")
    with pytest.raises(Conflict):
        revert(user=admin, pk=entry.pk, whole=False)
    assert Idc.objects.get().notes == "work"


def test_a_deleted_object_comes_back_with_its_key_and_everything_else(
    admin: User,
) -> None:
    group, idc = make_group("web"), make_idc("Beijing")
    tag = Tag.objects.create(name="blue")
    host = make_host(
        "web1", groups=[group], idc=idc, custom={"a": 1}, memory_bytes=2**40, notes="n"
    )
    host.tags.add(tag)
    before = audit.snapshot(Host.objects.get())
    entry = delete(admin, host)
    assert revert(user=admin, pk=entry.pk, whole=False).add == 1
    back = Host.objects.get()
    assert back.pk == host.pk
    # What a person brings back counts as set by a person.
    after = audit.snapshot(back) | {"locked_fields": before["locked_fields"]}
    assert after == before
    assert last().verb == "host.revert"
    # And that can be taken back in its turn.
    assert revert(user=admin, pk=last().pk, whole=False).delete == 1
    assert not Host.objects.exists()


def test_secrets_are_neither_written_down_nor_brought_back(admin: User) -> None:
    row = Credential.objects.create(name="root", username="root", password="hunter2x")
    entry = put(admin, row, password="hunter3x", notes="new")
    revert(user=admin, pk=entry.pk, whole=False)
    row.refresh_from_db()
    kept: Any = row.password
    assert (kept.reveal(), row.notes) == ("hunter3x", "")
    entry = delete(admin, row)
    assert "hunter" not in str(list(AuditEntry.objects.values()))
    revert(user=admin, pk=entry.pk, whole=False)
    back: Any = Credential.objects.get()
    assert (back.pk, back.name, back.password) == (row.pk, "root", None)
    assert MASK not in str(vars(back))


# -- a whole request


def test_a_request_that_made_changed_and_deleted_goes_back_as_a_whole(
    admin: User,
) -> None:
    gone, host = make_host("gone"), make_host("kept", owner="a")
    put(admin, host, owner="b")
    put(admin, host, owner="c", notes="n")
    delete(admin, gone)
    made = put(admin, "cmdb.idc", name="new", code="new")
    put(admin, "cmdb.cabinet", name="R1", idc=Idc.objects.get().pk, units=42)
    audit.record(admin, "host.export", Host)
    done = revert(user=admin, pk=made.pk, whole=True)
    assert (done.change, done.delete, done.add) == (1, 2, 1)
    host.refresh_from_db()
    assert (host.owner, host.notes) == ("a", "")
    assert Host.objects.filter(pk=gone.pk).exists()
    assert not Idc.objects.exists()
    lines = AuditEntry.objects.filter(verb__endswith=".revert")
    assert lines.count() == 4
    assert all("reverts request r1" in line.reason for line in lines)


def test_one_conflict_stops_the_whole_request(admin: User) -> None:
    hosts = [make_host(owner="a") for _number in range(3)]
    entry, *_rest = [put(admin, host, owner="b") for host in hosts]
    request("r2")
    put(admin, hosts[1], owner="c")
    with pytest.raises(Conflict):
        revert(user=admin, pk=entry.pk, whole=True)
    owners = sorted(Host.objects.values_list("owner", flat=True))
    assert owners == ["b", "b", "c"]
    assert not AuditEntry.objects.filter(verb="host.revert").exists()


def test_an_old_value_that_the_form_refuses_now_stops_everything(admin: User) -> None:
    idc, other = make_idc("one", notes="a"), make_idc("two", notes="a")
    put(admin, other, notes="b")
    entry = put(admin, idc, name="moved")
    make_idc("one")
    with pytest.raises(DomainError) as refused:
        revert(user=admin, pk=entry.pk, whole=True)
    assert refused.value.code == "refused"
    assert set(Idc.objects.values_list("name", "notes")) >= {
        ("moved", "a"),
        ("two", "b"),
    }


def test_a_request_of_1000_changes_goes_back(admin: User) -> None:
    rows = [HostGroup(name=f"g{number}", description="new") for number in range(1000)]
    HostGroup.objects.bulk_create(rows)
    change = {"field": "description", "old": "old <b>", "new": "new"}
    for group in HostGroup.objects.all():
        entry = audit.record(admin, "hostgroup.update", group, changes=[change])
    told: list[tuple[int, int]] = []
    done = revert(
        user=admin, pk=entry.pk, whole=True, progress=lambda *seen: told.append(seen)
    )
    assert done.change == 1000
    assert told[-1] == (1000, 1000)
    assert not HostGroup.objects.exclude(description="old <b>").exists()
    assert AuditEntry.objects.filter(verb="hostgroup.revert").count() == 1000


def test_plain_changes_of_many_objects_are_written_together(
    admin: User, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    found = replace(resource("cmdb.hostgroup"), bulk_plain={"description": ()})
    monkeypatch.setitem(kinds, "cmdb.hostgroup", found)
    rows = [HostGroup(name=f"g{n}", description="new") for n in range(100)]
    HostGroup.objects.bulk_create(rows)
    for number, group in enumerate(HostGroup.objects.all()):
        change = {"field": "description", "old": f"old {number % 2}", "new": "new"}
        entry = audit.record(admin, "hostgroup.update", group, changes=[change])
    with django_assert_max_num_queries(70):
        assert revert(user=admin, pk=entry.pk, whole=True).change == 100
    said = HostGroup.objects.values_list("description", flat=True)
    assert sorted(set(said)) == ["old 0", "old 1"]
    lines = AuditEntry.objects.filter(verb="hostgroup.revert")
    assert lines.count() == 100
    assert all("request r1" in line.reason for line in lines)


def test_too_many_lines_are_refused(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_LINES", 2)
    entry, *_rest = [put(admin, make_host(), owner="b") for _number in range(3)]
    with pytest.raises(DomainError):
        revert(user=admin, pk=entry.pk, whole=True)
