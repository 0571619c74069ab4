"""Which of the planned times that have come run, and which were missed: the policy of a schedule."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tasks.models import Schedule, ScheduleNotice, ScheduleTime
from tasks.planned_models import Planned
from tasks.scheduling.notices import tell

WRITTEN = "%Y-%m-%d %H:%M UTC"


def sort_out(
    schedule: Planned, times: Sequence[datetime], now: datetime
) -> tuple[list[datetime], list[datetime]]:
    """Divide planned times that have come, oldest first, into those that were missed and those that run.

    Only the newest can be in time, and is where it is found within the grace: the others have been followed by it already.
    """
    newest = times[-1]
    if schedule.missed == Planned.Missed.ALL:
        running = list(times[-schedule.missed_most :])
    elif schedule.missed == Planned.Missed.ONCE:
        running = [newest]
    else:
        grace = timedelta(seconds=schedule.grace_seconds)
        running = [newest] if now - newest <= grace else []
    return list(times[: len(times) - len(running)]), running


def note_missed(
    schedule: Schedule,
    missed: Sequence[datetime],
    running: Sequence[datetime],
    *,
    more: bool,
) -> None:
    """Write down each missed time, and tell of them once.

    Args:
        more: there were earlier ones, too many for a row each.
    """
    if not missed:
        return
    reason = _reason(running)
    rows = [
        ScheduleTime(
            schedule=schedule,
            planned_at=planned_at,
            state=ScheduleTime.State.MISSED,
            reason=reason,
        )
        for planned_at in missed
    ]
    if more:
        rows[0].reason = _("The portal was away; earlier times were missed as well.")
    ScheduleTime.objects.bulk_create(rows, ignore_conflicts=True)
    words, key = _sentence(missed, running), missed[-1].isoformat()
    tell(schedule, ScheduleNotice.Kind.MISSED, key, words)


def _reason(running: Sequence[datetime]) -> str:
    if not running:
        return _("The portal was away, and it was not made up for.")
    return _("The portal was away; the run of %(time)s makes up for it.") % {
        "time": running[0].strftime(WRITTEN)
    }


def _sentence(missed: Sequence[datetime], running: Sequence[datetime]) -> str:
    words = ngettext(
        "%(count)s planned run was missed (%(first)s to %(last)s).",
        "%(count)s planned runs were missed (%(first)s to %(last)s).",
        len(missed),
    ) % {
        "count": len(missed),
        "first": missed[0].strftime(WRITTEN),
        "last": missed[-1].strftime(WRITTEN),
    }
    if running:
        made = ngettext(
            "%(count)s run makes up for it.",
            "%(count)s runs make up for it.",
            len(running),
        )
        words = f"{words} {made % {'count': len(running)}}"
    return words
