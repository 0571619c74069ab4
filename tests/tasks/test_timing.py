"""When schedules run: crontab and intervals, zones, daylight saving, sentences for what cannot be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

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


def test_daylight_saving_neither_doubles_nor_invents_a_time() -> None:
    spring = Plan(None, "30 2 * * *", "Europe/Berlin")
    assert iso(spring.upcoming(at("2026-03-28 00:00"), 2)) == [
        "03-28 01:30",
        "03-30 00:30",
    ]
    autumn = iso(spring.upcoming(at("2026-10-24 12:00"), 2))
    assert autumn == ["10-25 00:30", "10-26 01:30"]


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
