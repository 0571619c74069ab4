"""What becomes of a series at each moment: its newest value, or a function of its values in a range; pure."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from monitor.prometheus.faults import NotSupportedError
from monitor.prometheus.selection import Line
from monitor.series import Floats, Ints

Column = list[float | None]
Bools = npt.NDArray[np.bool_]
# A range that is to tell a change needs so many values, however wide they are.
WIDTHS_OF_A_CHANGE = 2.5
# How far beyond its first and last value a rate is drawn on, in usual distances of values.
REACH = 1.1
CHANGES = frozenset({"rate", "increase", "delta", "irate"})
# Of averages nobody can tell how many samples are behind them.
EXACT_ONLY = frozenset({"sum_over_time", "count_over_time"})


def newest(line: Line, moments: Floats, lookback: float) -> Column:
    """Give at each moment the newest value that is no older than `lookback` seconds."""
    reach = max(lookback, 1.5 * line.width if line.rolled_up else 0.0)
    at = np.searchsorted(line.times, moments, "right") - 1
    fresh = (at >= 0) & (line.times[at] > moments - reach)
    return _where(fresh, line.values[at])


def _where(known: Bools, values: Floats) -> Column:
    """Give values, None where there is none."""
    pairs = zip(known.tolist(), values.tolist(), strict=True)
    return [value if there else None for there, value in pairs]


def in_range(function: str, line: Line, moments: Floats, seconds: float) -> Column:
    """Give a function of the values within `seconds` before each moment.

    Raises:
        NotSupportedError: it needs single samples, and only averages are kept of that time.
    """
    if function in EXACT_ONLY and line.rolled_up:
        raise NotSupportedError(
            f"{function} over times of which only averages are kept"
        )
    if line.rolled_up:
        least = WIDTHS_OF_A_CHANGE if function in CHANGES else 1.0
        seconds = max(seconds, least * line.width)
    begin = moments - seconds
    first = np.searchsorted(line.times, begin, "right")
    end = np.searchsorted(line.times, moments, "right")
    if function not in CHANGES:
        return _over(function, line, first, end)
    known = end - first >= 2
    found = np.zeros(len(moments))
    if known.any():
        part = (first[known], end[known])
        found[known] = (
            _last_change(line, part[1])
            if function == "irate"
            else _change(function, line, part, (begin[known], moments[known]))
            / (seconds if function == "rate" else 1.0)
        )
    return _where(known, found)


REDUCE: dict[str, Callable[[Sequence[float]], float]] = {
    "avg_over_time": lambda some: math.fsum(some) / len(some),
    "min_over_time": min,
    "max_over_time": max,
    "sum_over_time": math.fsum,
    "count_over_time": len,
    "last_over_time": lambda some: some[-1],
}


def _over(function: str, line: Line, first: Ints, end: Ints) -> Column:
    columns = {"min_over_time": line.low, "max_over_time": line.high}
    values = columns.get(function, line.values).tolist()
    reduce = REDUCE[function]
    return [
        float(reduce(values[i:j])) if j > i else None
        for i, j in zip(first.tolist(), end.tolist(), strict=True)
    ]


def _change(
    function: str, line: Line, part: tuple[Ints, Ints], edges: tuple[Floats, Floats]
) -> Floats:
    """Give by how much values changed in ranges of two values at least, drawn on to the edges.

    As Prometheus does: to an edge that is near, else by half a usual distance; and a counter never to below zero.

    Args:
        part: of each range the place of its first value, and that behind its last. edges: its start and end.
    """
    first, last = part[0], part[1] - 1
    values = line.values if function == "delta" else _grown(line.values)
    by = values[last] - values[first]
    sampled = line.times[last] - line.times[first]
    usual = sampled / (last - first)
    before, after = line.times[first] - edges[0], edges[1] - line.times[last]
    if function != "delta":
        began = line.values[first]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            to_zero = sampled * began / by
        before = np.where((by > 0) & (began >= 0) & (to_zero < before), to_zero, before)
    drawn = sampled + np.where(before < usual * REACH, before, usual / 2)
    drawn = drawn + np.where(after < usual * REACH, after, usual / 2)
    with np.errstate(over="ignore", invalid="ignore"):
        changed: Floats = by * (drawn / sampled)
    return changed


def _grown(values: Floats) -> Floats:
    """Undo the resets of a counter: it began again from nothing wherever it fell."""
    fell = values[1:] < values[:-1]
    lost = np.cumsum(np.where(fell, values[:-1], 0.0))
    grown: Floats = values + np.concatenate([[0.0], lost])
    return grown


def _last_change(line: Line, end: Ints) -> Floats:
    newer, older = line.values[end - 1], line.values[end - 2]
    by = newer - older
    seconds = line.times[end - 1] - line.times[end - 2]
    changed: Floats = np.where(by >= 0, by, newer) / seconds
    return changed
