"""Clears away recordings that are older, or take more room, than the portal keeps: at night, a few at a time, never one that is written."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset import audit
from tasks.models import TerminalCommand, TerminalSession
from tasks.recording.frames import path_of
from tasks.recording.sealing import KEEPER

CLEAR = "terminalsession.clear"
AT_ONCE = 50
ROWS_AT_ONCE = 5000
Recording = TerminalSession.Recording


def clear_recordings(now: datetime | None = None) -> int:
    """Clear away what the policy does not keep; give how many recordings went.

    The sessions' rows stay: who was where, and the hash. What is older than TERMINAL_KEEP_DAYS loses its commands too.
    """
    now = now or timezone.now()
    count = 0
    if settings.TERMINAL_KEEP_DAYS:
        oldest = now - timedelta(days=settings.TERMINAL_KEEP_DAYS)
        while rows := list(_before(_kept(), oldest).order_by("pk")[:AT_ONCE]):
            count += _clear(rows, _older(settings.TERMINAL_KEEP_DAYS))
        _clear_commands(oldest)
    if settings.TERMINAL_KEEP_BYTES:
        count += _clear_over(settings.TERMINAL_KEEP_BYTES)
    return count


def _older(days: int) -> str:
    text = ngettext("older than %(days)s day", "older than %(days)s days", days)
    return text % {"days": days}


def _kept() -> QuerySet[TerminalSession]:
    """Narrow to sessions with a recording that is closed."""
    closed = (Recording.SEALED, Recording.FAILED)
    rows = TerminalSession.objects.filter(
        recording__in=closed, recording_key__isnull=False
    )
    return rows.exclude(state__in=TerminalSession.OPEN)


def _before(
    rows: QuerySet[TerminalSession], moment: datetime
) -> QuerySet[TerminalSession]:
    ended = Q(ended_at__lt=moment) | Q(ended_at=None, opened_at__lt=moment)
    return rows.filter(ended)


def _clear_over(most: int) -> int:
    """Clear the oldest away until the others take no more than `most` bytes."""
    total = _kept().aggregate(total=Sum("recording_bytes"))["total"] or 0
    count = 0
    while total > most and (rows := list(_kept().order_by("pk")[:AT_ONCE])):
        going = []
        for row in rows:
            if total <= most:
                break
            going.append(row)
            total -= row.recording_bytes
        reason = _("all recordings together took more than %(most)s bytes")
        count += _clear(going, reason % {"most": most})
    return count


def _clear(rows: list[TerminalSession], reason: str) -> int:
    """Delete recordings, the files before the rows: what is interrupted goes on the next night."""
    for row in rows:
        path_of(row.key).unlink(missing_ok=True)
    keys = [row.pk for row in rows]
    with transaction.atomic():
        # Without its key a copy of the file in a backup is closed for ever.
        TerminalSession.objects.filter(pk__in=keys).update(
            recording=Recording.CLEARED, recording_key=None
        )
        for row in rows:
            changes = [
                audit.change_of("recording", row.recording, str(Recording.CLEARED)),
                audit.change_of("bytes", row.recording_bytes, 0),
            ]
            audit.record(KEEPER, CLEAR, row, changes=changes, reason=reason)
    return len(rows)


def _clear_commands(oldest: datetime) -> None:
    """Delete what was typed in sessions that are as old."""
    sessions = TerminalSession.objects.exclude(state__in=TerminalSession.OPEN)
    old = _before(sessions, oldest).order_by().values("pk")
    commands = TerminalCommand.objects.filter(session__in=old).order_by("pk")
    while keys := list(commands.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        TerminalCommand.objects.filter(pk__in=keys).delete()
