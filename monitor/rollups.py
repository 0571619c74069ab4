"""Slots of a tier: computing them from samples and from finer slots, joining and writing them; pure, no store."""

import functools
import struct
import sys
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.packing import (
    NO_SCALE,
    Floats,
    Ints,
    Packed,
    factor_of,
    pack,
    scales_of,
)
from monitor.series import Names, Points, Sample, Selection
from monitor.tiers import family_of

SEPARATOR = "\n"
# Sums, lowest, highest, last, counts: a row a metric.
Columns = tuple[Any, ...]
LENGTH = struct.Struct("<I")
NO_TIMES: Ints = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Single readings of one host.

    Attributes:
        times: milliseconds, ascending, each once.
        names: the metrics, each once.
        values: a row for each name; NaN: not measured at that moment.
    """

    times: Ints
    names: Names
    values: Floats

    def points(self) -> dict[str, Points]:
        """Give what was measured, metric by metric."""
        found = {}
        for name, row in zip(self.names, self.values, strict=True):
            there = ~np.isnan(row)
            if there.any():
                known, times = row[there], self.times[there] / 1000
                ones = np.ones(len(known), np.int64)
                found[name] = Points(times, known, known, known, ones)
        return found

    def listed(self, start: float, end: float) -> list[Sample]:
        """Give them one by one, those in a range, `end` exclusive."""
        found = []
        for moment, column in zip(self.times.tolist(), self.values.T, strict=True):
            if start <= moment / 1000 < end:
                pairs = zip(self.names, column.tolist(), strict=True)
                # Only NaN differs from itself.
                found.append(Sample(moment / 1000, {n: v for n, v in pairs if v == v}))
        return found

    def pick(self, selection: Selection) -> "Samples":
        """Give those with the wanted metrics only."""
        chosen = selection.positions(self.names)
        rows = [place for place, _ in chosen]
        return Samples(self.times, tuple(n for _, n in chosen), self.values[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Slots of one host, one after the other.

    Attributes:
        start: Unix seconds of the first slot. step: seconds of each.
        names: the metrics, each once.
        sums, lows, highs, lasts: a row for each name; without meaning where the count is 0.
        counts: samples behind each cell.
    """

    start: int
    step: int
    names: Names
    sums: Floats
    lows: Floats
    highs: Floats
    lasts: Floats
    counts: Ints

    @property
    def slots(self) -> int:
        """How many there are."""
        return int(self.counts.shape[1])

    def points(self) -> dict[str, Points]:
        """Give what was measured, metric by metric."""
        times = self.start + self.step * np.arange(self.slots, dtype=np.float64)
        found = {}
        for i, name in enumerate(self.names):
            there = self.counts[i] > 0
            if there.any():
                columns = (self.sums, self.lows, self.highs, self.counts)
                found[name] = Points(times[there], *(c[i][there] for c in columns))
        return found

    def pick(self, names: Iterable[str]) -> "Block":
        """Give the block with some of its names."""
        places = {name: i for i, name in enumerate(self.names)}
        chosen = tuple(name for name in names if name in places)
        rows = [places[name] for name in chosen]
        fields: Columns = tuple(field[rows] for field in _fields(self))
        return Block(self.start, self.step, chosen, *fields)

    def by_family(self) -> dict[str, "Block"]:
        """Split it by families of metrics."""
        families: dict[str, list[str]] = {}
        for name in self.names:
            families.setdefault(family_of(name), []).append(name)
        return {family: self.pick(names) for family, names in families.items()}

    def window(self, start: int, slots: int) -> "Block":
        """Give the same numbers in other bounds: what lies outside is left away, what is new is empty."""
        made = empty(start, self.step, slots, self.names)
        shift = (start - self.start) // self.step
        first, last = max(shift, 0), min(shift + slots, self.slots)
        if first < last:
            here, there = slice(first, last), slice(first - shift, last - shift)
            for mine, other in zip(_fields(self), _fields(made), strict=True):
                other[:, there] = mine[:, here]
        return made


def _fields(block: Block) -> Columns:
    return block.sums, block.lows, block.highs, block.lasts, block.counts


def empty(start: int, step: int, slots: int, names: Names) -> Block:
    """Give a block in which nothing was measured."""
    shape = (len(names), slots)
    sums, lows, highs, lasts = (np.zeros(shape) for _ in range(4))
    return Block(start, step, names, sums, lows, highs, lasts, np.zeros(shape, int))


