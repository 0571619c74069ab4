"""When a schedule runs: each so many minutes, or by crontab as Celery reads it, in a time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from celery.schedules import ParseException, crontab
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
# Leap days come back within eight years.
DAYS_AHEAD = 8 * 366


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
                "problem": error,
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
class Plan:
    """`every_minutes`, counted from midnight of 1970-01-01 UTC, or a crontab in a time zone."""

    every_minutes: int | None
    crontab: str
    time_zone: str

    def words(self) -> str:
        """Say when, in words."""
        if self.every_minutes:
            count = self.every_minutes
            return ngettext("every minute", "every %(count)d minutes", count) % {
                "count": count
            }
        return f"{self.crontab} ({self.time_zone})"

    def upcoming(self, after: datetime, count: int) -> list[datetime]:
        """Give the next `count` times after a moment, in UTC; fewer where there are none."""
        if self.every_minutes:
            step = timedelta(minutes=self.every_minutes)
            return [self.latest(after) + step * (number + 1) for number in range(count)]
        found: list[datetime] = []
        for moment in self._moments(after, 1):
            if moment > after and len(found) < count:
                found.append(moment)
            if len(found) == count:
                break
        return found

    def latest(self, until: datetime) -> datetime:
        """Give the last planned time that is not later than a moment, in UTC."""
        if self.every_minutes:
            seconds = self.every_minutes * 60
            return datetime.fromtimestamp(until.timestamp() // seconds * seconds, UTC)
        past = (moment for moment in self._moments(until, -1) if moment <= until)
        return next(past, until.replace(second=0, microsecond=0))

    def _moments(self, start: datetime, direction: int) -> Iterator[datetime]:
        """Give planned times from the day of `start` on, forwards or backwards."""
        parsed, zone = parse_crontab(self.crontab), ZoneInfo(self.time_zone)
        first = start.astimezone(zone).date()
        clock = [
            time(hour, minute)
            for hour in sorted(parsed.hour)
            for minute in sorted(parsed.minute)
        ]
        for number in range(DAYS_AHEAD):
            day = first + timedelta(days=number * direction)
            weekday = day.isoweekday() % 7
            if (
                day.month not in parsed.month_of_year
                or day.day not in parsed.day_of_month
                or weekday not in parsed.day_of_week
            ):
                continue
            for at in clock[::direction]:
                moment = datetime.combine(day, at, zone).astimezone(UTC)
                # An hour that the change to summer time leaves out does not come.
                if moment.astimezone(zone).time() == at:
                    yield moment
