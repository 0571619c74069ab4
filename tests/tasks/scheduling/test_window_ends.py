"""No run of a schedule begins outside its windows: not by its spread, and not because it had to wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import User
from tasks.models import Calendar, Run, Schedule
from tasks.scheduling.calendars import obstacle_of
from tasks.scheduling.planned import planned_times
from tasks.services.queues import wake_ready
from tasks.services.schedules import run_now
from tests.tasks.engine_things import FakeLane, go_on
from tests.tasks.schedule_things import (
    MORNING,
    at,
    make_calendar,
    make_schedule,
    ticked,
)

pytestmark = pytest.mark.django_db
SPREAD = {"crontab": "30 9 * * *", "jitter_seconds": 3600}


def begins(runs: list[Run]) -> list[str]:
    """Give when runs begin."""
    return [f"{run.not_before or run.planned_at:%H:%M}" for run in runs]


@pytest.mark.parametrize(
    ("which", "times"),
    [("only_in", "daily 09:00-10:00"), ("not_in", "daily 10:00-11:00")],
)
def test_a_spread_ends_where_the_window_closes(
    admin: User, which: str, times: str
) -> None:
    calendar = make_calendar(times)
    for _number in range(12):
        make_schedule(admin, **SPREAD, **{which: calendar})
    runs = ticked(at("2026-11-20 09:30:00"))
    found = begins(runs)
    assert len(found) == 12
    assert all("09:30" <= moment < "10:00" for moment in found), found
    # Within what is left they are spread.
    assert len(set(found)) > 6
    for run in runs:
        assert run.schedule is not None
        (shown,) = planned_times(run.schedule, MORNING, 1)
        assert f"{shown.begins:%H:%M}" in found


def test_what_waited_for_its_window_begins_in_it(admin: User) -> None:
    calendar = make_calendar("daily 10:00-10:10")
    for _number in range(8):
        make_schedule(admin, **SPREAD, only_in=calendar, outside="wait")
    assert ticked(at("2026-11-20 09:30:01")) == []
    runs = ticked(at("2026-11-20 10:00:03"))
    assert len(runs) == 8
    assert all(moment < "10:10" for moment in begins(runs))


@pytest.fixture
def frozen(admin: User) -> Run:
    """A run that was made in time, and waited until a blackout began that goes on now."""
    schedule = make_schedule(admin)
    (run,) = ticked(at("2026-11-20 09:00:02"))
    freeze = make_calendar("daily 00:00-24:00 # no change", name="freeze")
    Schedule.objects.filter(pk=schedule.pk).update(not_in=freeze)
    return run


def test_a_run_that_waited_does_not_begin_in_a_blackout(
    frozen: Run, fake_lane: FakeLane
) -> None:
    assert go_on(frozen).status == "queued"
    assert fake_lane.begun == []
    words = "In the blackout freeze: no change"
    assert frozen.parts.get().reason == words
    wake_ready()
    assert frozen.parts.get().status == "waiting"
    Calendar.objects.update(times="2020-01-01")
    wake_ready()
    assert go_on(frozen).status == "ok"


def test_what_has_begun_goes_on_into_a_blackout(
    frozen: Run, fake_lane: FakeLane
) -> None:
    Run.objects.filter(pk=frozen.pk).update(
        status="running", started_at=frozen.created_at
    )
    assert go_on(frozen).status == "ok"


def test_a_run_by_hand_heeds_no_calendar(
    admin: User, frozen: Run, fake_lane: FakeLane
) -> None:
    assert frozen.schedule is not None
    assert go_on(run_now(actor=admin, schedule=frozen.schedule)).status == "ok"


def test_a_worker_that_comes_a_moment_after_the_window_closed_begins(
    admin: User,
) -> None:
    nights = make_calendar("daily 22:00-06:00", name="nights")
    make_schedule(admin, at("2026-11-20 05:30"), crontab="59 5 * * *", only_in=nights)
    (run,) = ticked(at("2026-11-20 05:59:01"))
    closed = at("2026-11-20 05:59:00")
    assert obstacle_of(run, closed + timedelta(seconds=58)) == ""
    assert obstacle_of(run, closed + timedelta(seconds=62)) == (
        "Outside the windows of nights"
    )
    assert obstacle_of(run, at("2026-11-20 22:00:01")) == ""
