"""When a schedule runs: each so many minutes, by crontab in a time zone, or once; from a day on, until a day."""

from bisect import bisect_right
from calendar import day_name, month_name
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from celery.schedules import ParseException, crontab
from cron_descriptor import Options, get_description
from django.core.exceptions import ValidationError
from django.utils import formats, timezone
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
# Leap days come back within eight years.
DAYS_AHEAD = 8 * 366
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
JUST_BEFORE = timedelta(microseconds=1)
HOURS = 24


def parse_crontab(text: str) -> crontab:
    """Read the five fields of a crontab line.

    Raises:
        ValueError: a sentence that names the field.
    """
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise ValueError(
            _(
                "A crontab has five fields, this one has %(count)s: minute, hour, day, month, weekday."
            )
            % {"count": len(parts)}
        )
    for name, part in zip(FIELDS, parts, strict=True):
        try:
            crontab(**{name: part})
        except (ParseException, ValueError, KeyError, ZeroDivisionError) as error:
            words = {
                "field": name.replace("_", " "),
                "part": part[:40],
                "problem": str(error).rstrip("."),
            }
            raise ValueError(
                _("The field %(field)s cannot be %(part)s: %(problem)s.") % words
            ) from error
    return crontab(**dict(zip(FIELDS, parts, strict=True)))


def check_crontab(text: str) -> None:
    """Accept a crontab that comes true some day, else raise ValidationError with a sentence."""
    try:
        parse_crontab(text)
    except ValueError as error:
        raise ValidationError(str(error)) from error


@dataclass(frozen=True)
class Clock:
    """A crontab as days and as minutes of a day. `flows`: it names every hour, so that an hour that comes twice counts twice."""

    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    minutes: tuple[int, ...]
    flows: bool

    def has(self, day: date) -> bool:
        """Say whether it runs on a day."""
        return (
            day.month in self.months
            and day.day in self.days
            and day.isoweekday() % 7 in self.weekdays
        )


@lru_cache(maxsize=2048)
def _clock_of(text: str) -> Clock:
    read = parse_crontab(text)
    minutes = sorted(hour * 60 + minute for hour in read.hour for minute in read.minute)
    return Clock(
        frozenset(read.day_of_month),
        frozenset(read.month_of_year),
        frozenset(read.day_of_week),
        tuple(minutes),
        len(read.hour) == HOURS,
    )


@lru_cache(maxsize=512)
def _changing_day(text: str, zone_name: str, day: date) -> tuple[datetime, ...]:
    """Give the planned times, in UTC, of a day on which the clock changes.

    What the change leaves out does not come. What comes twice counts once, the first time, for a crontab that names its
    hours; one that runs in every hour goes on through both.
    """
    clock, zone = _clock_of(text), ZoneInfo(zone_name)
    found = set()
    for minute in clock.minutes:
        local = datetime.combine(day, time(*divmod(minute, 60)))
        for fold in (0, 1) if clock.flows else (0,):
            moment = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            if moment.astimezone(zone).replace(tzinfo=None) == local:
                found.add(moment)
    return tuple(sorted(found))


def _midnight(day: date, zone: ZoneInfo) -> timedelta:
    return datetime.combine(day, time(), zone).utcoffset() or timedelta()


def _crontab_times(
    text: str, zone_name: str, start: datetime, direction: int
) -> Iterator[datetime]:
    """Give planned times after `start`, earliest first, or (direction -1) up to and with it, latest first."""
    clock, zone = _clock_of(text), ZoneInfo(zone_name)
    first = start.astimezone(zone).date()
    for number in range(DAYS_AHEAD):
        day = first + DAY * number * direction
        if not clock.has(day):
            continue
        offset = _midnight(day, zone)
        if offset != _midnight(day + DAY, zone):
            times = _changing_day(text, zone_name, day)
            index = bisect_right(times, start)
            yield from times[index:] if direction > 0 else reversed(times[:index])
            continue
        base = datetime.combine(day, time(), UTC) - offset
        index = bisect_right(clock.minutes, (start - base) / MINUTE)
        chosen = (
            clock.minutes[index:] if direction > 0 else reversed(clock.minutes[:index])
        )
        yield from (base + MINUTE * minute for minute in chosen)


