"""Schedules for tests: saved at a moment, ticked at others, their runs ended as wanted."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import User
from tasks.models import Calendar, Run, Schedule, ScheduleTime
from tasks.scheduling.ticking import tick
from tests.factories import make_host

_numbers = itertools.count(1)
MORNING = datetime(2026, 11, 20, 8, 0, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    """Read a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make_schedule(owner: User, saved: datetime = MORNING, **fields: Any) -> Schedule:
    """Make one that was saved at a moment, on a host of its own."""
    given = {"name": f"schedule {next(_numbers)}", "command": "true"}
    if not {"crontab", "every_minutes", "once_at"} & set(fields):
        fields["crontab"] = "0 * * * *"
    schedule = Schedule(run_as=owner, **given | fields)
    schedule.plan_next(saved)
    schedule.save()
    schedule.hosts.add(make_host())
    return schedule


def make_calendar(times: str, **fields: Any) -> Calendar:
    """Make a calendar."""
    return Calendar.objects.create(
        **{"name": f"calendar {next(_numbers)}", "times": times} | fields
    )


def ticked(now: datetime) -> list[Run]:
    """Tick at a moment; give the runs that were made."""
    return [Run.objects.get(pk=pk) for pk in tick(now)]


def ended(run: Run, status: str = "ok", seconds: float = 10) -> Run:
    """End a run after so long."""
    begun = run.started_at or run.created_at
    over = begun + timedelta(seconds=seconds)
    rows = Run.objects.filter(pk=run.pk)
    rows.update(status=status, started_at=begun, ended_at=over)
    return run


def became(schedule: Schedule) -> list[tuple[str, str]]:
    """Give what became of the planned times, oldest first: ("11-20 09:00", "ran")."""
    rows = ScheduleTime.objects.filter(schedule=schedule).order_by("planned_at")
    return [(f"{row.planned_at:%m-%d %H:%M}", row.state) for row in rows]


def planned(runs: list[Run]) -> list[str]:
    """Give the planned times of runs."""
    return [f"{run.planned_at:%m-%d %H:%M}" for run in runs]
