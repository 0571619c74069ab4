"""Writes many lines of the audit trail at once: the same sealed lines as adminset/audit.py, in one statement."""

from collections.abc import Iterable

from django.db import models

from adminset import webhook_outbox
from adminset.audit import Actor, Change, line
from adminset.audit_chain import seal_later
from adminset.models import AuditEntry

BATCH = 500


def record(
    actor: Actor, verb: str, done: Iterable[tuple[models.Model, list[Change]]]
) -> None:
    """Write one line for each object, inside the transaction of the write itself.

    Args:
        verb: what was done to each, such as "host.update".
        done: object and what changed on it.
    """
    write([line(actor, verb, target, changes=changes) for target, changes in done])


def write(entries: list[AuditEntry]) -> None:
    """Write sealed lines, in their order."""
    if not entries:
        return
    # Past AppendOnly, which refuses lines that nobody sealed: these are.
    plain: models.QuerySet[AuditEntry] = models.QuerySet(AuditEntry)
    written = plain.bulk_create(entries, batch_size=BATCH)
    first = written[0]
    if first.pk is None:
        # A database that does not tell the keys of many new rows (MySQL).
        newest = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True)
        first.pk = newest[len(entries) - 1]
    seal_later(first)
    webhook_outbox.note(entries)
