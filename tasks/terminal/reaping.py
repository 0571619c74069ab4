"""Finds terminals whose process died, and those for which no page came: their rows say so, in the name of the reaper."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from tasks.models import TerminalGuest, TerminalSession

REAPER = audit.SystemActor("reaper")
State = TerminalSession.State


def reap_lost() -> int:
    """End the sessions that nobody holds; give how many. Their recordings are sealed by who keeps those.

    The host ends the shell by itself: with the process the connection went.
    """
    rows = TerminalSession.objects.open()
    died = rows.filter(lease_until__lt=timezone.now())
    return sum(map(_reap, (died | rows.forsaken())))


def _reap(session: TerminalSession) -> bool:
    now = timezone.now()
    came = bool(session.process)
    words = (
        _("The process that held it (%(process)s) died.")
        if came
        else _("No page came for it.")
    )
    words %= {"process": session.process}
    with transaction.atomic():
        # Whoever renewed the lease, or came for it, since it was read: it lives.
        same = TerminalSession.objects.open().filter(
            pk=session.pk, process=session.process, lease_until=session.lease_until
        )
        if not same.update(
            state=State.LOST if came else State.ENDED,
            end_reason=words,
            ended_at=now,
            lease_until=None,
        ):
            return False
        there = TerminalGuest.objects.filter(session=session, left_at=None)
        there.exclude(joined_at=None).update(left_at=now)
        verb = "terminal.lost" if came else "terminal.end"
        audit.record(REAPER, verb, session, reason=words)
    return True
