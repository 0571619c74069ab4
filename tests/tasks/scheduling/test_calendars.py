"""Windows and blackouts: what is planned outside them is left out or waits; launching by hand is warned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from cmdb.models import HostGroup
from tasks.models import Calendar, ScheduleTime
from tasks.scheduling.calendars import blackouts_now, opening
from tests.crud import ResourceTests
from tests.factories import make_host
from tests.tasks.schedule_things import (
    at,
    became,
    ended,
    make_calendar,
    make_schedule,
    planned,
    ticked,
)

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


class TestCalendarResource(ResourceTests):
    model = Calendar

    def make(self, number: int = 0, *, outside: bool = False) -> Calendar:
        return make_calendar("sat,sun # weekend", name=f"calendar {number}")

    def valid(self) -> dict[str, Any]:
        return {"name": "nights", "times": "daily 22:00-06:00", "time_zone": "UTC"}


def test_outside_the_windows_is_left_out_with_the_reason(admin: User) -> None:
    nights = make_calendar("daily 22:00-06:00", name="nights")
    schedule = make_schedule(admin, only_in=nights)
    assert ticked(at("2026-11-20 09:00:02")) == []
    row = ScheduleTime.objects.get()
    assert (row.state, row.reason) == ("skipped", "Outside the windows of nights")
    assert planned(ticked(at("2026-11-20 22:00:02"))) == ["11-20 22:00"]
    assert became(schedule)[-1] == ("11-20 22:00", "ran")


def test_in_a_blackout_is_left_out_with_the_note(admin: User) -> None:
    freeze = make_calendar("2026-11-20 .. 2026-11-21 # no change", name="freeze")
    make_schedule(admin, not_in=freeze)
    assert ticked(at("2026-11-20 09:00:02")) == []
    assert ScheduleTime.objects.get().reason == "In the blackout freeze: no change"


def test_what_may_wait_runs_once_when_the_window_opens(admin: User) -> None:
    nights = make_calendar("daily 22:00-06:00", name="nights")
    schedule = make_schedule(
        admin, only_in=nights, outside="wait", ends_at=at("2026-11-20 11:30")
    )
    for hour in (9, 10, 11):
        assert ticked(at(f"2026-11-20 {hour:02}:00:02")) == []
    assert became(schedule) == [
        ("11-20 09:00", "skipped"),
        ("11-20 10:00", "skipped"),
        ("11-20 11:00", "waits"),
    ]
    newest = ScheduleTime.objects.get(state="waits")
    assert newest.look_at == at("2026-11-20 22:00")
    assert ticked(at("2026-11-20 21:59:59")) == []
    assert planned(ticked(at("2026-11-20 22:00:03"))) == ["11-20 11:00"]
    assert ticked(at("2026-11-20 22:00:08")) == []


def test_a_window_that_is_changed_meanwhile_counts(admin: User) -> None:
    nights = make_calendar("daily 22:00-06:00", name="nights")
    make_schedule(admin, only_in=nights, outside="wait")
    ticked(at("2026-11-20 09:00:02"))
    Calendar.objects.update(times="daily 23:00-06:00")
    rows = ScheduleTime.objects.filter(planned_at=at("2026-11-20 09:00"))
    assert planned(ticked(at("2026-11-20 22:00:03"))) == []
    assert list(rows.values_list("state", flat=True)) == ["skipped"]
    waits = ScheduleTime.objects.get(state="waits")
    assert waits.look_at == at("2026-11-20 23:00")


def test_a_window_and_a_blackout_open_where_both_allow_it(admin: User) -> None:
    nights = make_calendar("daily 22:00-06:00", name="nights")
    freeze = make_calendar("2026-11-20 .. 2026-11-21", name="freeze")
    schedule = make_schedule(admin, only_in=nights, not_in=freeze)
    assert opening(schedule, at("2026-11-20 09:00")) == at("2026-11-22 00:00")
    never = make_calendar("2020-01-01", name="past")
    schedule.only_in = never
    assert opening(schedule, at("2026-11-20 09:00")) is None


def test_one_that_never_opens_is_left_out_and_says_so(admin: User) -> None:
    past = make_calendar("2020-01-01", name="past")
    schedule = make_schedule(admin, only_in=past, outside="wait")
    assert ticked(at("2026-11-20 09:00:02")) == []
    assert became(schedule) == [("11-20 09:00", "skipped")]
    assert "does not open within a year" in ScheduleTime.objects.get().reason


def test_a_tick_a_moment_after_the_window_closed_still_counts_as_planned(
    admin: User,
) -> None:
    nights = make_calendar("daily 22:00-06:00", name="nights")
    make_schedule(admin, at("2026-11-20 05:30"), crontab="59 5 * * *", only_in=nights)
    assert planned(ticked(at("2026-11-20 05:59:59"))) == ["11-20 05:59"]
    for run in ticked(at("2026-11-20 06:00")):
        ended(run)


def test_a_launch_by_hand_in_a_blackout_is_warned(group: HostGroup) -> None:
    inside, outside = make_host(groups=[group]), make_host()
    ours = make_calendar("fri # release", name="ours")
    ours.warns_groups.add(group)
    make_calendar("fri", name="only for schedules")
    now = at("2026-11-20 09:00")
    (found,) = blackouts_now([inside, outside], now)
    assert (found.name, found.reason, found.hosts) == ("ours", "release", 1)
    assert found.until == at("2026-11-21 00:00")
    assert blackouts_now([outside], now) == []
    assert blackouts_now([inside], at("2026-11-21 09:00")) == []
    make_calendar("2026-11-20", name="everywhere", warns_everywhere=True)
    assert [each.name for each in blackouts_now([outside], now)] == ["everywhere"]


def test_a_calendar_that_a_schedule_heeds_cannot_be_deleted(
    client_of: Signed, admin: User
) -> None:
    nights = make_calendar("daily 22:00-06:00", name="nights")
    schedule = make_schedule(admin, only_in=nights)
    client = client_of(admin)
    client.post(f"/tasks/calendars/{nights.pk}/delete/")
    assert Calendar.objects.filter(pk=nights.pk).exists()
    page = client.get(f"{nights.get_absolute_url()}?tab=times").content.decode()
    assert schedule.name in page
    assert "only in these times" in page


def test_lines_that_cannot_be_read_are_named_on_the_form(
    client_of: Signed, admin: User
) -> None:
    given = {"name": "n", "times": "mon-fri 22:00-06:00\nsome day", "time_zone": "UTC"}
    answer = client_of(admin).post("/tasks/calendars/add/", given)
    assert answer.status_code == 422
    assert "Line 2" in answer.context["form"].errors["times"][0]
    assert not Calendar.objects.exists()
