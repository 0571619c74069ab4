"""A month of what expires, as the weeks of a calendar."""

import calendar
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from django.utils import formats
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR

from cmdb.expiry import BY_KEY, Asked, End, by_day, on_days

# A day with more ends says how many there are of each kind; one with fewer says their names.
NAMED = 3
YEARS = range(1990, 2200)
MONTH = re.compile(r"\A(\d{4})-(\d{2})\Z", re.ASCII)


@dataclass
class Day:
    """A square of the calendar.

    Attributes:
        ends: all of them, where they are few; kinds: else (key, label, number) of each kind.
    """

    day: date
    inside: bool
    today: bool
    total: int = 0
    ends: list[End] = field(default_factory=list)
    kinds: list[tuple[str, Any, int]] = field(default_factory=list)


@dataclass
class Month:
    """The weeks of a month, and its neighbours as "2026-03"."""

    first: date
    weeks: list[list[Day]]
    weekdays: list[tuple[str, str]]
    before: str
    after: str
    total: int


def read_month(text: str, today: date) -> date:
    """Give the first day of a month written as "2026-03"; of this month when it is no such month."""
    found = MONTH.match(text)
    year, month = (int(part) for part in found.groups()) if found else (0, 0)
    if year in YEARS and 1 <= month <= 12:
        return date(year, month, 1)
    return today.replace(day=1)


def month_of(user: Any, asked: Asked, first: date) -> Month:
    """Give a month with what ends on its days, as far as the user may see it."""
    monday_based = (int(formats.get_format("FIRST_DAY_OF_WEEK")) - 1) % 7
    weeks = calendar.Calendar(monday_based).monthdatescalendar(first.year, first.month)
    asked = replace(asked, first=weeks[0][0], last=weeks[-1][-1])
    counts = by_day(user, asked)
    few = [day for day, kinds in counts.items() if kinds.total() <= NAMED]
    named = on_days(user, asked, few)
    drawn = [[_day(day, first, asked, counts, named) for day in week] for week in weeks]
    order = [(monday_based + number) % 7 for number in range(7)]
    after = (first + timedelta(days=32)).replace(day=1)
    return Month(
        first,
        drawn,
        [(str(WEEKDAYS[n]), str(WEEKDAYS_ABBR[n])) for n in order],
        f"{first - timedelta(days=1):%Y-%m}",
        f"{after:%Y-%m}",
        sum(day.total for week in drawn for day in week if day.inside),
    )


def _day(
    day: date,
    first: date,
    asked: Asked,
    counts: dict[date, Counter[str]],
    named: dict[date, list[End]],
) -> Day:
    kinds = counts.get(day, Counter())
    found = named.get(day, [])
    return Day(
        day,
        inside=day.month == first.month,
        today=day == asked.today,
        total=kinds.total(),
        ends=found,
        kinds=[]
        if found
        else [
            (key, BY_KEY[key].label, number) for key, number in sorted(kinds.items())
        ],
    )
