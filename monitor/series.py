"""What is measured, what is asked and what is drawn, as types: pure, no store, no Django."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Names = tuple[str, ...]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WIDTHS = (
    *(1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600),
    *(7200, 10800, 14400, 21600, 43200, 86400, 172800, 604800, 2592000),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """All values of one host at one moment.

    Attributes:
        time: Unix seconds; identity counts whole milliseconds.
        values: "<metric>" or "<metric>|<instance>" -> finite number, in the metric's unit.
    """

    time: float
    values: Mapping[str, float]

    @property
    def milliseconds(self) -> int:
        """The moment as identity sees it."""
        return round(self.time * 1000)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """What is known of one metric of one host, as columns of equal length, ascending in time.

    Attributes:
        times: Unix seconds: of the reading, or of the start of a slot.
        sums, lows, highs: of the readings behind each.
        counts: how many those are, never 0.
    """

    times: Floats
    sums: Floats
    lows: Floats
    highs: Floats
    counts: Ints

    def inside(self, start: float, end: float) -> "Points":
        """Give those in a range, `end` exclusive."""
        first, last = np.searchsorted(self.times, [start, end])
        cut = slice(int(first), int(last))
        columns: tuple[Any, ...] = tuple(column[cut] for column in _columns(self))
        return Points(*columns)

    def widened(self, width: float) -> "Points":
        """Give buckets of `width` seconds."""
        if not len(self.times):
            return self
        starts = self.times // width * width
        heads = np.flatnonzero(np.diff(starts, prepend=starts[0] - 1))
        return Points(
            starts[heads],
            np.add.reduceat(self.sums, heads),
            np.minimum.reduceat(self.lows, heads),
            np.maximum.reduceat(self.highs, heads),
            np.add.reduceat(self.counts, heads),
        )

    @property
    def average(self) -> Floats:
        """Mean of each; rounding never lifts it above the highest reading."""
        return np.clip(self.sums / self.counts, self.lows, self.highs)


def _columns(points: Points) -> tuple[Any, ...]:
    return points.times, points.sums, points.lows, points.highs, points.counts


def join_points(parts: Sequence[Points]) -> Points:
    """Join parts in any order; of the same moment the one with more readings stays, the last part's in a tie."""
    there = [part for part in parts if len(part.times)] or parts[:1]
    if len(there) == 1:
        return there[0]
    joined = [np.concatenate(c) for c in zip(*map(_columns, there), strict=True)]
    times, counts = joined[0], joined[4]
    if (times[1:] > times[:-1]).all():
        return Points(*joined)
    order = np.lexsort((np.arange(len(times)), counts, times))
    # The last of equal times is the fullest.
    keep = order[np.append(np.diff(times[order]) != 0, True)]
    columns: tuple[Any, ...] = tuple(column[keep] for column in joined)
    return Points(*columns)


@dataclass(slots=True)
class Series:
    """One chart line; each list is as long as the set's `times`, None where nothing was measured."""

    average: list[float | None] = field(default_factory=list)
    low: list[float | None] = field(default_factory=list)
    high: list[float | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SeriesSet:
    """Chart lines on a shared time axis.

    Attributes:
        start, end: the range asked for, Unix seconds; `end` is exclusive.
        resolution: seconds a point stands for.
        rolled_up: True where points come from a tier of averages, False from single samples.
        times: Unix seconds, ascending: the start of each point's bucket.
        series: metric name -> line.
        coverage: share of the expected measurements that are there, 0.0 to 1.0.
        newest: Unix seconds of the host's newest sample at all, None if it never sent one.
        tier: name of the tier that they come from.
    """

    start: float
    end: float
    resolution: float
    rolled_up: bool
    times: list[float]
    series: dict[str, Series]
    coverage: float
    newest: float | None
    tier: str = "raw"


@dataclass(frozen=True, slots=True)
class Window:
    """What a chart asks for: Unix seconds, points at most, seconds between samples, the clock."""

    start: float
    end: float
    max_points: int
    sample_seconds: float
    now: float

    @property
    def elapsed(self) -> float:
        """Seconds of the window that have passed."""
        return max(min(self.end, self.now) - self.start, 0.0)


class Selection:
    """Answers which metrics a chart wants.

    Args:
        patterns: exact names, or prefixes that end in "*" ("cpu.*", "fs.used_percent|*").
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        self._exact = frozenset(self.patterns)
        self._prefixes = tuple(n[:-1] for n in self.patterns if n.endswith("*"))
        self._known: dict[Names, list[tuple[int, str]]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._exact or name.startswith(self._prefixes)

    def positions(self, names: Names) -> list[tuple[int, str]]:
        """Give (index, name) of the wanted ones; remembered, as documents share their names."""
        found = self._known.get(names)
        if found is None:
            found = [(i, name) for i, name in enumerate(names) if name in self]
            self._known[names] = found
        return found

    def families(self) -> list[str] | None:
        """Give the families of metrics that are wanted; None: of any."""
        if not all("." in pattern for pattern in self.patterns):
            return None
        return sorted({pattern.partition(".")[0] for pattern in self.patterns})


def width_for(span: float, max_points: int, smallest: float = 1) -> float:
    """Choose a bucket width in seconds: round to the eye, few enough buckets.

    Args:
        span: seconds to cover.
        max_points: buckets at most, one of them lost to alignment.
        smallest: the width is a multiple of this many seconds.
    """
    wanted = span / max(max_points - 1, 1)
    fits = (w for w in WIDTHS if w >= wanted and w % smallest == 0)
    return next(fits, -(-wanted // WIDTHS[-1]) * WIDTHS[-1])
