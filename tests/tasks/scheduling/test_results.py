"""How runs ended, what is usual, and what is told: failed, recovered, slower than usual; each once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from adminset import webhook_outbox
from adminset.models import AuditEntry, WebHook, WebHookDelivery
from tasks.models import Run, Schedule, ScheduleNotice, ScheduleTime
from tasks.scheduling.judging import judge
from tasks.services.schedules import run_now
from tests.tasks.schedule_things import at, ended, make_schedule, ticked

pytestmark = pytest.mark.django_db
NOW = at("2026-11-21 12:00")


def ran(
    schedule: Schedule, number: int, status: str = "ok", seconds: float = 10
) -> Run:
    """Let a planned time have run, and be judged."""
    run = begun(schedule, number)
    ended(run, status, seconds)
    judge(NOW)
    return run


def begun(schedule: Schedule, number: int) -> Run:
    run = Run.objects.create(title=f"r{number}", schedule=schedule, status="running")
    ScheduleTime.objects.create(
        schedule=schedule,
        planned_at=NOW + timedelta(minutes=number),
        state="ran",
        run=run,
    )
    return run


def test_results_stand_on_the_schedule_and_on_the_planned_time(admin: User) -> None:
    schedule = make_schedule(admin)
    for number, status in enumerate(["ok", "failed", "cancelled", "ok"]):
        ran(schedule, number, status, seconds=4 * (number + 1))
    schedule.refresh_from_db()
    assert [one["status"] for one in schedule.results] == [
        "ok",
        "failed",
        "cancelled",
        "ok",
    ]
    assert schedule.last_result == "ok"
    assert round(schedule.success_share or 0) == 67
    assert schedule.average_seconds == 10
    row = ScheduleTime.objects.get(run__title="r1")
    assert (row.result, row.seconds) == ("failed", 8)


def test_only_the_newest_twenty_count(admin: User) -> None:
    schedule = make_schedule(admin)
    for number in range(25):
        ran(schedule, number, seconds=number)
    schedule.refresh_from_db()
    assert len(schedule.results) == 20
    assert schedule.results[0]["seconds"] == 5


def test_the_first_failure_is_told_and_that_it_is_well_again(admin: User) -> None:
    schedule = make_schedule(admin)
    for number, status in enumerate(["ok", "failed", "lost", "ok", "ok"]):
        ran(schedule, number, status)
    judge(NOW)
    told = ScheduleNotice.objects.order_by("pk").values_list("kind", "run__title")
    assert list(told) == [("failed", "r1"), ("recovered", "r3")]
    assert "after 2 that did not" in ScheduleNotice.objects.get(kind="recovered").text
    verbs = AuditEntry.objects.filter(verb__startswith="schedule.").order_by("pk")
    assert [entry.verb for entry in verbs] == ["schedule.failed", "schedule.recovered"]
    schedule.refresh_from_db()
    assert schedule.failures == 0


def test_web_hooks_are_told(admin: User, monkeypatch) -> None:
    WebHook.objects.create(
        name="chat",
        url="https://example.org/",
        secret="a long enough secret",
        kinds=["tasks.schedule"],
        verbs=["other"],
    )
    monkeypatch.setattr(webhook_outbox, "_kept", None)
    schedule = make_schedule(admin)
    ran(schedule, 0, "failed")
    delivery = WebHookDelivery.objects.get()
    assert (delivery.event, delivery.target) == ("schedule.failed", schedule.name)
    assert "r0 ended as failed" in delivery.body


def test_slower_than_usual_is_told_while_it_runs_and_once(admin: User) -> None:
    schedule = make_schedule(admin)
    for number in range(4):
        ran(schedule, number, seconds=60)
    slow = begun(schedule, 10)
    start = timezone.now()
    Run.objects.filter(pk=slow.pk).update(started_at=start)
    judge(start + timedelta(hours=1))
    assert not ScheduleNotice.objects.exists(), "four runs do not say what is usual"
    ran(schedule, 5, seconds=60)
    schedule.refresh_from_db()
    assert schedule.typical_seconds == 60
    judge(start + timedelta(seconds=119))
    assert not ScheduleNotice.objects.exists()
    for _again in range(2):
        judge(start + timedelta(seconds=125))
    notice = ScheduleNotice.objects.get()
    assert (notice.kind, notice.run) == ("slow", slow)
    assert notice.text == f"{slow} goes on for 2 min 5 s; it takes 1 min usually."
    assert AuditEntry.objects.filter(verb="schedule.slow").count() == 1


def test_a_quick_job_is_not_slow_because_of_some_seconds(admin: User) -> None:
    schedule = make_schedule(admin)
    for number in range(5):
        ran(schedule, number, seconds=1)
    run = begun(schedule, 10)
    start = timezone.now()
    Run.objects.filter(pk=run.pk).update(started_at=start)
    judge(start + timedelta(seconds=30))
    assert not ScheduleNotice.objects.exists()
    judge(start + timedelta(seconds=32))
    assert ScheduleNotice.objects.get().kind == "slow"


def test_a_run_by_hand_counts_among_the_results(admin: User) -> None:
    schedule = make_schedule(admin)
    run = run_now(actor=admin, schedule=schedule)
    assert run.planned_at is None
    ended(run, "failed")
    judge(NOW)
    row = ScheduleTime.objects.get()
    assert (row.state, row.result, row.reason) == (
        "by_hand",
        "failed",
        "Asked for by admin.",
    )
    schedule.refresh_from_db()
    assert (schedule.run_count, schedule.failures) == (1, 1)


def test_a_run_that_goes_on_is_not_judged(admin: User) -> None:
    schedule = make_schedule(admin)
    (run,) = ticked(at("2026-11-20 09:00:02"))
    judge(NOW)
    assert ScheduleTime.objects.get(run=run).result == ""
    schedule.refresh_from_db()
    assert schedule.results == []
