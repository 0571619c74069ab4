"""Chains the lines of the audit trail after they are committed, so that none can be taken out or slipped in unseen."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from adminset.audit_seal import SEALED_FIELDS, is_authentic, seal_of
from adminset.models import AuditChain, AuditEntry

logger = logging.getLogger(__name__)

BATCH = 500
CHAIN_PK = 1
# A commit looks this far back for lines that another process left: it lost the race for the lock.
LOOK_BACK = 1000


@dataclass
class SealAfterCommit:
    """What runs once after a transaction that wrote lines; `first` is the id of its first line."""

    first: int

    def __call__(self) -> None:
        """Chain what was written; a failure is the sweeper's to mend (adminset/tasks.py), never the request's."""
        try:
            seal_pending(since=self.first - LOOK_BACK)
        except Exception:
            logger.exception("audit lines are not chained yet; the sweeper tries again")


def seal_later(entry: AuditEntry) -> None:
    """Have a new line chained when its transaction is committed: one call for all lines of a transaction."""
    if not any(
        isinstance(each[1], SealAfterCommit) for each in connection.run_on_commit
    ):
        transaction.on_commit(SealAfterCommit(entry.pk))


def seal_pending(*, since: int = 0) -> int:
    """Chain the lines that stand outside the chain, in order of id; those with a wrong seal of their own stay out.

    Args:
        since: look at ids from here on.

    Returns:
        how many were chained; 0 also where another process is at it.
    """
    sealed, after = 0, since - 1
    while True:
        with transaction.atomic():
            tail = _lock()
            if tail is None:
                return sealed
            found = _waiting(after)
            sealed += _append(tail, found)
        if len(found) < BATCH:
            return sealed
        after = found[-1].pk


def content(entry: AuditEntry) -> list[Any]:
    """Give the values of a line that its seal covers, in their order."""
    return [getattr(entry, name) for name in SEALED_FIELDS]


def unchained() -> Iterator[AuditEntry]:
    """Walk the lines that stand outside the chain, in order of id."""
    batch = _waiting(-1)
    while batch:
        yield from batch
        batch = _waiting(batch[-1].pk)


def chained_macs(times: set[datetime]) -> dict[str, int]:
    """Give seal -> id of the chained lines of these very moments: a copy of a line has the time of the line."""
    rows = AuditEntry.objects.filter(at__in=times, position__isnull=False)
    return dict(rows.order_by().values_list("mac", "pk"))


def _lock() -> AuditChain | None:
    """Hold the end of the chain; None where another process holds it."""
    skip = connection.features.has_select_for_update_skip_locked
    rows = AuditChain.objects.select_for_update(skip_locked=skip).filter(pk=CHAIN_PK)
    tail = rows.first()
    if tail is None:
        AuditChain.objects.get_or_create(pk=CHAIN_PK)
        tail = rows.first()
    return tail


def _waiting(after: int) -> list[AuditEntry]:
    rows = AuditEntry.objects.filter(position=None, pk__gt=after).order_by("pk")
    return list(rows[:BATCH])


def _append(tail: AuditChain, found: list[AuditEntry]) -> int:
    position, seal = _end(tail)
    places = []
    for entry in _acceptable(found):
        position += 1
        seal = seal_of(seal, position, entry.pk, entry.mac)
        places.append((position, seal, entry.pk))
    if places:
        _write(places)
        AuditChain.objects.filter(pk=tail.pk).update(position=position, seal=seal)
    return len(places)


def _end(tail: AuditChain) -> tuple[int, str]:
    """Give place and seal of the last line. Where somebody set the kept end back, the lines themselves count."""
    last = (
        AuditEntry.objects.filter(position__gt=tail.position)
        .order_by("-position")
        .values_list("position", "seal")
        .first()
    )
    return (last[0] or 0, last[1]) if last else (tail.position, tail.seal)


def _acceptable(found: list[AuditEntry]) -> Iterator[AuditEntry]:
    """Leave out lines that the portal did not write, and copies of lines that it did write."""
    authentic = [entry for entry in found if is_authentic(entry.mac, content(entry))]
    known = set(chained_macs({entry.at for entry in authentic}))
    for entry in authentic:
        if entry.mac not in known:
            known.add(entry.mac)
            yield entry


def _write(places: list[tuple[int, str, int]]) -> None:
    """Fill in the places: the one change that a line ever sees, past the model, which refuses."""
    table = connection.ops.quote_name(AuditEntry._meta.db_table)
    statement = f"UPDATE {table} SET position = %s, seal = %s WHERE id = %s AND position IS NULL"  # noqa: S608 - our own table's name
    with connection.cursor() as cursor:
        cursor.executemany(statement, places)
        if cursor.rowcount not in (-1, len(places)):
            raise RuntimeError("audit lines were chained by somebody else meanwhile")