def roll(samples: Samples, start: int, step: int, slots: int) -> Block:
    """Compute slots from samples; those outside are left away."""
    places = (samples.times // 1000 - start) // step
    inside = (places >= 0) & (places < slots)
    values = samples.values[:, inside]
    counts = (~np.isnan(values)).astype(np.int64)
    columns = (values, values, values, values, counts)
    return _reduced(empty(start, step, slots, samples.names), columns, places[inside])


def coarsen(block: Block, start: int, step: int, slots: int) -> Block:
    """Compute wider slots from narrower ones, exactly as from the samples behind them."""
    times = block.start + block.step * np.arange(block.slots)
    places = (times - start) // step
    inside = (places >= 0) & (places < slots)
    *numbers, counts = (field[:, inside] for field in _fields(block))
    columns = (*(np.where(counts == 0, np.nan, n) for n in numbers), counts)
    return _reduced(empty(start, step, slots, block.names), columns, places[inside])


def _reduced(made: Block, columns: Columns, places: Ints) -> Block:
    """Fill an empty block: columns that share a place (ascending) are joined, NaN is left out.

    Sums of decimals are those of whole numbers: exact, in whatever order they are added.
    """
    if not len(places):
        return made
    sums, lows, highs, lasts, counts = columns
    heads = np.flatnonzero(np.diff(places, prepend=-1))
    scales = scales_of(sums)
    factor = factor_of(scales)
    ready = np.nan_to_num(sums, nan=0.0)
    whole = np.where(scales[:, None] == NO_SCALE, ready, np.rint(ready * factor))
    known = np.where(np.isnan(lasts), -1, np.arange(len(places)))
    newest = np.maximum(np.maximum.reduceat(known, heads, axis=1), 0)
    found = (
        np.add.reduceat(whole, heads, axis=1) / factor,
        np.fmin.reduceat(lows, heads, axis=1),
        np.fmax.reduceat(highs, heads, axis=1),
        np.take_along_axis(lasts, newest, axis=1),
    )
    there = places[heads]
    made.counts[:, there] = np.add.reduceat(counts, heads, axis=1)
    for mine, column in zip(_fields(made), found, strict=False):
        mine[:, there] = np.where(made.counts[:, there] > 0, column, 0.0)
    return made


def merge(old: Block, new: Block) -> Block:
    """Join two computations of the same slots: for each cell the one with more samples wins, the new one in a tie.

    Raw samples may be gone in part since `old` was computed; what is known must not shrink.
    """
    names = tuple(sorted({*old.names, *new.names}))
    one, two = _spread(old, names), _spread(new, names)
    better = two.counts >= one.counts
    fields: Columns = tuple(
        np.where(better, theirs, mine)
        for mine, theirs in zip(_fields(one), _fields(two), strict=True)
    )
    return Block(old.start, old.step, names, *fields)


def _spread(block: Block, names: Names) -> Block:
    """Give the block with rows for all names."""
    if block.names == names:
        return block
    made = empty(block.start, block.step, block.slots, names)
    places = {name: i for i, name in enumerate(names)}
    rows = [places[name] for name in block.names]
    for mine, other in zip(_fields(block), _fields(made), strict=True):
        other[rows] = mine
    return made


def join_samples(parts: Sequence[Samples]) -> Samples:
    """Join samples of one host; of the same metric in the same millisecond the first part's number stays."""
    if len(parts) == 1:
        return parts[0]
    names = tuple(sorted({name for part in parts for name in part.names}))
    places = {name: i for i, name in enumerate(names)}
    times = np.unique(np.concatenate([part.times for part in parts] or [NO_TIMES]))
    values = np.full((len(names), len(times)), np.nan)
    for part in reversed(parts):
        rows = np.array([places[name] for name in part.names], np.int64)
        cells = np.ix_(rows, np.searchsorted(times, part.times))
        values[cells] = np.where(np.isnan(part.values), values[cells], part.values)
    return Samples(times, names, values)


def stack(names: Names, times: Sequence[bytes], rows: Sequence[bytes]) -> Samples:
    """Read samples as they came: milliseconds and doubles, packed, that share their names; the first of equal times stays."""
    moments = np.frombuffer(b"".join(times), np.int64)
    values = np.frombuffer(b"".join(rows), np.float64)
    unique, first = np.unique(moments, return_index=True)
    return Samples(unique, names, values.reshape(len(moments), len(names))[first].T)


def pack_samples(samples: Samples) -> bytes:
    """Write samples, names and all."""
    matrix = np.vstack([samples.times.astype(np.float64)[None, :], samples.values])
    return _with_names(samples.names, matrix)


def unpack_samples(data: bytes, selection: Selection | None = None) -> Samples:
    """Read what `pack_samples` wrote; only the metrics that are wanted."""
    names, packed = _names_and_rows(data)
    chosen = _chosen(names, selection)
    rows = packed.rows([0, *(1 + i for i in chosen)])
    times = np.rint(rows[0]).astype(np.int64)
    return Samples(times, tuple(names[i] for i in chosen), rows[1:])


def pack_block(block: Block) -> bytes:
    """Write a block, names and all, its place in time apart."""
    fields = [_filled(field, block.counts) for field in _fields(block)]
    return _with_names(block.names, np.vstack([f.astype(np.float64) for f in fields]))


def _filled(field: Any, counts: Ints) -> Any:
    """Put the number before into each hole: it compresses to nothing."""
    if field is counts:
        return counts
    places = np.where(counts > 0, np.arange(counts.shape[1]), 0)
    return np.take_along_axis(field, np.maximum.accumulate(places, axis=1), axis=1)


def unpack_block(
    data: bytes, start: int, step: int, selection: Selection | None = None
) -> Block:
    """Read what `pack_block` wrote; only the metrics that are wanted."""
    names, packed = _names_and_rows(data)
    chosen = _chosen(names, selection)
    places = [i + field * len(names) for field in range(5) for i in chosen]
    rows = packed.rows(places).reshape(5, len(chosen), packed.length)
    counts = np.rint(rows[4]).astype(np.int64)
    kept = tuple(names[i] for i in chosen)
    return Block(start, step, kept, rows[0], rows[1], rows[2], rows[3], counts)


def _with_names(names: Names, rows: Floats) -> bytes:
    text = zlib.compress(SEPARATOR.join(names).encode())
    return LENGTH.pack(len(text)) + text + pack(rows)


@functools.lru_cache(maxsize=4096)
def _names_of(text: bytes) -> Names:
    joined = zlib.decompress(text).decode()
    # Ten thousand hosts repeat the same names.
    return tuple(sys.intern(name) for name in joined.split(SEPARATOR)) if joined else ()


def _names_and_rows(data: bytes) -> tuple[Names, Packed]:
    (length,) = LENGTH.unpack_from(data)
    end = LENGTH.size + length
    return _names_of(data[LENGTH.size : end]), Packed(data[end:])


def _chosen(names: Names, selection: Selection | None) -> list[int]:
    if selection is None:
        return list(range(len(names)))
    return [i for i, _ in selection.positions(names)]
