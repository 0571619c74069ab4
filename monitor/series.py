"""Turns measured rows into chart lines: pure, no store, no Django."""

import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# A sample may come this many intervals late before the line is broken.
GAP_FACTOR = 2.5
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


@dataclass(frozen=True, slots=True)
class Row:
    """A stored measurement; `values` follow `names`.

    A raw row leaves `low`, `high` and `counts` empty: its values are single readings.
    """

    time: float
    names: tuple[str, ...]
    values: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    counts: Sequence[int] = ()


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
        rolled_up: True where points come from 5-minute averages, False from single samples.
        times: Unix seconds, ascending: the start of each point's bucket.
        series: metric name -> line.
        coverage: share of the expected measurements that are there, 0.0 to 1.0.
        newest: Unix seconds of the host's newest sample at all, None if it never sent one.
    """

    start: float
    end: float
    resolution: float
    rolled_up: bool
    times: list[float]
    series: dict[str, Series]
    coverage: float
    newest: float | None


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

    def holds(self, time: float) -> bool:
        """Whether a moment lies inside."""
        return self.start <= time < self.end


class Selection:
    """Answers which metrics a chart wants.

    Args:
        patterns: exact names, or prefixes that end in "*" ("cpu.*", "fs.used_percent|*").
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        wanted = tuple(patterns)
        self._exact = frozenset(wanted)
        self._prefixes = tuple(name[:-1] for name in wanted if name.endswith("*"))
        self._known: dict[tuple[str, ...], list[tuple[int, str]]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._exact or name.startswith(self._prefixes)

    def positions(self, names: tuple[str, ...]) -> list[tuple[int, str]]:
        """Give (index, name) of the wanted ones; remembered, as rows share their names."""
        found = self._known.get(names)
        if found is None:
            found = [(i, name) for i, name in enumerate(names) if name in self]
            self._known[names] = found
        return found


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


def typical_interval(times: Sequence[float], sample_seconds: float) -> float:
    """Say how far apart samples are meant to be, in seconds, never less than configured."""
    steps = [b - a for a, b in itertools.pairwise(times)]
    return max(sample_seconds, statistics.median(steps) if steps else 0.0)


def with_gaps(times: Sequence[float], threshold: float, step: float) -> list[float]:
    """Insert one empty moment `step` seconds into each hole wider than `threshold` seconds."""
    out = list(times[:1])
    for before, after in itertools.pairwise(times):
        if after - before > threshold:
            out.append(before + step)
        out.append(after)
    return out


def from_samples(
    rows: Sequence[Row], window: Window, selection: Selection, newest: float | None
) -> SeriesSet:
    """Draw raw samples as they are, or in buckets if they are too many.

    Args:
        rows: raw rows of one host, in any order.
    """
    inside = sorted((r for r in rows if window.holds(r.time)), key=lambda r: r.time)
    moments = [row.time for row in inside]
    interval = typical_interval(moments, window.sample_seconds)
    times = with_gaps(moments, GAP_FACTOR * interval, interval)
    width = 0.0
    if len(times) > window.max_points:
        width = width_for(window.end - window.start, window.max_points)
    cells = _gather(inside, selection, width)
    if width:
        # A bucket start lies up to one width before its sample.
        threshold = max(1.5 * width, GAP_FACTOR * interval + width)
        filled = sorted({_bucket(time, width) for time in moments})
        times = with_gaps(filled, threshold, max(width, interval))
    coverage = _share(len(moments) * interval, window)
    return SeriesSet(
        start=window.start,
        end=window.end,
        resolution=width or interval,
        rolled_up=False,
        times=times,
        series=_lines(cells, times),
        coverage=coverage,
        newest=newest,
    )


def from_slots(
    rows: Sequence[Row],
    slot_seconds: int,
    window: Window,
    selection: Selection,
    newest: float | None,
) -> SeriesSet:
    """Draw roll-up slots, in wider buckets if they are too many.

    Args:
        rows: one row a slot, `time` its start, counts of 0 where a metric was not measured.
    """
    first = window.start // slot_seconds * slot_seconds
    inside = [row for row in rows if first <= row.time < window.end]
    width = width_for(window.end - first, window.max_points, slot_seconds)
    cells = _gather(inside, selection, width)
    filled = sorted({_bucket(row.time, width) for row in inside if any(row.counts)})
    threshold = max(1.5 * width, GAP_FACTOR * window.sample_seconds + width)
    times = with_gaps(filled, threshold, width)
    measured = sum(1 for row in inside if any(row.counts))
    return SeriesSet(
        start=window.start,
        end=window.end,
        resolution=width,
        rolled_up=True,
        times=times,
        series=_lines(cells, times),
        coverage=_share(measured * slot_seconds, window),
        newest=newest,
    )


# sum, count, low, high of one metric in one bucket
Cell = list[float]


def _gather(
    rows: Iterable[Row], selection: Selection, width: float
) -> dict[str, dict[float, Cell]]:
    # The innermost loop of every chart, written out for speed.
    cells: defaultdict[str, dict[float, Cell]] = defaultdict(dict)
    for row in rows:
        moment = _bucket(row.time, width)
        values, counts = row.values, row.counts
        lows, highs = (row.low, row.high) if counts else (values, values)
        for i, name in selection.positions(row.names):
            count = counts[i] if counts else 1
            cell = cells[name].get(moment)
            if cell is not None and count:
                cell[0] += values[i] * count
                cell[1] += count
                cell[2] = min(cell[2], lows[i])
                cell[3] = max(cell[3], highs[i])
            elif count:
                cells[name][moment] = [values[i] * count, count, lows[i], highs[i]]
    return cells


def _bucket(time: float, width: float) -> float:
    return time // width * width if width else time


def _share(seconds: float, window: Window) -> float:
    return min(seconds / window.elapsed, 1.0) if window.elapsed else 0.0


def _lines(
    cells: Mapping[str, Mapping[float, Cell]], times: Sequence[float]
) -> dict[str, Series]:
    return {name: _line(cells[name], times) for name in sorted(cells)}


def _line(cells: Mapping[float, Cell], times: Sequence[float]) -> Series:
    line = Series()
    for moment in times:
        cell = cells.get(moment)
        line.average.append(None if cell is None else _average(cell))
        line.low.append(None if cell is None else cell[2])
        line.high.append(None if cell is None else cell[3])
    return line


def _average(cell: Cell) -> float:
    # Rounding must never lift an average above the highest reading.
    return min(max(cell[0] / cell[1], cell[2]), cell[3])
