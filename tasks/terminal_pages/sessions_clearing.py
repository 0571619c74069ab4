"""Clears away the rows of terminal sessions that ended long ago: at night, a few at a time, never before their recordings."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from adminset import audit
from tasks.models import TerminalSession

KEEPER = audit.SystemActor("terminal-sessions")
AT_ONCE = 50


def clear_sessions(now: datetime | None = None) -> int:
    """Delete sessions that ended more than TERMINAL_SESSION_KEEP_DAYS ago, with what was entered and who was there; give how many.

    A session whose recording is kept stays, however old: without the row nobody could open it.
    """
    if not settings.TERMINAL_SESSION_KEEP_DAYS:
        return 0
    oldest = (now or timezone.now()) - timedelta(
        days=settings.TERMINAL_SESSION_KEEP_DAYS
    )
    ended = Q(ended_at__lt=oldest) | Q(ended_at=None, opened_at__lt=oldest)
    rows = TerminalSession.objects.filter(ended, recording_key__isnull=True)
    going = rows.exclude(state__in=TerminalSession.OPEN).order_by("pk")
    count = 0
    while keys := list(going.values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            TerminalSession.objects.filter(pk__in=keys).delete()
        count += len(keys)
    if count:
        changes = [audit.change_of("sessions", count, None)]
        audit.record(KEEPER, "terminalsession.forget", TerminalSession, changes=changes)
    return count
