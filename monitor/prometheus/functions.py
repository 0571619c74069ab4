"""What becomes of a series at each moment: its newest value, or a function of its values in a range; pure."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

from monitor.prometheus.faults import NotSupportedError
from monitor.prometheus.selection import Line

Column = list[float | None]
# A range that is to tell a change needs so many values, however wide they are.
WIDTHS_OF_A_CHANGE = 2.5
# How far beyond its first and last value a rate is drawn on, in usual distances of values.
REACH = 1.1
CHANGES = frozenset({"rate", "increase", "delta", "irate"})
# Of averages nobody can tell how many samples are behind them.
EXACT_ONLY = frozenset({"sum_over_time", "count_over_time"})


def newest(line: Line, moments: Iterable[float], lookback: float) -> Column:
    """Give at each moment the newest value that is no older than `lookback` seconds."""
    reach = max(lookback, 1.5 * line.width if line.rolled_up else 0.0)
    found: Column = []
    for moment in moments:
        at = bisect_right(line.times, moment) - 1
        fresh = at >= 0 and line.times[at] > moment - reach
        found.append(line.values[at] if fresh else None)
    return found


def in_range(
    function: str, line: Line, moments: Iterable[float], seconds: float
) -> Column:
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
    compute = _changes(function, line) if function in CHANGES else _over(function, line)
    found: Column = []
    for moment in moments:
        first = bisect_right(line.times, moment - seconds)
        end = bisect_right(line.times, moment)
        found.append(compute(first, end, moment, seconds) if end > first else None)
    return found


# (first, end, moment, seconds) -> value
Compute = Callable[[int, int, float, float], float | None]


REDUCE: dict[str, Callable[[Sequence[float]], float]] = {
    "avg_over_time": lambda some: math.fsum(some) / len(some),
    "min_over_time": min,
    "max_over_time": max,
    "sum_over_time": math.fsum,
    "count_over_time": len,
    "last_over_time": lambda some: some[-1],
}


def _over(function: str, line: Line) -> Compute:
    values: Sequence[float] = {
        "min_over_time": line.low,
        "max_over_time": line.high,
    }.get(function, line.values)
    reduce = REDUCE[function]
    return lambda first, end, _moment, _seconds: float(reduce(values[first:end]))


def _changes(function: str, line: Line) -> Compute:
    times, values = line.times, line.values
    grown = values if function == "delta" else _grown(values)
    if function == "irate":
        return lambda first, end, _moment, _seconds: _last_change(
            times, values, first, end
        )

    def change(first: int, end: int, moment: float, seconds: float) -> float | None:
        if end - first < 2:
            return None
        by = grown[end - 1] - grown[first]
        counted = function != "delta"
        span = times[first], times[end - 1], end - first
        reach = _reach(span, moment, seconds, (values[first], by) if counted else None)
        return by * reach / (seconds if function == "rate" else 1.0)

    return change


def _grown(values: Sequence[float]) -> list[float]:
    """Undo the resets of a counter: it began again from nothing wherever it fell."""
    lost, grown = 0.0, []
    before = -math.inf
    for value in values:
        if value < before:
            lost += before
        grown.append(value + lost)
        before = value
    return grown


def _last_change(
    times: Sequence[float], values: Sequence[float], first: int, end: int
) -> float | None:
    if end - first < 2:
        return None
    by = values[end - 1] - values[end - 2]
    return (by if by >= 0 else values[end - 1]) / (times[end - 1] - times[end - 2])


def _reach(
    span: tuple[float, float, int],
    moment: float,
    seconds: float,
    counter: tuple[float, float] | None,
) -> float:
    """Say by which factor a change between the first and last value is drawn on to the edges of the range.

    As Prometheus does: to an edge that is near, else by half a usual distance; and a counter never to below zero.

    Args:
        span: time of the first value, of the last, how many there are.
        counter: the first value and by how much it grew; None for what is no counter.
    """
    first, last, count = span
    sampled = last - first
    usual = sampled / (count - 1)
    before, after = first - (moment - seconds), moment - last
    if counter and counter[1] > 0 and counter[0] >= 0:
        before = min(before, sampled * counter[0] / counter[1])
    drawn = sampled
    drawn += before if before < usual * REACH else usual / 2
    drawn += after if after < usual * REACH else usual / 2
    return drawn / sampled
