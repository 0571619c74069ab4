"""What the tests of the metric store share: an hour, samples in it, a clock, and brute force to compare with."""

import math
import time
from collections import defaultdict

from monitor.series import Sample, SeriesSet
from monitor.store import MetricStore

# An hour's start, in the middle of a day that is over, so that hours and days can be rolled up.
HOUR = int(time.time()) // 86400 * 86400 - 86400 + 12 * 3600
# The store's clock in these tests stands two hours later.
NOW = HOUR + 2 * 3600.0
CPU, MEMORY = "cpu.busy_percent", "memory.used_percent"
Cells = dict[float, tuple[float, float, float]]


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def samples(count: int, start: float = HOUR, step: float = 15) -> list[Sample]:
    """Make samples of two metrics."""
    return [
        Sample(start + i * step, {CPU: float(i), MEMORY: 50.0 + i % 7})
        for i in range(count)
    ]


def known(line: list[float | None]) -> list[float]:
    """Leave the holes of a line away."""
    return [value for value in line if value is not None]


def the_hour(store: MetricStore) -> SeriesSet:
    """Draw the hour."""
    return store.series(1, ["*"], HOUR, HOUR + 3600)


def long_range(store: MetricStore) -> SeriesSet:
    """Draw two days: from ten-minute slots."""
    return store.series(1, [CPU], HOUR - 86400, HOUR + 86400)


def brute_force(batch: list[Sample], seconds: int = 600) -> Cells:
    """Compute average, lowest, highest of slots the plain way."""
    slots = defaultdict(list)
    for sample in batch:
        slots[sample.time // seconds * seconds].append(sample.values[CPU])
    return {slot: (math.fsum(v) / len(v), min(v), max(v)) for slot, v in slots.items()}


def drawn(found: SeriesSet) -> Cells:
    """Give what a chart shows of the CPU."""
    line = found.series[CPU]
    points = zip(found.times, line.average, line.low, line.high, strict=True)
    return {t: (a, low, high) for t, a, low, high in points if a is not None}  # type: ignore[misc]


def rolled_up(store: MetricStore, clock: Clock) -> None:
    """Let enough time pass, and do all that is due."""
    clock.now += 2 * 86400
    for later in (0, 3600):
        while store.roll_up(now=clock.now + later):
            pass
