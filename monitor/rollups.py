"""Five-minute averages of a host's hour: computing, merging and packing them; pure, no store."""

import math
import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.records import HOUR_SECONDS
from monitor.series import Row, Window

SLOT_SECONDS = 300
SLOTS = HOUR_SECONDS // SLOT_SECONDS
DOUBLE_BYTES = 8


@dataclass(frozen=True, slots=True)
class HourBlock:
    """One host's hour in slots.

    Attributes:
        hour: Unix seconds of its start, a multiple of 3600.
        names: the metrics, each once.
        average, low, high: doubles, `SLOTS` for each metric in the order of names.
        counts: samples behind each of them; 0 says that nothing was measured.
    """

    hour: int
    names: tuple[str, ...]
    average: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    counts: Sequence[int]

    @classmethod
    def from_points(
        cls, hour: int, points: Mapping[str, Sequence[float | None]]
    ) -> "HourBlock":
        """Make an hour of single readings, as demo data are.

        Args:
            hour: Unix seconds of its start.
            points: metric name -> `SLOTS` readings, None for a slot without one.
        """
        flat = [value for line in points.values() for value in line]
        values = array("d", [0.0 if value is None else value for value in flat])
        counts = array("I", [value is not None for value in flat])
        return cls(hour, tuple(points), values, values, values, counts)

    def rows(self) -> Iterator[Row]:
        """Give a row for each slot in which anything was measured."""
        for slot in range(SLOTS):
            counts = self.counts[slot::SLOTS]
            if any(counts):
                yield Row(
                    time=self.hour + slot * SLOT_SECONDS,
                    names=self.names,
                    values=self.average[slot::SLOTS],
                    low=self.low[slot::SLOTS],
                    high=self.high[slot::SLOTS],
                    counts=counts,
                )


def hour_of(time: float) -> int:
    """Give the start of the hour that a moment lies in, Unix seconds."""
    return int(time // HOUR_SECONDS) * HOUR_SECONDS


def roll_hour(hour: int, rows: Iterable[Row]) -> HourBlock:
    """Compute an hour from its raw rows; their order does not matter.

    Args:
        hour: Unix seconds of its start.
        rows: raw rows inside the hour.
    """
    readings: dict[str, list[list[float]]] = {}
    for row in rows:
        slot = int(row.time - hour) // SLOT_SECONDS
        for name, value in zip(row.names, row.values, strict=True):
            slots = readings.get(name)
            if slots is None:
                slots = readings[name] = [[] for _ in range(SLOTS)]
            slots[slot].append(value)
    names = tuple(sorted(readings))
    return _block(hour, names, [cell for name in names for cell in readings[name]])


def _block(
    hour: int, names: tuple[str, ...], cells: Sequence[Sequence[float]]
) -> HourBlock:
    return HourBlock(
        hour=hour,
        names=names,
        average=array("d", [_average(cell) for cell in cells]),
        low=array("d", [min(cell, default=0.0) for cell in cells]),
        high=array("d", [max(cell, default=0.0) for cell in cells]),
        counts=array("I", [len(cell) for cell in cells]),
    )


def _average(cell: Sequence[float]) -> float:
    # fsum is exact, so that the order of arrival cannot change the last digit.
    return math.fsum(cell) / len(cell) if cell else 0.0


def merge(old: HourBlock, new: HourBlock) -> HourBlock:
    """Join two computations of one hour: for each slot the one with more samples wins.

    Raw samples may have expired in part since `old` was computed; what is known must not shrink.
    """
    names = tuple(sorted({*old.names, *new.names}))
    places = [_places(block, names) for block in (new, old)]
    average, low, high = array("d"), array("d"), array("d")
    counts = array("I")
    for i in range(len(names) * SLOTS):
        block, at = max(
            ((b, p[i]) for b, p in zip((new, old), places, strict=True)),
            key=lambda found: found[0].counts[found[1]] if found[1] >= 0 else -1,
        )
        average.append(block.average[at])
        low.append(block.low[at])
        high.append(block.high[at])
        counts.append(block.counts[at])
    return HourBlock(old.hour, names, average, low, high, counts)


def _places(block: HourBlock, names: Sequence[str]) -> list[int]:
    """Say where each cell of the joined hour lies in a block, -1 for nowhere."""
    starts = {name: i * SLOTS for i, name in enumerate(block.names)}
    return [
        starts[name] + slot if name in starts else -1
        for name in names
        for slot in range(SLOTS)
    ]


def overlay(blocks: Iterable[HourBlock], rows: Iterable[Row]) -> list[Row]:
    """Join roll-ups with raw rows that they may not have seen; give a row for each slot."""
    hours = {block.hour: block for block in blocks}
    raw: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        raw[hour_of(row.time)].append(row)
    for hour, found in raw.items():
        fresh = roll_hour(hour, found)
        hours[hour] = merge(hours[hour], fresh) if hour in hours else fresh
    return [row for hour in sorted(hours) for row in hours[hour].rows()]


def samples_inside(blocks: Iterable[HourBlock], window: Window) -> int:
    """Count the samples behind all slots that lie in a window as a whole."""
    return sum(
        max(row.counts)
        for block in blocks
        for row in block.rows()
        if window.start <= row.time and row.time + SLOT_SECONDS <= window.end
    )


def pack(block: HourBlock) -> bytes:
    """Write the numbers of an hour as compressed bytes, names and hour apart."""
    doubles = array("d", [*block.average, *block.low, *block.high]).tobytes()
    # Bytes of equal weight side by side: neighbours resemble each other, zlib likes that.
    planes = [doubles[i::DOUBLE_BYTES] for i in range(DOUBLE_BYTES)]
    return zlib.compress(b"".join([*planes, array("I", block.counts).tobytes()]), 1)


def unpack(hour: int, names: tuple[str, ...], packed: bytes) -> HourBlock:
    """Read what `pack` wrote for these names."""
    data = zlib.decompress(packed)
    cells = len(names) * SLOTS
    plane = 3 * cells
    mixed = bytearray(plane * DOUBLE_BYTES)
    for i in range(DOUBLE_BYTES):
        mixed[i::DOUBLE_BYTES] = data[i * plane : (i + 1) * plane]
    doubles, counts = array("d"), array("I")
    doubles.frombytes(bytes(mixed))
    counts.frombytes(data[plane * DOUBLE_BYTES :])
    return HourBlock(
        hour,
        names,
        average=doubles[:cells],
        low=doubles[cells : 2 * cells],
        high=doubles[2 * cells :],
        counts=counts,
    )
