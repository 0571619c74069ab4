"""Slots of a tier: computing them from samples and from finer slots, and joining them; pure, no store."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.packing import (
    NO_SCALE,
    Floats,
    Ints,
    factor_of,
    scales_of,
)
from monitor.series import Names, Points, Sample, Selection
from monitor.tiers import family_of

# Sums, lowest, highest, last, counts: a row a metric.
Columns = tuple[Any, ...]
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
        fields = (self.sums, self.lows, self.highs, self.counts)
        return points_of(self.start, self.step, self.names, fields)

    def pick(self, names: Iterable[str]) -> "Block":
        """Give the block with some of its names."""
        places = {name: i for i, name in enumerate(self.names)}
        chosen = tuple(name for name in names if name in places)
        rows = [places[name] for name in chosen]
        fields: Columns = tuple(field[rows] for field in columns_of(self))
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
            for mine, other in zip(columns_of(self), columns_of(made), strict=True):
                other[:, there] = mine[:, here]
        return made


def points_of(
    start: int, step: int, names: Names, fields: Columns
) -> dict[str, Points]:
    """Give the cells of sums, lowest, highest and counts in which something was measured."""
    counts = fields[-1]
    times = start + step * np.arange(counts.shape[1], dtype=np.float64)
    there = counts > 0
    some, all_ = there.any(axis=1).tolist(), there.all(axis=1).tolist()
    found = {}
    for i, name in enumerate(names):
        if all_[i]:
            found[name] = Points(times, *(field[i] for field in fields))
        elif some[i]:
            mine = there[i]
            found[name] = Points(times[mine], *(field[i][mine] for field in fields))
    return found


def columns_of(block: Block) -> Columns:
    """Give the columns of a block in their order."""
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
    *numbers, counts = (field[:, inside] for field in columns_of(block))
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
    for mine, column in zip(columns_of(made), found, strict=False):
        mine[:, there] = np.where(made.counts[:, there] > 0, column, 0.0)
    return made


def side_by_side(blocks: Sequence[Block]) -> Block:
    """Join blocks of the same slots that share no name."""
    if len(blocks) == 1:
        return blocks[0]
    names = tuple(name for block in blocks for name in block.names)
    fields: Columns = tuple(
        np.concatenate(some)
        for some in zip(*(columns_of(block) for block in blocks), strict=True)
    )
    return Block(blocks[0].start, blocks[0].step, names, *fields)


def merge(old: Block, new: Block) -> Block:
    """Join two computations of the same slots: for each cell the one with more samples wins, the new one in a tie.

    Raw samples may be gone in part since `old` was computed; what is known must not shrink.
    """
    names = tuple(sorted({*old.names, *new.names}))
    one, two = _spread(old, names), _spread(new, names)
    better = two.counts >= one.counts
    fields: Columns = tuple(
        np.where(better, theirs, mine)
        for mine, theirs in zip(columns_of(one), columns_of(two), strict=True)
    )
    return Block(old.start, old.step, names, *fields)


def _spread(block: Block, names: Names) -> Block:
    """Give the block with rows for all names."""
    if block.names == names:
        return block
    made = empty(block.start, block.step, block.slots, names)
    places = {name: i for i, name in enumerate(names)}
    rows = [places[name] for name in block.names]
    for mine, other in zip(columns_of(block), columns_of(made), strict=True):
        other[rows] = mine
    return made


def _follow(parts: Sequence[Samples]) -> bool:
    """Say whether parts have the same metrics, in the order that a join gives, and begin where the part before ends."""
    if not parts or any(part.names != parts[0].names for part in parts):
        return False
    times = [part.times for part in parts if len(part.times)]
    ends = all(one[-1] < other[0] for one, other in itertools.pairwise(times))
    return ends and list(parts[0].names) == sorted(parts[0].names)


def join_samples(parts: Sequence[Samples]) -> Samples:
    """Join samples of one host; of the same metric in the same millisecond the first part's number stays."""
    if len(parts) == 1:
        return parts[0]
    if _follow(parts):
        times = np.concatenate([part.times for part in parts])
        return Samples(times, parts[0].names, np.hstack([p.values for p in parts]))
    names = tuple(sorted({name for part in parts for name in part.names}))
    places = {name: i for i, name in enumerate(names)}
    times = np.unique(np.concatenate([part.times for part in parts] or [NO_TIMES]))
    values = np.full((len(names), len(times)), np.nan)
    for part in reversed(parts):
        rows = np.array([places[name] for name in part.names], np.int64)
        cells = np.ix_(rows, np.searchsorted(times, part.times))
        values[cells] = np.where(np.isnan(part.values), values[cells], part.values)
    return Samples(times, names, values)


def stack(
    names: Names, times: Sequence[bytes], rows: Sequence[bytes], selection: Selection
) -> Samples:
    """Read samples as they came, the wanted metrics of them.

    Args:
        names: the metrics, which they share. times, rows: milliseconds and doubles, packed; the first of equal times stays.
    """
    moments = np.frombuffer(b"".join(times), np.int64)
    values = np.frombuffer(b"".join(rows), np.float64)
    chosen = selection.positions(names)
    columns = values.reshape(len(moments), len(names))[:, [i for i, _ in chosen]]
    kept = tuple(name for _, name in chosen)
    if (moments[1:] > moments[:-1]).all():
        return Samples(moments, kept, columns.T)
    unique, first = np.unique(moments, return_index=True)
    return Samples(unique, kept, columns[first].T)
