"""Which stretch of time a page shows: a range that ends now, or two moments of its own, both from the address."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

DAY = 86400
RANGES = {
    "15m": 900,
    "1h": 3600,
    "3h": 3 * 3600,
    "6h": 6 * 3600,
    "12h": 12 * 3600,
    "24h": DAY,
    "3d": 3 * DAY,
    "7d": 7 * DAY,
    "30d": 30 * DAY,
    "90d": 90 * DAY,
    "1y": 365 * DAY,
    "2y": 730 * DAY,
}
TITLES = {
    "15m": _("15 minutes"),
    "1h": _("1 hour"),
    "3h": _("3 hours"),
    "6h": _("6 hours"),
    "12h": _("12 hours"),
    "24h": _("24 hours"),
    "3d": _("3 days"),
    "7d": _("7 days"),
    "30d": _("30 days"),
    "90d": _("90 days"),
    "1y": _("1 year"),
    "2y": _("2 years"),
}
DEFAULT = "1h"
# As the ends of a range of one's own stand in a box of the page, in the reader's zone.
BOX = "%Y-%m-%dT%H:%M"
LONGEST = 731 * DAY
LEAST_REFRESH, MOST_REFRESH = 15, 300


@dataclass(frozen=True)
class Span:
    """A stretch of time that a page shows.

    Attributes:
        key: name of the range; "" for one of the reader's own.
        start, end: Unix seconds.
    """

    key: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start

    @property
    def refresh(self) -> int:
        """After how many seconds the page asks again; 0 for a stretch that is over."""
        if not self.key:
            return 0
        return round(min(max(self.seconds / 300, LEAST_REFRESH), MOST_REFRESH))

    @property
    def query(self) -> str:
        """The stretch as it stands in an address."""
        if self.key:
            return urlencode({"range": self.key})
        return urlencode({"from": round(self.start), "to": round(self.end)})

    @property
    def boxes(self) -> dict[str, str]:
        """Both ends as the page's boxes show them."""
        ends = {"from": self.start, "to": self.end}
        return {
            name: timezone.localtime(datetime.fromtimestamp(moment, UTC)).strftime(BOX)
            for name, moment in ends.items()
        }


def span_of(asked: Mapping[str, Any], default: str = DEFAULT) -> Span:
    """Read `range`, or `from` and `to`, of an address; what makes no sense there gives the usual range.

    Args:
        asked: the query: from and to are Unix seconds, or a day and a time (in the reader's zone where it names none).
        default: the usual range.
    """
    now = time.time()
    start = _moment(str(asked.get("from", "")))
    if start is not None:
        end = min(_moment(str(asked.get("to", ""))) or now, now)
        if 0 < end - start <= LONGEST:
            return Span("", start, end)
    key = str(asked.get("range", ""))
    key = key if key in RANGES else default
    return Span(key, now - RANGES[key], now)


def choices(chosen: Span) -> list[dict[str, Any]]:
    """Give the ranges to choose from: {key, title, active}."""
    return [
        {"key": key, "title": TITLES[key], "active": key == chosen.key}
        for key in RANGES
    ]


def _moment(text: str) -> float | None:
    if text.isascii() and text.isdecimal() and len(text) <= 11:
        return float(text)
    try:
        found = parse_datetime(text[:40])
        if found is None:
            return None
        if timezone.is_naive(found):
            found = timezone.make_aware(found)
        return found.timestamp()
    except (ValueError, OverflowError):
        return None
