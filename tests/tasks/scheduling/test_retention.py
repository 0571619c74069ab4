"""What is cleared away at night: old runs with their files; never what goes on, never what a schedule keeps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from tasks.models import Run, Schedule, ScheduleNotice, ScheduleTime
from tasks.output import folder
from tasks.scheduling import retention
from tests.tasks.schedule_things import make_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_dir")]


def make_run(days: int, status: str = "ok", schedule: Schedule | None = None) -> Run:
    """Make a run that ended so many days ago, with a file."""
    over = timezone.now() - timedelta(days=days)
    run = Run.objects.create(title=f"{days} d", schedule=schedule, status=status)
    Run.objects.filter(pk=run.pk).update(
        created_at=over, ended_at=None if status in Run.OPEN else over
    )
    folder(run.pk).mkdir(parents=True)
    (folder(run.pk) / "run.log").write_text("words")
    return run


def left(run_dir: Path) -> list[str]:
    """Give the titles of the runs that are left; their files are those that are there."""
    rows = Run.objects.order_by("pk")
    assert {int(path.name) for path in run_dir.iterdir()} == {run.pk for run in rows}
    return [run.title for run in rows]


def test_old_runs_go_with_their_files_and_a_line_with_the_count(
    run_dir: Path, monkeypatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for days in (400, 100, 91, 91, 89, 1):
        make_run(days)
    assert retention.clear_runs() == 4
    assert left(run_dir) == ["89 d", "1 d"]
    entry = AuditEntry.objects.get(verb="run.clear")
    assert (entry.actor_name, entry.changes) == (
        "scheduler",
        [{"field": "runs", "old": 4, "new": None}],
    )
    assert retention.clear_runs() == 0
    assert AuditEntry.objects.filter(verb="run.clear").count() == 1


@pytest.mark.parametrize("status", ["queued", "running", "paused"])
def test_what_goes_on_stays_however_old_it_is(
    admin: User, run_dir: Path, status: str
) -> None:
    schedule = make_schedule(admin, keep_runs=1, keep_days=1)
    make_run(400, status)
    make_run(400, status, schedule)
    make_run(0, "ok", schedule)
    assert retention.clear_runs() == 0
    assert len(left(run_dir)) == 3


def test_none_goes_where_they_are_kept_for_ever(settings, run_dir: Path) -> None:
    settings.RUN_KEEP_DAYS = 0
    make_run(4000)
    assert retention.clear_runs() == 0
    assert left(run_dir) == ["4000 d"]


def test_a_schedule_keeps_longer_or_shorter_than_the_portal(
    admin: User, run_dir: Path
) -> None:
    longer = make_schedule(admin, keep_days=365)
    shorter = make_schedule(admin, keep_days=7)
    few = make_schedule(admin, keep_runs=2)
    for days in (400, 300, 8, 6):
        make_run(days, schedule=longer)
    for days in (40, 8, 6):
        make_run(days, schedule=shorter)
    for days in (30, 20, 10, 5):
        make_run(days, schedule=few)
    assert retention.clear_runs() == 5
    assert left(run_dir) == ["300 d", "8 d", "6 d", "6 d", "10 d", "5 d"]


def test_planned_times_and_notices_go_with_age_and_what_is_open_stays(
    admin: User,
) -> None:
    schedule = make_schedule(admin)
    old, new = (timezone.now() - timedelta(days=days) for days in (100, 10))
    for number, (moment, state) in enumerate(
        [(old, "missed"), (old, "waits"), (old, "ran"), (new, "missed")]
    ):
        ScheduleTime.objects.create(
            schedule=schedule,
            planned_at=moment + timedelta(minutes=number),
            state=state,
        )
    ScheduleNotice.objects.create(schedule=schedule, kind="slow", key="1", text="t")
    ScheduleNotice.objects.update(created_at=old)
    retention.clear_runs()
    assert sorted(ScheduleTime.objects.values_list("state", flat=True)) == [
        "missed",
        "ran",
        "waits",
    ]
    assert not ScheduleNotice.objects.exists()


def test_the_result_of_a_run_stays_on_its_planned_time(admin: User) -> None:
    schedule = make_schedule(admin, keep_runs=1)
    old = make_run(3, schedule=schedule)
    make_run(1, schedule=schedule)
    row = ScheduleTime.objects.create(
        schedule=schedule,
        planned_at=timezone.now() - timedelta(days=3),
        state="ran",
        run=old,
        result="ok",
        seconds=12,
    )
    assert retention.clear_runs() == 1
    row.refresh_from_db()
    assert (row.run, row.result, row.seconds) == (None, "ok", 12)
