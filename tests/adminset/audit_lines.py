"""Audit lines for tests: written and chained as the portal does it, and spoilt as somebody does who reaches the database."""

from typing import Any

from django.db import connection

from adminset import audit, audit_chain
from adminset.audit_verify import Finding, Verification, Witness
from adminset.models import AuditEntry

ACTOR = audit.SystemActor("test")


def write(number: int = 1, verb: str = "host.update", **fields: Any) -> list[int]:
    """Write some lines and chain them; give their ids."""
    change = {"field": "owner", "old": "Ann", "new": "Li Wei"}
    fields = {"changes": [change], **fields}
    written = [audit.record(ACTOR, verb, **fields).pk for _number in range(number)]
    audit_chain.seal_pending()
    return written


def sql(statement: str, *values: Any) -> None:
    """Do something behind the portal's back."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def row(pk: int) -> dict[str, Any]:
    """Give a line as it stands in the database."""
    return AuditEntry.objects.values().get(pk=pk)


def findings(*witnesses: Witness, start: int = 1) -> list[Finding]:
    """Verify the whole trail."""
    return list(Verification(start, witnesses).findings())


def told(*witnesses: Witness) -> list[tuple[str, int]]:
    """Verify, and give (kind, id of the line, or the place where there is none)."""
    return [(each.kind, each.pk or each.position) for each in findings(*witnesses)]
