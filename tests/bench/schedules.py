"""Schedules: how long a tick takes at 10,000 of them, with few due and with 200."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test.utils import (
    CaptureQueriesContext,
    get_runner,
    setup_test_environment,
    teardown_test_environment,
)

from accounts.models import User
from tasks.models import Run, Schedule, ScheduleTime
from tasks.scheduling.ticking import tick
from tests.bench.figures import Figure, percentile
from tests.factories import make_host

SCHEDULES, HOSTS, TICKS, DUE = 10_000, 100, 60, 200
START = datetime(2026, 11, 20, 8, 0, 2, tzinfo=UTC)
STEP = timedelta(seconds=5)
ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York")


def run(folder: Path) -> list[Figure]:
    """Measure ticks as the worker does them, the making of the runs included."""
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        _fill()
        list(tick(START))
        return [*_quiet(), *_few(), *_many()]
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()


def _fill() -> None:
    """Make schedules that run at night, once a day each, at minutes of their own; none is due in the morning."""
    owner = User.objects.create_superuser("bench", None)
    hosts = [make_host() for _number in range(HOSTS)]
    rows = []
    for number in range(SCHEDULES):
        row = Schedule(
            name=f"schedule {number}",
            command="true",
            run_as=owner,
            crontab=f"{number % 60} {18 + number // 60 % 6} * * *",
            time_zone=ZONES[number % 4] if number >= DUE else "UTC",
        )
        row.plan_next(START)
        rows.append(row)
    made = Schedule.objects.bulk_create(rows, batch_size=500)
    through = Schedule.hosts.through
    through.objects.bulk_create(
        (
            through(schedule_id=row.pk, host_id=hosts[number % HOSTS].pk)
            for number, row in enumerate(made)
        ),
        batch_size=5000,
    )


def _due(count: int, moment: datetime) -> None:
    """Have so many come at a moment."""
    keys = list(Schedule.objects.order_by("pk").values_list("pk", flat=True)[:count])
    # Looked at long before, as by the tick of the day before.
    Schedule.objects.filter(pk__in=keys).update(
        next_at=moment.replace(second=0), looked_at=moment - timedelta(hours=1)
    )
    hour, minute = moment.hour, moment.minute
    Schedule.objects.filter(pk__in=keys).update(crontab=f"{minute} {hour} * * *")


def _timed(now: datetime) -> tuple[float, float, int]:
    """Give how long a tick took and how long its process worked (ms), and how many runs it made."""
    began, worked = time.perf_counter(), time.process_time()
    made = sum(1 for _run in tick(now))
    took = time.perf_counter() - began, time.process_time() - worked
    return took[0] * 1000, took[1] * 1000, made


def _quiet() -> list[Figure]:
    took = [_timed(START + STEP * number)[:2] for number in range(1, TICKS)]
    with CaptureQueriesContext(connection) as asked:
        _timed(START + STEP * TICKS)
    return [
        *_pair("none due", took, "<= 100"),
        Figure("schedules: queries of a tick with none due", len(asked), "queries"),
    ]


def _few() -> list[Figure]:
    took = []
    for number in range(20):
        now = START + timedelta(minutes=10 + number)
        _due(3, now)
        wall, cpu, made = _timed(now)
        assert made == 3
        took.append((wall, cpu))
        _end()
    return _pair("3 due", took, "<= 100")


def _many() -> list[Figure]:
    took = []
    for number in range(5):
        now = START + timedelta(hours=1, minutes=number)
        _due(DUE, now)
        wall, cpu, made = _timed(now)
        assert made == DUE
        took.append((wall, cpu))
        _end()
    each = round(percentile([wall for wall, _cpu in took], 0.5) / DUE, 2)
    return [
        *_pair(f"{DUE} due", took, ""),
        Figure("schedules: a run asked for, of 200 due", each, "ms"),
    ]


def _end() -> None:
    """End the runs, as workers would have."""
    Run.objects.filter(status__in=Run.OPEN).update(
        status="ok", started_at=START, ended_at=START + STEP
    )
    ScheduleTime.objects.filter(result="").update(result="ok", seconds=5)


def _pair(name: str, took: list[tuple[float, float]], goal: str) -> list[Figure]:
    title = f"schedules: a tick at 10,000, {name}"
    wall, cpu = zip(*took, strict=True)
    worked = f"{percentile(cpu, 0.5):.1f} ms of CPU"
    return [
        Figure(f"{title}, p50", round(percentile(wall, 0.5), 1), "ms", "", worked),
        Figure(f"{title}, p95", round(percentile(wall, 0.95), 1), "ms", goal),
    ]
