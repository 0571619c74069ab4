"""How much of a time something was up: counted from its changes of state, to the second; bars of days."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from monitor.models import CheckFlip, ServiceCheck, State
from monitor.watched_models import Watched

DAYS = 90
WINDOWS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
# How bad a day was is told by the worst share that is worth a colour.
GOOD_SHARE = 99.0


@dataclass(frozen=True)
class Span:
    """A state from one moment to another."""

    state: str
    start: datetime
    end: datetime


@dataclass
class Share:
    """Seconds by state."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def known(self) -> float:
        """Seconds of which it is known how it was: paused and unknown ones count for nobody."""
        return sum(
            self.seconds.get(s, 0.0) for s in (State.UP, State.DEGRADED, State.DOWN)
        )

    @property
    def percent(self) -> float | None:
        """Share of the known time that it was not down, in %; None where nothing is known."""
        known = self.known
        if not known:
            return None
        return 100 * (1 - self.seconds.get(State.DOWN, 0.0) / known)

    @property
    def state(self) -> str:
        """Colour of a day: ok, warning, danger, or idle where nothing is known."""
        percent = self.percent
        if percent is None:
            return "idle"
        if percent < GOOD_SHARE:
            return "danger"
        slow = self.seconds.get(State.DEGRADED, 0.0)
        return "ok" if percent == 100 and not slow else "warning"


def spans_of(
    watched: Watched, flips: Sequence[CheckFlip], start: datetime, end: datetime
) -> list[Span]:
    """Cut the time from `start` to `end` into spans of one state.

    Args:
        flips: its changes since `start`, oldest first.
    """
    begin = max(start, watched.known_from or start)
    spans, state = [], flips[0].old if flips else watched.state
    for flip in flips:
        moment = min(max(flip.at, begin), end)
        if moment > begin:
            spans.append(Span(state, begin, moment))
            begin = moment
        state = flip.new
    if end > begin:
        spans.append(Span(state, begin, end))
    return spans


def share_of(spans: Iterable[Span], start: datetime, end: datetime) -> Share:
    """Count the seconds of spans that lie between two moments."""
    share = Share()
    for span in spans:
        seconds = (min(span.end, end) - max(span.start, start)).total_seconds()
        if seconds > 0:
            share.seconds[span.state] += seconds
    return share


@dataclass(frozen=True)
class Bar:
    """One day."""

    day: Any
    share: Share


def bars_of(spans: Sequence[Span], now: datetime, days: int = DAYS) -> list[Bar]:
    """Give a bar for each of the last days, by UTC, oldest first; today is not over yet."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [today - timedelta(days=days - 1 - number) for number in range(days)]
    shares = [Share() for _start in starts]
    first = starts[0]
    for span in spans:
        begin = max(span.start, first)
        while begin < span.end:
            number = (begin - first).days
            end = min(span.end, first + timedelta(days=number + 1))
            if number < days:
                shares[number].seconds[span.state] += (end - begin).total_seconds()
            begin = end
    pairs = zip(starts, shares, strict=True)
    return [Bar(start.date(), share) for start, share in pairs]


def histories(
    watched: Iterable[Watched], now: datetime | None = None
) -> Mapping[Watched, list[Span]]:
    """Give the spans of the last 90 days of many checks or heartbeats of one kind, in one query."""
    rows = list(watched)
    end = now or timezone.now()
    start = end - timedelta(days=DAYS)
    found: dict[int, list[CheckFlip]] = defaultdict(list)
    if rows:
        of = "check_row" if isinstance(rows[0], ServiceCheck) else "heartbeat"
        flips = CheckFlip.objects.filter(
            **{f"{of}__in": [row.pk for row in rows]}, at__gte=start, at__lte=end
        )
        for flip in flips.order_by("at", "pk").defer("sentence"):
            found[getattr(flip, f"{of}_id")].append(flip)
    return {row: spans_of(row, found[row.pk], start, end) for row in rows}


def percentages(spans: Sequence[Span], now: datetime) -> dict[str, float | None]:
    """Give the share of each window ("24h", "7d", "30d", "90d") that it was not down, in %."""
    return {
        name: share_of(spans, now - timedelta(days=days), now).percent
        for name, days in WINDOWS.items()
    }
