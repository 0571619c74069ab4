"""Takes up a schedule whose time has come, and planned times that waited; whoever comes second finds nothing to do."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from tasks.models import Run, Schedule, ScheduleTime
from tasks.scheduling import claiming
from tasks.scheduling.calendars import obstacle, opening
from tasks.scheduling.firing import (
    fire,
    former_of,
    leave_out,
    settle,
    stop_former,
    why_not,
)
from tasks.scheduling.missed import note_missed

State = ScheduleTime.State
Overlap = Schedule.Overlap
NEEDED = (
    "run_as",
    "script",
    "playbook",
    "role",
    "task_module",
    "only_in",
    "not_in",
)


def due(now: datetime) -> QuerySet[Schedule]:
    """Give the schedules whose time has come, with what their runs need."""
    return claiming.due(Schedule, now).select_related(*NEEDED)


@transaction.atomic
def take(schedule: Schedule, now: datetime) -> list[Run]:
    """Treat the planned times of a schedule that have come, and keep the next one; give the runs that were made."""
    claim = claiming.claim(schedule, now)
    note_missed(schedule, claim.missed, claim.running, more=claim.more)
    return _begin(schedule, claim.running, now)


def _begin(schedule: Schedule, times: Sequence[datetime], now: datetime) -> list[Run]:
    made = []
    for planned_at in times:
        row = ScheduleTime.objects.create(
            schedule=schedule, planned_at=planned_at, state=State.SKIPPED
        )
        if not schedule.enabled:
            settle(row, State.SKIPPED, schedule.notice)
        elif reason := why_not(schedule, planned_at, now):
            _outside(row, schedule, reason, now)
        elif _held_by_former(row, schedule, many=len(times) > 1):
            continue
        elif run := fire(row, schedule, now):
            made.append(run)
    return made


def _outside(row: ScheduleTime, schedule: Schedule, reason: str, now: datetime) -> None:
    """Leave out what is planned outside the windows, or let it wait; of those that wait for a window the newest runs."""
    opens = None
    if schedule.outside == Schedule.Outside.WAIT:
        opens = opening(schedule, now)
        if opens is None:
            closed = _("It does not open within a year.")
            reason = f"{reason}. {closed}"
    if opens is None:
        settle(row, State.SKIPPED, reason)
        return
    waiting = ScheduleTime.objects.filter(schedule=schedule, state=State.WAITS)
    later = _("A later planned time waits for the same window.")
    waiting.exclude(look_at=None).update(
        state=State.SKIPPED, reason=later, look_at=None
    )
    settle(row, State.WAITS, reason, opens)


def _held_by_former(row: ScheduleTime, schedule: Schedule, *, many: bool) -> bool:
    """Do what the schedule says where the former run goes on; say whether this one does not begin now.

    Of many that are made up for, none is left out because of the others: they run one after the other.
    """
    if schedule.overlap == Overlap.ALLOW:
        return False
    if schedule.overlap == Overlap.CANCEL and not many:
        stop_former(schedule)
    former = former_of(schedule)
    if former is None:
        return False
    still = _("#%(run)s still runs.") % {"run": former.pk}
    waiting = ScheduleTime.objects.filter(schedule=schedule, state=State.WAITS).count()
    if schedule.overlap == Overlap.SKIP and not many:
        settle(row, State.OVERLAPPED, still)
    elif waiting >= settings.SCHEDULE_WAITING_MOST:
        words = _("%(count)s planned times wait already.") % {"count": waiting}
        settle(row, State.OVERLAPPED, f"{still} {words}")
    else:
        settle(row, State.WAITS, still)
    return True


def waiting(now: datetime) -> QuerySet[ScheduleTime]:
    """Give the planned times that need not wait any longer, oldest first."""
    busy = Run.objects.filter(schedule=OuterRef("schedule"), status__in=Run.OPEN)
    rows = ScheduleTime.objects.filter(state=State.WAITS)
    rows = rows.filter(Q(look_at__lte=now) | Q(Q(look_at=None) & ~Exists(busy)))
    needed = (f"schedule__{name}" for name in NEEDED)
    return rows.select_related("schedule", *needed).order_by("planned_at")


@transaction.atomic
def release(row: ScheduleTime, now: datetime) -> Run | None:
    """Begin with a planned time that waited, unless something keeps it still; give its run."""
    schedule = row.schedule
    # Whoever writes first goes on with it: the others find another state.
    claimed = ScheduleTime.objects.filter(pk=row.pk, state=State.WAITS)
    if not claimed.update(state=State.SKIPPED):
        return None
    if not schedule.enabled:
        settle(row, State.SKIPPED, _("The schedule was turned off meanwhile."))
        return None
    if reason := obstacle(schedule, now):
        opens = opening(schedule, now)
        if opens is None:
            leave_out(row, schedule, reason)
        else:
            settle(row, State.WAITS, reason, opens)
        return None
    former = former_of(schedule)
    if former is not None and schedule.overlap != Overlap.ALLOW:
        settle(row, State.WAITS, _("#%(run)s still runs.") % {"run": former.pk})
        return None
    return fire(row, schedule, now)
