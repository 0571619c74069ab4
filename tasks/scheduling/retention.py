"""Clears away runs that ended long ago, with their output: at night, a few at a time, never one that goes on."""

import shutil
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from adminset import audit
from tasks.models import Run, Schedule, ScheduleNotice, ScheduleTime
from tasks.output import folder
from tasks.services.schedules import SCHEDULER

AT_ONCE = 20
ROWS_AT_ONCE = 5000


def clear_runs(now: datetime | None = None) -> int:
    """Delete what is older than the portal, or its schedule, keeps; give how many runs went."""
    now = now or timezone.now()
    count = 0
    if settings.RUN_KEEP_DAYS:
        oldest = now - timedelta(days=settings.RUN_KEEP_DAYS)
        count += _clear(_before(Run.objects.filter(schedule__keep_days=None), oldest))
        _clear_rows(oldest)
    keeping = Schedule.objects.filter(
        Q(keep_days__isnull=False) | Q(keep_runs__isnull=False)
    )
    for schedule in keeping:
        count += _clear_of(schedule, now)
    if count:
        changes = [audit.change_of("runs", count, None)]
        audit.record(SCHEDULER, "run.clear", Run, changes=changes)
    return count


def _before(rows: QuerySet[Run], moment: datetime) -> QuerySet[Run]:
    """Narrow to runs that ended before a moment."""
    ended = Q(ended_at__lt=moment) | Q(ended_at=None, created_at__lt=moment)
    return rows.filter(ended).exclude(status__in=Run.OPEN)


def _clear_of(schedule: Schedule, now: datetime) -> int:
    """Clear what a schedule itself does not keep."""
    count = 0
    runs = Run.objects.filter(schedule=schedule)
    if schedule.keep_days:
        count += _clear(_before(runs, now - timedelta(days=schedule.keep_days)))
    if schedule.keep_runs:
        newest = runs.order_by("-pk").values_list("pk", flat=True)
        last = newest[schedule.keep_runs - 1 : schedule.keep_runs].first()
        if last is not None:
            older = runs.filter(pk__lt=last)
            count += _clear(older.exclude(status__in=Run.OPEN))
    return count


def _clear(rows: QuerySet[Run]) -> int:
    """Delete runs, the files before the rows: what is interrupted goes on the next night."""
    count = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        for key in keys:
            shutil.rmtree(folder(key), ignore_errors=True)
        with transaction.atomic():
            Run.objects.filter(pk__in=keys).exclude(status__in=Run.OPEN).delete()
        count += len(keys)
    return count


def _clear_rows(oldest: datetime) -> None:
    """Delete what is known of planned times and told of schedules, where it is as old and nothing of it is open."""
    open_yet = Q(state=ScheduleTime.State.WAITS)
    open_yet |= Q(state__in=ScheduleTime.STARTED, result="")
    times = ScheduleTime.objects.filter(planned_at__lt=oldest).exclude(open_yet)
    _delete(times.filter(schedule__keep_days=None))
    _delete(ScheduleNotice.objects.filter(created_at__lt=oldest))


def _delete(rows: QuerySet) -> None:
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        rows.model._default_manager.filter(pk__in=keys).delete()
