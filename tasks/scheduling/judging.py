"""Looks how runs of schedules ended: results, what is usual, and what somebody should know."""

from datetime import datetime, timedelta
from statistics import median

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from adminset.measures import duration
from tasks.models import Run, Schedule, ScheduleNotice, ScheduleTime
from tasks.scheduling.notices import tell

Kind = ScheduleNotice.Kind
NEWEST = 20
# From so many on it is known what is usual.
ENOUGH = 5
# Of a run that was cleared away before anybody looked.
GONE = "gone"
BAD = {Run.Status.FAILED, Run.Status.LOST}
AT_ONCE = 500


def judge(now: datetime) -> None:
    """Look at what has ended since, and at what goes on for longer than usual."""
    open_yet = ScheduleTime.objects.filter(state__in=ScheduleTime.STARTED, result="")
    ended = open_yet.exclude(run__status__in=Run.OPEN).select_related("run")
    for row in ended.order_by("pk")[:AT_ONCE]:
        _judge_end(row)
    running = open_yet.filter(
        run__status=Run.Status.RUNNING, schedule__typical_seconds__isnull=False
    )
    for row in running.select_related("run", "schedule")[:AT_ONCE]:
        _judge_pace(row, now)


@transaction.atomic
def _judge_end(row: ScheduleTime) -> None:
    run = row.run
    result = run.status if run else GONE
    seconds = _seconds(run)
    # The schedule first: two that judge runs of one schedule come one after the other.
    schedule = Schedule.objects.select_for_update().get(pk=row.schedule_id)
    claimed = ScheduleTime.objects.filter(pk=row.pk, result="")
    if not claimed.update(result=result, seconds=seconds) or run is None:
        return
    schedule.results = [
        *schedule.results[1 - NEWEST :],
        {"status": str(result), "seconds": seconds},
    ]
    schedule.last_result = result
    schedule.typical_seconds = typical(schedule)
    _count_failures(schedule, run)
    schedule.save(
        update_fields=["results", "last_result", "typical_seconds", "failures"]
    )


def _count_failures(schedule: Schedule, run: Run) -> None:
    """Tell of the first failure of a row, and of the first good run after it."""
    if run.status in BAD:
        schedule.failures += 1
        if schedule.failures == 1:
            tell(schedule, Kind.FAILED, str(run.pk), _failed(run), run)
    elif run.status == Run.Status.OK:
        if schedule.failures:
            tell(schedule, Kind.RECOVERED, str(run.pk), _recovered(schedule, run), run)
        schedule.failures = 0


def _seconds(run: Run | None) -> float | None:
    if run is None or run.started_at is None or run.ended_at is None:
        return None
    return round((run.ended_at - run.started_at).total_seconds(), 3)


def typical(schedule: Schedule) -> float | None:
    """Give the median of how long the newest good runs took (s); None while they are too few."""
    took = [
        one["seconds"]
        for one in schedule.results
        if one.get("status") == Run.Status.OK and one.get("seconds") is not None
    ]
    return round(median(took), 3) if len(took) >= ENOUGH else None


def _failed(run: Run) -> str:
    words = _("%(run)s ended as %(result)s. %(why)s")
    told = {
        "run": run,
        "result": run.get_status_display(),
        "why": run.explanation[:300],
    }
    return (words % told).strip()


def _recovered(schedule: Schedule, run: Run) -> str:
    words = _("%(run)s ended well, after %(count)s that did not.")
    return words % {"run": run, "count": schedule.failures}


def _judge_pace(row: ScheduleTime, now: datetime) -> None:
    run, usual = row.run, row.schedule.typical_seconds
    if run is None or run.started_at is None or usual is None:
        return
    longest = max(
        usual * settings.SCHEDULE_SLOW_PERCENT / 100,
        usual + settings.SCHEDULE_SLOW_SECONDS,
    )
    took = now - run.started_at
    if took.total_seconds() > longest:
        words = _("%(run)s goes on for %(took)s; it takes %(usual)s usually.")
        told = {
            "run": run,
            "took": duration(took),
            "usual": duration(timedelta(seconds=usual)),
        }
        tell(row.schedule, Kind.SLOW, str(run.pk), words % told, run)
