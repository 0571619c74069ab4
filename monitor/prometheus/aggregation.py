"""Many series into one for each group of labels, or the highest of each group; pure."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from heapq import nlargest

from monitor.prometheus.expressions import Aggregate
from monitor.prometheus.functions import Column
from monitor.prometheus.names import NAME
from monitor.prometheus.vectors import Key, Series, Vector, key_of


def _groups(node: Aggregate, vector: Vector) -> dict[Key, list[Series]]:
    groups: defaultdict[Key, list[Series]] = defaultdict(list)
    chosen = node.labels or frozenset()
    for series in vector:
        names = chosen if node.keeps else chosen | {NAME}
        groups[key_of(series.labels, names, keeps=node.keeps)].append(series)
    return groups


REDUCE: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": math.fsum,
    "avg": lambda some: math.fsum(some) / len(some),
    "min": min,
    "max": max,
    "count": len,
}


def aggregated(node: Aggregate, vector: Vector) -> Vector:
    """Make one series of each group."""
    reduce = REDUCE[node.operator]
    found = []
    for key, members in _groups(node, vector).items():
        rows = zip(*(series.values for series in members), strict=True)
        values: Column = []
        for row in rows:
            known = [value for value in row if value is not None]
            values.append(float(_reduced(reduce, known)) if known else None)
        found.append(Series(dict(key), values))
    return found


def _reduced(
    reduce: Callable[[Sequence[float]], float], values: Sequence[float]
) -> float:
    try:
        return reduce(values)
    except (OverflowError, ValueError):
        # Sums of both infinities, and beyond the largest number.
        return sum(values)


def ranked(node: Aggregate, vector: Vector) -> Vector:
    """Keep at each moment the highest or lowest of each group, each under its own labels."""
    sign = 1.0 if node.operator == "topk" else -1.0
    found = []
    for members in _groups(node, vector).values():
        chosen: list[Column] = [[None] * len(each.values) for each in members]
        for at, row in enumerate(zip(*(s.values for s in members), strict=True)):
            there = [i for i, value in enumerate(row) if value is not None]
            best = nlargest(node.count, there, key=lambda i: _rank(row[i], sign))
            for i in best:
                chosen[i][at] = row[i]
        found += [
            Series(series.labels, values)
            for series, values in zip(members, chosen, strict=True)
            if any(value is not None for value in values)
        ]
    return sorted(found, key=lambda s: _rank(s.values[-1], sign), reverse=True)


def _rank(value: float | None, sign: float) -> float:
    # What is no number comes last either way.
    return -math.inf if value is None or math.isnan(value) else sign * value
