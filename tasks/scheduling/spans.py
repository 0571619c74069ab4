"""Reads the times of a calendar, a line each: `mon-fri 22:00-06:00`, `2026-12-24 .. 2027-01-02`, `*-12-25 # Christmas`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_LINES = 500
# How far a moment is looked for at which a calendar opens.
DAYS_AHEAD = 400
DAY = timedelta(days=1)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\s+(\d{1,2}:\d{2}))?")
_YEARLY = re.compile(r"\*-(\d{2})-(\d{2})")


@dataclass(frozen=True)
class Weekly:
    """The same hours on some days of the week; hours that end before they begin end on the next day."""

    weekdays: frozenset[int]
    begins: timedelta
    lasts: timedelta
    note: str

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """Give the span that begins on a day."""
        if day.weekday() not in self.weekdays:
            return None
        begin = datetime.combine(day, time()) + self.begins
        return begin, begin + self.lasts


@dataclass(frozen=True)
class Yearly:
    """One day of each year."""

    month: int
    day: int
    note: str

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """Give the span that begins on a day."""
        if (day.month, day.day) != (self.month, self.day):
            return None
        begin = datetime.combine(day, time())
        return begin, begin + DAY


@dataclass(frozen=True)
class Once:
    """From one moment to another."""

    begin: datetime
    end: datetime
    note: str

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """Give the span: it may have begun long before the day."""
        inside = self.begin.date() <= day <= self.end.date()
        return (self.begin, self.end) if inside else None


Span = Weekly | Yearly | Once


@dataclass(frozen=True)
class Spans:
    """The times of a calendar, by the clock of its zone."""

    spans: tuple[Span, ...]
    zone: ZoneInfo

    def note_at(self, moment: datetime) -> str | None:
        """Give the note of the span in which a moment lies ("" for one without); None outside."""
        local = moment.astimezone(self.zone).replace(tzinfo=None)
        for span in self.spans:
            # One that began yesterday may reach into today.
            for day in (local.date() - DAY, local.date()):
                found = span.on(day)
                if found and found[0] <= local < found[1]:
                    return span.note
        return None

    def edges(self, after: datetime) -> Iterator[datetime]:
        """Give the moments, in UTC and in order, at which a span begins or ends, for about a year."""
        first = after.astimezone(self.zone).date()
        days = [first + DAY * number for number in range(-1, DAYS_AHEAD)]
        for day, following in pairwise(days):
            local = {
                edge
                for span in self.spans
                for each in (day - DAY, day)
                for edge in span.on(each) or ()
                if day <= edge.date() < following
            }
            both = {_utc(edge, self.zone, fold) for edge in local for fold in (0, 1)}
            yield from (edge for edge in sorted(both) if edge > after)


def _utc(local: datetime, zone: ZoneInfo, fold: int) -> datetime:
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


@lru_cache(maxsize=256)
def read_spans(text: str, zone_name: str) -> Spans:
    """Read the lines of a calendar.

    Raises:
        ValidationError: names the line that cannot be read.
    """
    found: list[Span] = []
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        words = _("A calendar has at most %(most)s lines.") % {"most": MOST_LINES}
        raise ValidationError(words)
    for number, line in enumerate(lines, 1):
        said, _hash, note = (part.strip() for part in line.partition("#"))
        if not said:
            continue
        try:
            found.append(_read(said.lower(), note[:200]))
        except ValueError as error:
            words = _("Line %(line)s cannot be read: %(problem)s") % {
                "line": number,
                "problem": error,
            }
            raise ValidationError(words) from error
    return Spans(tuple(found), ZoneInfo(zone_name))


def check_spans(text: str) -> None:
    """Accept lines of a calendar with at least one time, else raise ValidationError with the line."""
    if not read_spans(text, "UTC").spans:
        raise ValidationError(_("Give at least one line, such as mon-fri 22:00-06:00."))


def _read(said: str, note: str) -> Span:
    if yearly := _YEARLY.fullmatch(said):
        month, day = int(yearly[1]), int(yearly[2])
        date(2024, month, day)
        return Yearly(month, day, note)
    if said[:1].isdecimal():
        return _once(said, note)
    days, _space, hours = said.partition(" ")
    begins, lasts = _hours(hours.strip()) if hours.strip() else (timedelta(), DAY)
    return Weekly(_weekdays(days), begins, lasts, note)


def _once(said: str, note: str) -> Once:
    first, _dots, last = (part.strip() for part in said.partition(".."))
    begin, _whole = _moment(first)
    end, whole = _moment(last or first)
    end += DAY if whole else timedelta()
    if end <= begin:
        raise ValueError(_("it ends before it begins."))
    return Once(begin, end, note)


def _moment(text: str) -> tuple[datetime, bool]:
    """Read a day with or without a clock; say whether it is the whole day."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(_("write a day as 2026-12-24, or 2026-12-24 18:00."))
    begin = datetime.combine(date.fromisoformat(found[1]), time())
    return begin + (_clock(found[2]) if found[2] else timedelta()), not found[2]


def _hours(text: str) -> tuple[timedelta, timedelta]:
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not dash:
        raise ValueError(_("write hours as 22:00-06:00."))
    begins, ends = _clock(first), _clock(last)
    lasts = ends - begins
    return begins, lasts if lasts > timedelta() else lasts + DAY


def _clock(text: str) -> timedelta:
    found = _CLOCK.fullmatch(text)
    if found is None or int(found[2]) > 59 or int(found[1]) * 60 + int(found[2]) > 1440:
        raise ValueError(_("write a time as 22:00."))
    return timedelta(hours=int(found[1]), minutes=int(found[2]))


def _weekdays(text: str) -> frozenset[int]:
    if text in {"daily", "*"}:
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin = _weekday(first)
        end = _weekday(last) if dash else begin
        found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return frozenset(found)


def _weekday(text: str) -> int:
    if text[:3] not in WEEKDAYS or len(text) > 9:
        raise ValueError(
            _("write days as mon-fri, sat,sun or daily, or a date as 2026-12-24.")
        )
    return WEEKDAYS.index(text[:3])
