"""While the former run goes on: left out, waited for, run beside it, or run in its place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from tasks.models import Run, ScheduleTime
from tasks.scheduling.taking import release, waiting
from tasks.services.schedules import switch_schedule
from tests.tasks.schedule_things import (
    at,
    became,
    ended,
    make_schedule,
    planned,
    ticked,
)

pytestmark = pytest.mark.django_db
NINE, TEN, ELEVEN = (at(f"2026-11-20 {hour:02}:00:02") for hour in (9, 10, 11))
LATER = timedelta(seconds=5)


def test_skip_leaves_out_and_says_which_run_went_on(admin: User) -> None:
    schedule = make_schedule(admin, overlap="skip")
    (run,) = ticked(NINE)
    assert ticked(TEN) == []
    row = ScheduleTime.objects.get(planned_at=at("2026-11-20 10:00"))
    assert (row.state, row.reason) == ("overlapped", f"#{run.pk} still runs.")
    ended(run)
    assert planned(ticked(ELEVEN)) == ["11-20 11:00"]
    assert [state for _time, state in became(schedule)] == ["ran", "overlapped", "ran"]


def test_queue_runs_each_when_the_former_has_ended(admin: User) -> None:
    schedule = make_schedule(admin, overlap="queue")
    (first,) = ticked(NINE)
    assert ticked(TEN) == ticked(ELEVEN) == []
    assert [state for _time, state in became(schedule)] == ["ran", "waits", "waits"]
    ended(first)
    (second,) = ticked(ELEVEN + LATER)
    assert planned([second]) == ["11-20 10:00"]
    assert ticked(ELEVEN + 2 * LATER) == []
    ended(second)
    assert planned(ticked(ELEVEN + 3 * LATER)) == ["11-20 11:00"]


def test_the_queue_has_an_end(admin: User, settings) -> None:
    settings.SCHEDULE_WAITING_MOST = 1
    schedule = make_schedule(admin, overlap="queue")
    for hour in (NINE, TEN, ELEVEN):
        ticked(hour)
    assert [state for _t, state in became(schedule)] == ["ran", "waits", "overlapped"]
    newest = ScheduleTime.objects.get(planned_at=at("2026-11-20 11:00"))
    assert "1 planned times wait already" in newest.reason


def test_allow_runs_both(admin: User) -> None:
    make_schedule(admin, overlap="allow")
    assert len(ticked(NINE)) == len(ticked(TEN)) == 1
    assert Run.objects.open().count() == 2


def test_cancel_stops_one_that_waits_for_a_worker_and_runs_at_once(
    admin: User,
) -> None:
    make_schedule(admin, overlap="cancel")
    (first,) = ticked(NINE)
    assert planned(ticked(TEN)) == ["11-20 10:00"]
    first.refresh_from_db()
    assert (first.status, first.cancelled_by_name) == ("cancelled", "scheduler")
    assert AuditEntry.objects.filter(verb="run.cancel").count() == 1


def test_cancel_waits_for_one_that_runs_until_it_has_stopped(admin: User) -> None:
    schedule = make_schedule(admin, overlap="cancel")
    (first,) = ticked(NINE)
    Run.objects.filter(pk=first.pk).update(status="running", started_at=NINE)
    first.parts.update(status="running", lease_until=timezone.now() + 60 * LATER)
    assert ticked(TEN) == []
    first.refresh_from_db()
    assert first.cancel_requested_at is not None
    assert became(schedule)[-1] == ("11-20 10:00", "waits")
    ended(first, "cancelled")
    assert planned(ticked(TEN + LATER)) == ["11-20 10:00"]


def test_what_waits_is_left_out_when_the_schedule_is_turned_off(admin: User) -> None:
    schedule = make_schedule(admin, overlap="queue")
    (run,) = ticked(NINE)
    ticked(TEN)
    schedule.refresh_from_db()
    switch_schedule(actor=admin, schedule=schedule, enabled=False, reason="a freeze")
    ended(run)
    assert ticked(TEN + LATER) == []
    row = ScheduleTime.objects.get(planned_at=at("2026-11-20 10:00"))
    assert (row.state, row.reason) == (
        "skipped",
        "The schedule was turned off meanwhile.",
    )
    schedule.refresh_from_db()
    assert (schedule.notice, schedule.next_at) == ("a freeze", None)


def test_two_workers_release_a_waiting_time_once(admin: User) -> None:
    make_schedule(admin, overlap="queue")
    (run,) = ticked(NINE)
    ticked(TEN)
    ended(run)
    one, two = waiting(TEN).get(), waiting(TEN).get()
    assert release(one, TEN) is not None
    assert release(two, TEN) is None
    assert Run.objects.count() == 2
