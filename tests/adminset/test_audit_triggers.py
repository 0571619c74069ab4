"""The database itself refuses to change or delete a line of the audit trail; so does the model."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from adminset import audit, audit_chain, audit_triggers
from adminset.models import AuditChain, AuditEntry
from tests.adminset.audit_lines import ACTOR, findings, row, sql, write
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def triggers(db: None) -> Iterator[None]:
    """The triggers that the portal's own database has."""
    assert audit_triggers.install(connection)
    assert audit_triggers.missing(connection) == []
    yield
    audit_triggers.drop(connection)


def refused(statement: str, *values: Any) -> bool:
    """Say whether the database refuses a statement with our words."""
    try:
        with transaction.atomic():
            sql(statement, *values)
    except DatabaseError as error:
        return audit_triggers.WORDS in str(error)
    return False


COLUMNS = [
    ("at", "2020-01-01 00:00:00"),
    ("actor_kind", "x"),
    ("actor_name", "x"),
    ("actor_name", "TEST"),
    ("verb", "x"),
    ("target_type", "x"),
    ("target_id", "x"),
    ("target_name", "x"),
    ("changes", "[]"),
    ("reason", "x"),
    ("request_id", "x"),
    ("address", "x"),
    ("mac", "x"),
    ("position", 77),
    ("position", None),
    ("seal", "x"),
    ("id", 999_999),
]


@pytest.mark.parametrize(("column", "value"), COLUMNS)
def test_no_column_of_a_chained_line_can_be_changed(
    triggers: None, column: str, value: Any
) -> None:
    ids = write(2)
    before = row(ids[0])
    assert refused(
        f"UPDATE adminset_auditentry SET {column} = %s WHERE id = %s",  # noqa: S608 - names of this file
        value,
        ids[0],
    )
    assert row(ids[0]) == before


def test_no_line_can_be_deleted(triggers: None) -> None:
    ids = write(2)
    assert refused("DELETE FROM adminset_auditentry WHERE id = %s", ids[0])
    assert refused("DELETE FROM adminset_auditchain")
    assert AuditEntry.objects.count() == 2


def test_the_end_of_the_chain_cannot_be_set_back(triggers: None) -> None:
    write(3)
    assert refused("UPDATE adminset_auditchain SET position = 2")
    assert AuditChain.objects.get().position == 3


@pytest.mark.skipif(connection.vendor != "sqlite", reason="REPLACE is SQLite's")
def test_a_line_cannot_be_replaced(triggers: None) -> None:
    ids = write(2)
    columns = "id, at, actor_kind, actor_name, verb, target_type, target_id, target_name, changes, reason, request_id, address, mac, position, seal"
    copy = f"SELECT {columns} FROM adminset_auditentry WHERE id = %s"  # noqa: S608 - names of this file
    statement = f"INSERT OR REPLACE INTO adminset_auditentry ({columns}) {copy}"
    assert refused(statement, ids[0])


@pytest.mark.skipif(
    connection.vendor != "postgresql",
    reason="SQLite has no TRUNCATE, MariaDB's fires no trigger",
)
def test_the_table_cannot_be_truncated(triggers: None) -> None:
    write(2)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    assert refused("TRUNCATE adminset_auditentry")


def test_the_portal_itself_goes_on_with_the_triggers(
    triggers: None, admin: User
) -> None:
    leaver = make_user("leaver")
    entry = audit.record(leaver, "host.update")
    audit_chain.seal_pending()
    leaver.delete()
    assert row(entry.pk)["actor_id"] is None
    assert row(entry.pk)["position"] == 1
    assert findings() == []


def test_a_user_cannot_be_put_in_the_place_of_one_that_is_gone(
    triggers: None, admin: User
) -> None:
    pk = write()[0]
    assert refused(
        "UPDATE adminset_auditentry SET actor_id = %s WHERE id = %s", admin.pk, pk
    )


FORBIDDEN: list[Callable[[], Any]] = [
    lambda: AuditEntry.objects.update(verb="x"),
    lambda: AuditEntry.objects.all().delete(),
    lambda: AuditEntry.objects.filter(pk=1).delete(),
    lambda: AuditEntry.objects.bulk_update(AuditEntry.objects.all(), ["verb"]),
    lambda: AuditEntry.objects.bulk_create([AuditEntry(verb="x")]),
    lambda: AuditEntry.objects.get().delete(),
    lambda: AuditEntry.objects.get().save(),
]


@pytest.mark.parametrize("act", FORBIDDEN)
def test_the_model_refuses_too(act: Callable[[], Any]) -> None:
    audit.record(ACTOR, "host.update")
    with pytest.raises(TypeError):
        act()
    assert AuditEntry.objects.get().verb == "host.update"


def test_verify_says_when_the_triggers_are_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(2)
    call_command("verify_audit")
    told = capsys.readouterr()
    assert "The audit trail is whole: 2 chained lines" in told.out
    assert "audit_entry_delete" in told.err
