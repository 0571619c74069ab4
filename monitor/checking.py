"""Compares what the tiers say with the samples behind them, where both are kept: `manage.py metrics_verify`."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monitor.reading import Reader, Span
from monitor.records import DAY_SECONDS, HOUR_SECONDS
from monitor.rollups import Block, empty, merge, roll
from monitor.tiers import TIERS, Retention, Tier

# Sums of numbers that are no decimals may differ in their last digits, by the order in which they were added.
CLOSE = 1e-12


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell of a tier that is not what its samples say.

    Attributes:
        time: Unix seconds of its slot.
        field: "sum", "low", "high", "last" or "count".
        stored, computed: both numbers.
    """

    host_id: int
    tier: str
    time: int
    metric: str
    field: str
    stored: float
    computed: float


def differences(
    reader: Reader, host_id: int, retention: Retention, now: float
) -> Iterator[Difference]:
    """Compare all tiers of a host over the time whose samples are kept as a whole; what waits for its roll-up is left out."""
    since = now - retention.raw + HOUR_SECONDS
    everything = Span(since, now)
    pending = reader.pending([host_id], "due_hours", everything)
    hours = pending.get(host_id, [])
    pending = reader.pending([host_id], "due_days", everything, DAY_SECONDS)
    days = pending.get(host_id, [])
    first = int(since // DAY_SECONDS) * DAY_SECONDS
    for day in range(first, int(now), DAY_SECONDS):
        span = Span(day, day + DAY_SECONDS - 1)
        samples = reader.samples(host_id, span)
        for tier in TIERS:
            if not tier.seconds:
                continue
            slots = DAY_SECONDS // tier.seconds
            computed = roll(samples, day, tier.seconds, slots)
            stored = _stored(reader, host_id, tier, day)
            times = day + tier.seconds * np.arange(slots)
            compared = (times >= since) & (times + tier.seconds <= now)
            for hour in hours:
                compared &= (times + tier.seconds <= hour) | (
                    times >= hour + HOUR_SECONDS
                )
            if tier.source != "raw" and day in {*days, *_days_of(hours)}:
                continue
            yield from _compared(host_id, tier, stored, computed, compared)


def _days_of(hours: list[int]) -> set[int]:
    return {hour // DAY_SECONDS * DAY_SECONDS for hour in hours}


def _stored(reader: Reader, host_id: int, tier: Tier, day: int) -> Block:
    slots = DAY_SECONDS // tier.seconds
    found = empty(day, tier.seconds, slots, ())
    for block in reader.blocks(host_id, tier, Span(day, day + DAY_SECONDS - 1)):
        found = merge(found, block.window(day, slots))
    return found


def _compared(
    host_id: int, tier: Tier, stored: Block, computed: Block, wanted: np.ndarray
) -> Iterator[Difference]:
    nothing = empty(stored.start, stored.step, stored.slots, ())
    names = empty(
        stored.start,
        stored.step,
        stored.slots,
        tuple(sorted({*stored.names, *computed.names})),
    )
    one, two = merge(merge(nothing, names), stored), merge(names, computed)
    same_count = one.counts == two.counts
    measured = (one.counts > 0) & same_count
    rounding = CLOSE * np.maximum(np.abs(two.sums), np.abs(two.highs) * two.counts)
    faults = {
        "count": (one.counts, two.counts, ~same_count),
        "sum": (
            one.sums,
            two.sums,
            measured & (np.abs(one.sums - two.sums) > rounding),
        ),
        "low": (one.lows, two.lows, measured & (one.lows != two.lows)),
        "high": (one.highs, two.highs, measured & (one.highs != two.highs)),
        "last": (one.lasts, two.lasts, measured & (one.lasts != two.lasts)),
    }
    for field, (mine, theirs, differs) in faults.items():
        for row, slot in zip(*np.nonzero(differs & wanted), strict=True):
            yield Difference(
                host_id,
                tier.name,
                int(stored.start + slot * stored.step),
                one.names[row],
                field,
                float(mine[row, slot]),
                float(theirs[row, slot]),
            )
