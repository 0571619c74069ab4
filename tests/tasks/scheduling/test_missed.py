"""After a time without the portal: the runs are exactly those of the policy, and every planned time has its row."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from tasks.models import Run, Schedule, ScheduleNotice, ScheduleTime
from tests.tasks.schedule_things import (
    MORNING,
    at,
    became,
    ended,
    make_schedule,
    planned,
    ticked,
)

pytestmark = pytest.mark.django_db
NEXT_DAY = at("2026-11-21 08:30:00")


@pytest.mark.parametrize(
    ("policy", "ran"),
    [
        # 08:00 is half an hour old: more than the grace.
        ({"missed": "skip"}, []),
        ({"missed": "skip", "grace_seconds": 3600}, ["11-21 08:00"]),
        ({"missed": "once"}, ["11-21 08:00"]),
        (
            {"missed": "all", "missed_most": 3, "overlap": "allow"},
            ["11-21 06:00", "11-21 07:00", "11-21 08:00"],
        ),
    ],
)
def test_a_day_of_downtime_is_made_up_for_as_the_policy_says(
    admin: User, policy: dict[str, object], ran: list[str]
) -> None:
    schedule = make_schedule(admin, **policy)
    assert planned(ticked(NEXT_DAY)) == ran
    rows = became(schedule)
    assert len(rows) == 24
    assert [time for time, state in rows if state == "ran"] == ran
    assert {state for time, state in rows if time not in ran} == {"missed"}
    assert ticked(NEXT_DAY + timedelta(seconds=5)) == []
    schedule.refresh_from_db()
    assert schedule.next_at == at("2026-11-21 09:00")
    assert schedule.run_count == len(ran)


def test_missed_runs_are_told_once_with_how_many_and_from_when_to_when(
    admin: User,
) -> None:
    schedule = make_schedule(admin, missed="once")
    ticked(NEXT_DAY)
    ticked(NEXT_DAY)
    notice = ScheduleNotice.objects.get()
    assert (notice.kind, notice.schedule) == ("missed", schedule)
    assert notice.text == (
        "23 planned runs were missed (2026-11-20 09:00 UTC to 2026-11-21 07:00 UTC). "
        "1 run makes up for it."
    )
    entry = AuditEntry.objects.get(verb="schedule.missed")
    assert (entry.actor_name, entry.reason) == ("scheduler", notice.text)


def test_made_up_runs_of_a_schedule_that_skips_come_one_after_the_other(
    admin: User,
) -> None:
    schedule = make_schedule(admin, missed="all", missed_most=3, overlap="skip")
    made = []
    for minute in range(4):
        runs = ticked(NEXT_DAY + timedelta(minutes=minute))
        made += planned(runs)
        assert len(runs) == (1 if minute < 3 else 0)
        assert Run.objects.open().filter(schedule=schedule).count() <= 1
        for run in runs:
            ended(run)
    assert made == ["11-21 06:00", "11-21 07:00", "11-21 08:00"]


def test_a_tick_that_is_late_by_less_than_the_grace_is_in_time(admin: User) -> None:
    schedule = make_schedule(admin)
    assert planned(ticked(at("2026-11-20 09:04:59"))) == ["11-20 09:00"]
    assert became(schedule) == [("11-20 09:00", "ran")]
    assert not ScheduleNotice.objects.exists()


def test_what_runs_each_minute_does_not_catch_up_by_itself(admin: User) -> None:
    schedule = make_schedule(admin, crontab="", every_minutes=1)
    assert planned(ticked(at("2026-11-20 08:04:10"))) == ["11-20 08:04"]
    assert became(schedule) == [
        ("11-20 08:01", "missed"),
        ("11-20 08:02", "missed"),
        ("11-20 08:03", "missed"),
        ("11-20 08:04", "ran"),
    ]


def test_a_year_of_downtime_has_the_newest_rows_and_says_that_there_were_more(
    admin: User, settings
) -> None:
    settings.SCHEDULE_MISSED_ROWS = 50
    schedule = make_schedule(admin, crontab="", every_minutes=1)
    ticked(MORNING + timedelta(days=365))
    rows = ScheduleTime.objects.filter(schedule=schedule).order_by("planned_at")
    assert rows.count() == 50
    assert "earlier times were missed as well" in rows[0].reason


def test_nothing_is_missed_while_a_schedule_is_off(admin: User) -> None:
    schedule = make_schedule(admin, missed="all", enabled=False)
    assert schedule.next_at is None
    assert ticked(NEXT_DAY) == []
    assert became(schedule) == []


def test_maintenance_takes_up_nothing_and_loses_nothing(
    admin: User, monkeypatch
) -> None:
    schedule = make_schedule(admin, missed="once")
    monkeypatch.setattr("adminset.maintenance.is_on", lambda: True)
    assert ticked(at("2026-11-20 09:00:01")) == []
    assert became(schedule) == []
    monkeypatch.setattr("adminset.maintenance.is_on", lambda: False)
    assert planned(ticked(at("2026-11-20 11:30:00"))) == ["11-20 11:00"]


def test_a_single_moment_that_was_missed_is_made_up_for_where_that_is_wanted(
    admin: User,
) -> None:
    moment = at("2026-11-20 10:00")
    skipped = make_schedule(admin, crontab="", once_at=moment)
    made_up = make_schedule(admin, crontab="", once_at=moment, missed="once")
    runs = ticked(NEXT_DAY)
    assert [run.schedule for run in runs] == [made_up]
    assert became(skipped) == [("11-20 10:00", "missed")]
    for schedule in Schedule.objects.all():
        assert schedule.next_at is None
    assert ticked(NEXT_DAY + timedelta(days=400)) == []
