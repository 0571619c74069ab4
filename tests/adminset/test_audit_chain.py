"""The chain of the audit trail: whatever somebody does to the rows by SQL is found, and the row is named."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import User
from adminset import audit, audit_chain, keyring
from adminset.audit_verify import Witness
from adminset.models import AuditChain, AuditEntry
from tests.adminset.audit_lines import ACTOR, findings, row, sql, told, write
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_a_whole_trail_has_no_findings() -> None:
    write(5)
    places = AuditEntry.objects.order_by("id").values_list("position", flat=True)
    assert list(places) == [1, 2, 3, 4, 5]
    assert AuditChain.objects.get().position == 5
    assert findings() == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor_name", "somebody else"),
        ("verb", "host.create"),
        ("target_name", "another"),
        ("changes", json.dumps([])),
        ("reason", "because"),
        ("address", "192.0.2.1"),
        ("at", "2020-01-01 00:00:00.000000"),
        ("mac", "0" * 64),
    ],
)
def test_a_changed_field_is_found_and_its_row_named(column: str, value: str) -> None:
    ids = write(5)
    sql(f"UPDATE adminset_auditentry SET {column} = %s WHERE id = %s", value, ids[2])  # noqa: S608 - names of this file
    assert told() == [("changed", ids[2])]
    assert f"Entry {ids[2]} (place 3, " in findings()[0].sentence


def test_a_deleted_row_in_the_middle_is_found() -> None:
    ids = write(5)
    sql("DELETE FROM adminset_auditentry WHERE id = %s", ids[2])
    assert told() == [("removed", 3)]
    assert f"Place 3 is empty: what stood before Entry {ids[3]}" in (
        findings()[0].sentence
    )


def test_a_deleted_last_row_is_found_by_the_kept_end() -> None:
    ids = write(5)
    sql("DELETE FROM adminset_auditentry WHERE id >= %s", ids[3])
    assert told() == [("cut", 5)]
    assert "places 4 to 5 were removed" in findings()[0].sentence


def test_a_deleted_last_row_with_the_end_set_back_is_found_by_an_anchor() -> None:
    ids = write(5)
    anchor = Witness(5, row(ids[4])["seal"], "The anchor")
    sql("DELETE FROM adminset_auditentry WHERE id = %s", ids[4])
    sql("UPDATE adminset_auditchain SET position = 4, seal = %s", row(ids[3])["seal"])
    assert told() == []
    assert told(anchor) == [("cut", 5)]
    written = write(1, "host.delete")
    assert row(written[0])["position"] == 5
    assert told(anchor) == [("anchor", written[0])]


def test_an_inserted_row_is_found_and_holds_nobody_up() -> None:
    write(2)
    copied = row(write()[0])
    entry = AuditEntry(**{**copied, "id": None, "position": None, "seal": ""})
    entry.actor_name, entry.mac = "forged", "f" * 64
    AuditEntry._base_manager.bulk_create([entry])
    after = write(2)
    assert [row(pk)["position"] for pk in after] == [4, 5]
    assert row(entry.pk)["position"] is None
    assert told() == [("inserted", entry.pk)]


def test_an_inserted_row_with_a_place_is_found() -> None:
    ids = write(3)
    forged = AuditEntry(**{**row(ids[1]), "id": None, "position": 4, "verb": "x.y"})
    AuditEntry._base_manager.bulk_create([forged])
    assert ("changed", forged.pk) in told()


def test_a_copy_of_a_line_with_its_seal_is_never_chained() -> None:
    original = row(write(2)[0])
    copy = AuditEntry(**{**original, "id": None, "position": None, "seal": ""})
    AuditEntry._base_manager.bulk_create([copy])
    audit_chain.seal_pending()
    assert row(copy.pk)["position"] is None
    assert told() == [("copied", copy.pk)]
    assert f"copy of entry {original['id']}" in findings()[0].sentence


def test_a_row_replaced_by_its_copy_is_found() -> None:
    ids = write(3)
    original = row(ids[1])
    sql("DELETE FROM adminset_auditentry WHERE id = %s", ids[1])
    copy = AuditEntry(**{**original, "id": ids[2] + 100})
    AuditEntry._base_manager.bulk_create([copy])
    assert ("moved", copy.pk) in told()


def test_swapped_rows_are_found() -> None:
    ids = write(6)
    sql("UPDATE adminset_auditentry SET position = 900 WHERE id = %s", ids[1])
    sql("UPDATE adminset_auditentry SET position = 2 WHERE id = %s", ids[4])
    sql("UPDATE adminset_auditentry SET position = 5 WHERE id = %s", ids[1])
    found = told()
    assert {("moved", ids[4]), ("moved", ids[1])} <= set(found)
    assert ("moved", ids[0]) not in found


def test_a_mac_from_another_row_is_found() -> None:
    ids = write(4)
    sql(
        "UPDATE adminset_auditentry SET mac = %s WHERE id = %s",
        row(ids[0])["mac"],
        ids[2],
    )
    assert told() == [("changed", ids[2])]


def test_a_spoilt_seal_names_its_row_alone() -> None:
    ids = write(4)
    sql("UPDATE adminset_auditentry SET seal = %s WHERE id = %s", "0" * 64, ids[1])
    assert told() == [("moved", ids[1])]


def test_verifying_from_a_place_believes_what_stands_before() -> None:
    ids = write(5)
    sql("UPDATE adminset_auditentry SET verb = 'x.y' WHERE id = %s", ids[0])
    assert findings(start=3) == []


def test_a_line_that_waits_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = audit.record(ACTOR, "host.update")
    assert findings() == []
    monkeypatch.setattr("adminset.audit_verify.SETTLE", -timedelta(minutes=1))
    assert told() == [("late", entry.pk)]


def test_a_user_that_goes_leaves_the_chain_whole(admin: User) -> None:
    leaver = make_user("leaver")
    entry = audit.record(leaver, "host.update")
    audit_chain.seal_pending()
    leaver.delete()
    assert row(entry.pk)["actor_id"] is None
    assert findings() == []


def test_an_old_key_behind_a_new_one_still_verifies(settings: Any) -> None:
    write(2)
    old = settings.AUDIT_KEYS
    settings.AUDIT_KEYS = keyring.parse_ring(keyring.new_encryption_key()) | old
    write(2)
    assert findings() == []
    settings.AUDIT_KEYS = keyring.parse_ring(keyring.new_encryption_key())
    assert {each.kind for each in findings()} == {"changed"}


@pytest.mark.django_db(transaction=True)
def test_lines_are_chained_by_their_commit_and_one_call_does_it() -> None:
    with transaction.atomic():
        for _number in range(3):
            audit.record(ACTOR, "host.update")
        waiting = [
            each
            for each in connection.run_on_commit
            if isinstance(each[1], audit_chain.SealAfterCommit)
        ]
        assert len(waiting) == 1
        assert not AuditEntry.objects.filter(position__isnull=False).exists()
    assert AuditEntry.objects.filter(position__isnull=False).count() == 3
    audit.record(ACTOR, "outside.transaction")
    assert AuditEntry.objects.get(verb="outside.transaction").position == 4


@pytest.mark.django_db(transaction=True)
def test_a_line_of_a_rolled_back_savepoint_is_gone_and_the_others_are_chained() -> None:
    def failing() -> None:
        with transaction.atomic():
            audit.record(ACTOR, "never.was")
            raise ValueError("no")

    with transaction.atomic():
        with pytest.raises(ValueError, match="no"):
            failing()
        audit.record(ACTOR, "host.update")
    assert AuditEntry.objects.get().position == 1


@pytest.mark.django_db(transaction=True)
def test_a_failure_to_chain_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_arguments: Any) -> int:
        raise RuntimeError("the chain is broken")

    monkeypatch.setattr(audit_chain, "seal_pending", broken)
    entry = audit.record(ACTOR, "host.update")
    assert row(entry.pk)["position"] is None
    assert "the sweeper tries again" in caplog.text
    monkeypatch.undo()
    assert audit_chain.seal_pending() == 1
