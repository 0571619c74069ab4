"""Turns measured points into chart lines: pure, no store, no Django."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from monitor.series import (
    Floats,
    Ints,
    Points,
    Series,
    SeriesSet,
    Window,
    width_for,
)

# A sample may come this many intervals late before the line is broken.
GAP_FACTOR = 2.5


def typical_interval(times: Floats, sample_seconds: float) -> float:
    """Say how far apart samples are meant to be, in seconds, never less than configured."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return max(sample_seconds, step)


def with_gaps(times: Floats, threshold: float, step: float) -> Floats:
    """Insert one empty moment `step` seconds into each hole wider than `threshold` seconds."""
    before = np.flatnonzero(np.diff(times) > threshold)
    found: Floats = np.insert(times, before + 1, times[before] + step)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What is known of some metrics in a window: as it was measured, or in buckets if it is too much.

    Attributes:
        window: what was asked for.
        points: metric -> its points, those of the window.
        moments: Unix seconds of whatever was measured, each once.
        interval: seconds from one to the next, usually.
        slot: seconds of a slot of the tier they come from; 0: they are single samples.
        width: seconds of the buckets; 0: there are none.
        tier: name of the tier.
    """

    window: Window
    points: Mapping[str, Points]
    moments: Floats
    interval: float
    slot: int = 0
    width: float = 0.0
    tier: str = "raw"

    @property
    def resolution(self) -> float:
        """Seconds that a point stands for."""
        return self.width or self.interval

    @property
    def times(self) -> Floats:
        """The moments of an axis, with an empty one in each hole."""
        if not self.width:
            return with_gaps(self.moments, GAP_FACTOR * self.interval, self.interval)
        # A bucket's start lies up to one width before its sample.
        threshold = max(1.5 * self.width, GAP_FACTOR * self.interval + self.width)
        step = max(self.width, self.interval)
        return with_gaps(_moments(self.points.values()), threshold, step)


def arrange(
    points: Mapping[str, Points], window: Window, slot: int = 0, tier: str = "raw"
) -> Columns:
    """Cut points to a window, and put them into buckets if they are too many.

    Args:
        points: metric -> what is known of it.
        slot: seconds of a slot of the tier that they come from; 0: they are single samples.
        tier: its name.
    """
    start = window.start // slot * slot if slot else window.start
    inside = {name: p.inside(start, window.end) for name, p in points.items()}
    moments = _moments(inside.values())
    interval = typical_interval(moments, max(window.sample_seconds, slot))
    found = Columns(window, inside, moments, interval, slot, tier=tier)
    if len(found.times) <= window.max_points:
        return found
    width = width_for(window.end - start, window.max_points, slot or 1)
    inside = {name: p.widened(width) for name, p in inside.items()}
    return Columns(window, inside, moments, interval, slot, width, tier)


def draw(found: Columns, newest: float | None) -> SeriesSet:
    """Draw points on one axis; `newest` as in SeriesSet."""
    window = found.window
    covered = min(len(found.moments) * found.interval, window.elapsed)
    times = found.times
    return SeriesSet(
        start=window.start,
        end=window.end,
        resolution=found.resolution,
        rolled_up=bool(found.slot),
        times=times.tolist(),
        series={name: _line(p, times) for name, p in sorted(found.points.items())},
        coverage=covered / window.elapsed if window.elapsed else 0.0,
        newest=newest,
        tier=found.tier,
    )


def _moments(points: Iterable[Points]) -> Floats:
    columns = [p.times for p in points]
    first = columns[0] if columns else np.zeros(0)
    # Most metrics of a host are measured together.
    others = [c for c in columns if c is not first and not np.array_equal(c, first)]
    return np.unique(np.concatenate([first, *others])) if others else first


def _line(points: Points, times: Floats) -> Series:
    if not len(times):
        return Series()
    places = np.searchsorted(times, points.times)
    columns = (points.average, points.lows, points.highs)
    return Series(*(_spread(column, places, len(times)) for column in columns))


def _spread(column: Floats, places: Ints, length: int) -> list[float | None]:
    """Put numbers at their places among holes."""
    known: list[float | None] = column.tolist()
    if len(known) == length:
        return known
    spread: list[float | None] = [None] * length
    for place, value in zip(places.tolist(), known, strict=True):
        spread[place] = value
    return spread
