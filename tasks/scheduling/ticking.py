"""The tick: finds what has come, makes the runs, and looks how earlier ones ended. Two at the same time do no harm."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import maintenance
from tasks.models import Schedule, ScheduleTime
from tasks.scheduling.firing import leave_out
from tasks.scheduling.judging import judge
from tasks.scheduling.taking import due, release, take, waiting

logger = logging.getLogger(__name__)
T = TypeVar("T")
# A clock that is corrected by less than this has not been set back.
CLOCK_STEP = timedelta(minutes=1)


def tick(now: datetime | None = None) -> Iterator[int]:
    """Do what has come; give the ids of the runs that were made, each as soon as it is committed.

    In maintenance nothing is taken up: what comes then is late, or missed, when it ends.
    """
    if maintenance.is_on():
        return
    now = now or timezone.now()
    _set_right(now)
    for schedule in due(now)[: settings.SCHEDULE_TICK_MOST]:
        runs = _carefully(partial(take, schedule, now), schedule, now)
        yield from (run.pk for run in runs or ())
    for row in waiting(now)[: settings.SCHEDULE_TICK_MOST]:
        run = _carefully(partial(release, row, now), row.schedule, now)
        if run is not None:
            yield run.pk
    judge(now)


def _carefully(do: Callable[[], T], schedule: Schedule, now: datetime) -> T | None:
    """Let no schedule stop the others: a database that is busy is asked at the next tick, any other fault is written down."""
    try:
        return do()
    except DatabaseError:
        logger.warning(
            "schedule %s waits for the next tick", schedule.pk, exc_info=True
        )
    except Exception:
        logger.exception("schedule %s could not be run", schedule.pk)
        _give_up(schedule, now)
    return None


@transaction.atomic
def _give_up(schedule: Schedule, now: datetime) -> None:
    """Leave out what has come of a schedule with which something is wrong that nobody foresaw."""
    fresh = Schedule.objects.get(pk=schedule.pk)
    problem = _("The portal made a mistake; its log says which.")
    waits = ScheduleTime.objects.filter(
        schedule=fresh, state=ScheduleTime.State.WAITS
    ).exclude(look_at__gt=now)
    waits.update(state=ScheduleTime.State.SKIPPED, reason=problem, look_at=None)
    if fresh.next_at is None or fresh.next_at > now:
        return
    row, _made = ScheduleTime.objects.get_or_create(
        schedule=fresh, planned_at=fresh.next_at
    )
    leave_out(row, fresh, problem)
    fresh.plan_next(now)
    Schedule.objects.filter(pk=fresh.pk).update(next_at=fresh.next_at, looked_at=now)


def _set_right(now: datetime) -> None:
    """Work out the next times where that was never done, or by a clock that has been set back since.

    Else a clock that stood in next year for a minute would keep schedules waiting until then. Times that have been
    treated are not treated again.
    """
    ahead = Q(looked_at__gt=now + CLOCK_STEP) | Q(looked_at=None)
    for schedule in Schedule.objects.filter(ahead, enabled=True).order_by():
        read = schedule.looked_at
        schedule.plan_next(now)
        rows = Schedule.objects.filter(pk=schedule.pk, looked_at=read)
        rows.update(next_at=schedule.next_at, looked_at=now)
