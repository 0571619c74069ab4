"""The tick: finds what has come, makes the runs, and looks how earlier ones ended. Two at the same time do no harm."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from adminset import maintenance
from tasks.models import Schedule, ScheduleTime
from tasks.scheduling.claiming import carefully, mistake, pass_over, set_right
from tasks.scheduling.firing import leave_out
from tasks.scheduling.judging import judge
from tasks.scheduling.taking import due, release, take, waiting

State = ScheduleTime.State


def tick(now: datetime | None = None) -> Iterator[int]:
    """Do what has come; give the ids of the runs that were made, each as soon as it is committed.

    In maintenance nothing is taken up: what comes then is late, or missed, when it ends.
    """
    if maintenance.is_on():
        return
    now = now or timezone.now()
    set_right(Schedule, now)
    for schedule in due(now)[: settings.SCHEDULE_TICK_MOST]:
        give_up = partial(_give_up, schedule, now)
        runs = carefully(partial(take, schedule, now), schedule, give_up)
        yield from (run.pk for run in runs or ())
    for row in waiting(now)[: settings.SCHEDULE_TICK_MOST]:
        give_up = partial(_give_up, row.schedule, now)
        run = carefully(partial(release, row, now), row.schedule, give_up)
        if run is not None:
            yield run.pk
    judge(now)


@transaction.atomic
def _give_up(schedule: Schedule, now: datetime) -> None:
    """Leave out what has come of a schedule with which something is wrong, and what waits."""
    waits = schedule.times.filter(state=State.WAITS).exclude(look_at__gt=now)
    waits.update(state=State.SKIPPED, reason=mistake(), look_at=None)
    pass_over(schedule, now, leave_out)
