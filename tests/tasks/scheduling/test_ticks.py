"""The tick: each planned time once, whatever the clock does; one bad schedule stops no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError

from accounts.models import User
from tasks.models import Run, Schedule, ScheduleTime
from tasks.scheduling import taking, ticking
from tasks.scheduling.firing import begin_of
from tests.tasks.schedule_things import (
    at,
    became,
    ended,
    make_schedule,
    planned,
    ticked,
)

pytestmark = pytest.mark.django_db
NINE = at("2026-11-20 09:00:03")


def test_two_that_read_the_same_row_make_one_run(admin: User) -> None:
    schedule = make_schedule(admin)
    first, second = taking.due(NINE).get(), taking.due(NINE).get()
    assert len(taking.take(first, NINE)) == 1
    assert taking.take(second, NINE) == []
    schedule.refresh_from_db()
    assert (Run.objects.count(), schedule.run_count) == (1, 1)
    assert became(schedule) == [("11-20 09:00", "ran")]
    assert schedule.last_run_at == Run.objects.get().created_at


def test_a_clock_that_is_set_back_runs_nothing_twice(admin: User) -> None:
    schedule = make_schedule(admin, overlap="allow")
    assert len(ticked(NINE)) == 1
    back = NINE - timedelta(minutes=30)
    assert ticked(back) == []
    schedule.refresh_from_db()
    assert schedule.next_at == at("2026-11-20 09:00")
    assert ticked(NINE) == []
    assert planned(ticked(NINE + timedelta(hours=1))) == ["11-20 10:00"]
    assert became(schedule) == [("11-20 09:00", "ran"), ("11-20 10:00", "ran")]


def test_a_clock_that_stood_in_next_year_for_a_minute_stops_nothing(
    admin: User,
) -> None:
    schedule = make_schedule(admin)
    ticked(NINE + timedelta(days=365))
    schedule.refresh_from_db()
    assert schedule.next_at > NINE + timedelta(days=365)
    Run.objects.update(status="ok")
    assert ticked(NINE) == []
    assert planned(ticked(NINE + timedelta(hours=1))) == ["11-20 10:00"]


def test_a_clock_that_is_set_forward_misses_what_lies_between(admin: User) -> None:
    schedule = make_schedule(admin)
    assert planned(ticked(at("2026-11-20 12:00:05"))) == ["11-20 12:00"]
    assert became(schedule)[:3] == [
        ("11-20 09:00", "missed"),
        ("11-20 10:00", "missed"),
        ("11-20 11:00", "missed"),
    ]


@pytest.mark.parametrize(
    ("crontab", "night", "wanted"),
    [
        # The night of 29 March has no 02:30; that of 25 October has two.
        ("30 2 * * *", "2026-03-28 12:00", ["03-30 00:30"]),
        ("30 2 * * *", "2026-10-24 12:00", ["10-25 00:30", "10-26 01:30"]),
    ],
)
def test_the_night_of_a_clock_change_runs_what_it_should(
    admin: User, crontab: str, night: str, wanted: list[str]
) -> None:
    make_schedule(admin, at(night), crontab=crontab, time_zone="Europe/Berlin")
    made: list[str] = []
    for quarter in range(4 * 60):
        runs = ticked(at(night) + timedelta(minutes=15 * quarter, seconds=2))
        made += planned(runs)
        for run in runs:
            ended(run)
    assert made == wanted


def test_every_minute_goes_on_through_the_doubled_hour(admin: User) -> None:
    start = at("2026-10-24 23:59:30")
    schedule = make_schedule(
        admin, start, crontab="*/10 * * * *", time_zone="Europe/Berlin", overlap="allow"
    )
    made = []
    for step in range(18):
        made += planned(ticked(start + timedelta(minutes=10 * step, seconds=32)))
    assert len(made) == len(set(made)) == 18
    schedule.refresh_from_db()
    assert schedule.run_count == 18


def test_a_row_without_a_next_time_gets_one_and_runs_from_then_on(admin: User) -> None:
    schedule = make_schedule(admin)
    Schedule.objects.update(next_at=None, looked_at=None)
    assert ticked(NINE) == []
    schedule.refresh_from_db()
    assert schedule.next_at == at("2026-11-20 10:00")


def test_a_schedule_with_which_something_is_wrong_stops_no_other(
    admin: User, monkeypatch, caplog
) -> None:
    broken, sound = make_schedule(admin), make_schedule(admin)
    real = taking.fire

    def fire(row: ScheduleTime, schedule: Schedule, now: object) -> object:
        if schedule.pk == broken.pk:
            raise ZeroDivisionError("nobody foresaw this")
        return real(row, schedule, now)

    monkeypatch.setattr(taking, "fire", fire)
    assert [run.schedule for run in ticked(NINE)] == [sound]
    assert became(broken) == [("11-20 09:00", "skipped")]
    broken.refresh_from_db()
    assert broken.next_at == at("2026-11-20 10:00")
    assert "its log says which" in broken.notice
    assert "nobody foresaw this" in caplog.text


def test_a_database_that_is_busy_is_asked_at_the_next_tick(
    admin: User, monkeypatch
) -> None:
    schedule = make_schedule(admin)
    real = ticking.take

    def busy(*_given: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(ticking, "take", busy)
    assert ticked(NINE) == []
    monkeypatch.setattr(ticking, "take", real)
    assert planned(ticked(NINE + timedelta(seconds=5))) == ["11-20 09:00"]
    assert became(schedule) == [("11-20 09:00", "ran")]


def test_one_tick_takes_up_so_many_and_the_next_the_rest(admin: User, settings) -> None:
    settings.SCHEDULE_TICK_MOST = 2
    for _number in range(3):
        make_schedule(admin)
    assert len(ticked(NINE)) == 2
    assert len(ticked(NINE)) == 1


def test_jitter_is_the_same_each_time_and_spreads(admin: User) -> None:
    schedules = [make_schedule(admin, jitter_seconds=600) for _number in range(8)]
    now = at("2026-11-20 09:00:00")
    ticked(now)
    begins = {}
    for run in Run.objects.all():
        begins[run.schedule_id] = run.not_before or run.planned_at
        assert timedelta(0) <= begins[run.schedule_id] - now <= timedelta(minutes=10)
    assert len(set(begins.values())) > 4
    for schedule in schedules:
        assert begin_of(schedule, now) == begins[schedule.pk]


def test_a_time_before_the_schedule_was_saved_is_none_of_its_times(
    admin: User,
) -> None:
    schedule = make_schedule(admin, at("2026-11-20 08:59:59"))
    assert schedule.next_at == at("2026-11-20 09:00")
    late = make_schedule(admin, at("2026-11-20 09:00:01"))
    assert late.next_at == at("2026-11-20 10:00")
    assert [run.schedule for run in ticked(NINE)] == [schedule]
