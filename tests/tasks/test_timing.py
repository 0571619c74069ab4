"""When schedules run: crontab and intervals, zones, daylight saving, sentences for what cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from tasks.checks import check_playbook
from tasks.timing import Plan, check_crontab


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def iso(times: list[datetime]) -> list[str]:
    return [f"{time:%m-%d %H:%M}" for time in times]


def test_an_interval_stands_on_a_grid() -> None:
    plan = Plan(15, "", "UTC")
    assert plan.latest(at("2026-11-21 10:07:30")) == at("2026-11-21 10:00")
    assert iso(plan.upcoming(at("2026-11-21 10:07"), 3)) == [
        "11-21 10:15",
        "11-21 10:30",
        "11-21 10:45",
    ]
    assert plan.words() == "every 15 minutes"


def test_a_crontab_is_read_in_its_zone() -> None:
    plan = Plan(None, "30 2 * * 1-5", "Asia/Shanghai")
    assert iso(plan.upcoming(at("2026-11-20 12:00"), 3)) == [
        "11-22 18:30",
        "11-23 18:30",
        "11-24 18:30",
    ]
    assert plan.latest(at("2026-11-22 18:30:59")) == at("2026-11-22 18:30")
    assert plan.latest(at("2026-11-22 18:29:59")) == at("2026-11-19 18:30")


def clock(text: str, zone: str, after: str, count: int) -> list[str]:
    """Give the next times by the clock of the zone, with its offset."""
    times = Plan(None, text, zone).upcoming(at(after), count)
    return [f"{time.astimezone(ZoneInfo(zone)):%d %H:%M %z}" for time in times]


@pytest.mark.parametrize(
    ("zone", "night", "before", "missing", "after"),
    [
        ("Europe/Berlin", "2026-03-28 12:00", "+0100", "30 2 * * *", "30 02:30 +0200"),
        (
            "America/New_York",
            "2026-03-07 12:00",
            "-0500",
            "30 2 * * *",
            "09 02:30 -0400",
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-03 00:00",
            "+1030",
            "15 2 * * *",
            "05 02:15 +1100",
        ),
    ],
)
def test_a_time_that_the_night_leaves_out_does_not_come(
    zone: str, night: str, before: str, missing: str, after: str
) -> None:
    assert clock(missing, zone, night, 1) == [after]
    hours = clock("0 * * * *", zone, night, 24)
    moments = Plan(None, "0 * * * *", zone).upcoming(at(night), 24)
    assert len(set(hours)) == 24
    assert all(later > sooner for sooner, later in pairwise(moments))
    assert any(hour.endswith(before) for hour in hours)


def test_a_time_that_comes_twice_runs_once() -> None:
    berlin = clock("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", 2)
    assert berlin == ["25 02:30 +0200", "26 02:30 +0100"]
    york = clock("30 1 * * *", "America/New_York", "2026-10-31 12:00", 2)
    assert york == ["01 01:30 -0400", "02 01:30 -0500"]
    howe = clock("45 1 * * *", "Australia/Lord_Howe", "2026-04-04 00:00", 2)
    assert howe == ["05 01:45 +1100", "06 01:45 +1030"]


def test_what_runs_in_every_hour_goes_on_through_the_doubled_hour() -> None:
    berlin = clock("*/30 * * * *", "Europe/Berlin", "2026-10-24 23:45", 7)
    assert berlin == [
        "25 02:00 +0200",
        "25 02:30 +0200",
        "25 02:00 +0100",
        "25 02:30 +0100",
        "25 03:00 +0100",
        "25 03:30 +0100",
        "25 04:00 +0100",
    ]
    howe = clock("*/15 * * * *", "Australia/Lord_Howe", "2026-04-04 14:25", 6)
    assert howe == [
        "05 01:30 +1100",
        "05 01:45 +1100",
        "05 01:30 +1030",
        "05 01:45 +1030",
        "05 02:00 +1030",
        "05 02:15 +1030",
    ]


@pytest.mark.parametrize("text", ["30 2 * * *", "*/20 * * * *", "15 */6 * * 1-5"])
@pytest.mark.parametrize(
    "zone",
    ["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"],
)
def test_looking_back_finds_what_looking_ahead_did(zone: str, text: str) -> None:
    plan, first = Plan(None, text, zone), at("2026-03-01 00:00")
    ahead = plan.upcoming(first, 20_000)
    ahead = [time for time in ahead if time < at("2026-11-30 00:00")]
    back = plan.between(first, at("2026-11-30 00:00") - timedelta(seconds=1), 20_000)
    assert back == ahead
    assert all(plan.latest(time) == time for time in ahead[:50])


def test_shanghai_has_no_such_nights() -> None:
    times = Plan(None, "30 2 * * *", "Asia/Shanghai").upcoming(
        at("2026-01-01 00:00"), 365
    )
    steps = {later - sooner for sooner, later in pairwise(times)}
    assert steps == {timedelta(days=1)}


def test_once_comes_once() -> None:
    moment = at("2026-11-21 10:00")
    plan = Plan(None, "", "UTC", once_at=moment)
    assert plan.upcoming(moment - timedelta(days=1), 5) == [moment]
    assert plan.upcoming(moment, 5) == []
    assert plan.latest(moment) == moment
    assert plan.latest(moment - timedelta(seconds=1)) is None
    assert plan.words().startswith("once: ")


def test_nothing_comes_before_the_start_or_after_the_end() -> None:
    bounds = {
        "starts_at": at("2026-11-21 10:00"),
        "ends_at": at("2026-11-21 12:00"),
    }
    for plan in (
        Plan(60, "", "UTC", **bounds),
        Plan(None, "0 * * * *", "UTC", **bounds),
    ):
        found = plan.upcoming(at("2026-11-01 00:00"), 9)
        assert iso(found) == ["11-21 10:00", "11-21 11:00", "11-21 12:00"]
        assert plan.latest(at("2027-01-01 00:00")) == at("2026-11-21 12:00")
        assert plan.latest(at("2026-11-21 09:59")) is None


def test_of_too_many_times_the_newest_are_given() -> None:
    plan = Plan(1, "", "UTC")
    found = plan.between(at("2026-11-20 00:00"), at("2026-11-21 00:00"), 3)
    assert iso(found) == ["11-20 23:58", "11-20 23:59", "11-21 00:00"]


def test_a_crontab_is_said_in_words() -> None:
    plan = Plan(None, "30 2 * * 1-5", "Asia/Shanghai")
    assert plan.words() == "At 02:30, Monday through Friday (Asia/Shanghai)"
    with translation.override("zh-hans"):
        assert "02:30" in plan.words()
        assert "星期一" in plan.words()
        assert "Monday" not in plan.words()


def test_a_leap_day_is_found() -> None:
    assert iso(Plan(None, "0 0 29 2 *", "UTC").upcoming(at("2026-01-01 00:00"), 1)) == [
        "02-29 00:00"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("* * * *", "has 4"),
        ("61 * * * *", "minute"),
        ("* 25 * * *", "hour"),
        ("* * 0 * *", "day of month"),
        ("* * * 13 *", "month of year"),
        ("* * * * noday", "day of week"),
        ("*/0 * * * *", "minute"),
        ("0 0 31 2 *", "never occurs"),
    ],
)
def test_a_crontab_that_cannot_be_says_which_field(text: str, said: str) -> None:
    with pytest.raises(ValidationError) as error:
        check_crontab(text)
    assert said in error.value.messages[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- hosts: all\n  tasks:\n  - name: x\n   bad: y", "Line 4"),
        ("hosts: all", "list of plays"),
        ("", "list of plays"),
        ("- tasks: []", "Play 1 has no `hosts:`"),
        ("- hosts: all\n\ta: b", "Line 2"),
        ("[" * 5000, "not YAML"),
        ("x" * 300_000, "256 KiB"),
    ],
)
def test_a_playbook_that_is_none_says_where(text: str, said: str) -> None:
    with pytest.raises(ValidationError) as error:
        check_playbook(text)
    assert said in error.value.messages[0]


def test_a_playbook_may_use_ansibles_tags() -> None:
    text = "- hosts: all\n  vars:\n    secret: !vault |\n      $ANSIBLE_VAULT;1.1\n    raw: !unsafe '{{ x }}'"
    check_playbook(text)
    with pytest.raises(ValidationError):
        check_playbook(text.replace("- hosts", "hosts"))