def _interval_times(
    minutes: int, start: datetime, direction: int
) -> Iterator[datetime]:
    """Give the same for an interval, which is counted from midnight of 1970-01-01 UTC."""
    seconds = minutes * 60
    last = datetime.fromtimestamp(start.timestamp() // seconds * seconds, UTC)
    step = timedelta(seconds=seconds) * direction
    moment = last + step if direction > 0 else last
    while True:
        yield moment
        moment += step


@dataclass(frozen=True)
class Plan:
    """One of `every_minutes`, a crontab in a time zone, and `once_at`; between two moments where they are given."""

    every_minutes: int | None
    crontab: str
    time_zone: str
    once_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def words(self) -> str:
        """Say when, in words."""
        if self.once_at:
            local = timezone.localtime(self.once_at, ZoneInfo(self.time_zone))
            moment = formats.date_format(local, "DATETIME_FORMAT")
            return _("once: %(time)s (%(zone)s)") % {
                "time": moment,
                "zone": self.time_zone,
            }
        if self.every_minutes:
            count = self.every_minutes
            return ngettext("every minute", "every %(count)d minutes", count) % {
                "count": count
            }
        return f"{spoken(self.crontab, get_language() or 'en')} ({self.time_zone})"

    def upcoming(self, after: datetime, count: int) -> list[datetime]:
        """Give the next `count` times after a moment, in UTC; fewer where there are none."""
        return list(islice(self._forwards(after), count))

    def between(self, after: datetime, until: datetime, most: int) -> list[datetime]:
        """Give the planned times later than `after` and up to `until`, oldest first; of too many the newest `most`."""
        found: list[datetime] = []
        for moment in self._backwards(until):
            if moment <= after or len(found) == most:
                break
            found.append(moment)
        return found[::-1]

    def latest(self, until: datetime) -> datetime | None:
        """Give the last planned time that is not later than a moment, in UTC."""
        return next(self._backwards(until), None)

    def _forwards(self, after: datetime) -> Iterator[datetime]:
        if self.starts_at:
            after = max(after, self.starts_at - JUST_BEFORE)
        for moment in self._times(after, 1):
            if self.ends_at and moment > self.ends_at:
                return
            yield moment

    def _backwards(self, until: datetime) -> Iterator[datetime]:
        until = min(until, self.ends_at) if self.ends_at else until
        for moment in self._times(until, -1):
            if self.starts_at and moment < self.starts_at:
                return
            yield moment

    def _times(self, start: datetime, direction: int) -> Iterator[datetime]:
        if self.once_at:
            wanted = self.once_at > start if direction > 0 else self.once_at <= start
            return iter([self.once_at.astimezone(UTC)] if wanted else [])
        if self.every_minutes:
            return _interval_times(self.every_minutes, start, direction)
        return _crontab_times(self.crontab, self.time_zone, start, direction)


@lru_cache(maxsize=2048)
def spoken(text: str, language: str) -> str:
    """Say a crontab in words ("At 02:30, Monday through Friday"); as it stands where there are none for it."""
    options = Options()
    options.use_24hour_time_format = True
    options.locale_code = "zh_CN" if language.startswith("zh") else "en_US"
    try:
        words = str(get_description(text, options))
    except Exception:  # noqa: BLE001 - the words are an extra: the crontab itself has been checked
        return text
    # These it leaves in English in every language.
    names = dict(zip(day_name, WEEKDAYS.values(), strict=True))
    names |= dict(zip(month_name[1:], MONTHS.values(), strict=True))
    for name, translated in names.items():
        words = words.replace(name, str(translated))
    return words
