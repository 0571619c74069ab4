"""What functions of a range give, compared with Prometheus' rules written down plainly, one moment at a time."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.prometheus import functions
from monitor.prometheus.faults import NotSupportedError
from monitor.prometheus.selection import Line

Rows = list[tuple[float, float]]

steps = st.integers(1, 400).map(lambda n: n / 4)
numbers = st.integers(-5, 60).map(float) | st.floats(-1e6, 1e12, allow_nan=False)
rows = st.lists(st.tuples(steps, numbers), min_size=1, max_size=40)
moments = st.lists(st.integers(0, 8000).map(lambda n: n / 2), max_size=12)
lengths = st.integers(1, 1500).map(float)


def line_of(sent: Rows, width: float = 0.0) -> Line:
    """Make a line of (seconds after the value before, value)."""
    times = np.cumsum([step for step, _value in sent])
    values = np.array([value for _step, value in sent])
    return Line({}, times, values, values - 1, values + 1, width, bool(width))


def known(line: Line, start: float, end: float) -> Rows:
    """Give the values after `start`, until `end`."""
    pairs = zip(line.times.tolist(), line.values.tolist(), strict=True)
    return [(t, v) for t, v in pairs if start < t <= end]


def grown(line: Line) -> dict[float, float]:
    """Give a counter as if it had never begun anew: time -> value."""
    lost, found = 0.0, {}
    before = -math.inf
    for time, value in zip(line.times.tolist(), line.values.tolist(), strict=True):
        lost += before if value < before else 0.0
        found[time] = value + lost
        before = value
    return found


def change(function: str, line: Line, moment: float, seconds: float) -> float | None:
    """Give rate, increase or delta as Prometheus' extrapolation says."""
    some = known(line, moment - seconds, moment)
    if len(some) < 2:
        return None
    (first, began), (last, ended) = some[0], some[-1]
    by = ended - began
    sampled = last - first
    before, after = first - (moment - seconds), moment - last
    if function != "delta":
        whole = grown(line)
        by = whole[last] - whole[first]
        if by > 0 and began >= 0:
            before = min(before, sampled * began / by)
    usual = sampled / (len(some) - 1)
    drawn = sampled + (before if before < usual * 1.1 else usual / 2)
    drawn += after if after < usual * 1.1 else usual / 2
    return by * (drawn / sampled) / (seconds if function == "rate" else 1.0)


def irate(line: Line, moment: float, seconds: float) -> float | None:
    some = known(line, moment - seconds, moment)
    if len(some) < 2:
        return None
    ((before, older), (at, newer)) = list(pairwise(some))[-1]
    return (newer - older if newer >= older else newer) / (at - before)


@settings(max_examples=150, deadline=None)
@given(rows, moments, lengths, st.sampled_from(["rate", "increase", "delta"]))
def test_changes_are_those_of_prometheus(
    sent: Rows, at: list[float], seconds: float, function: str
) -> None:
    line = line_of(sent)
    found = functions.in_range(function, line, np.array(at, float), seconds)
    assert found == [change(function, line, moment, seconds) for moment in at]


@settings(max_examples=80, deadline=None)
@given(rows, moments, lengths)
def test_the_last_change_is_that_of_the_last_two_values(
    sent: Rows, at: list[float], seconds: float
) -> None:
    line = line_of(sent)
    found = functions.in_range("irate", line, np.array(at, float), seconds)
    assert found == [irate(line, moment, seconds) for moment in at]


@settings(max_examples=80, deadline=None)
@given(rows, moments, lengths)
def test_values_over_time_are_those_of_the_range(
    sent: Rows, at: list[float], seconds: float
) -> None:
    line = line_of(sent)
    plain: dict[str, Callable[[list[float]], float]] = {
        "sum_over_time": math.fsum,
        "count_over_time": len,
        "min_over_time": lambda some: min(some) - 1,
        "max_over_time": lambda some: max(some) + 1,
        "last_over_time": lambda some: some[-1],
        "avg_over_time": lambda some: math.fsum(some) / len(some),
    }
    for function, compute in plain.items():
        found = functions.in_range(function, line, np.array(at, float), seconds)
        ranges = [[v for _t, v in known(line, m - seconds, m)] for m in at]
        assert found == [compute(some) if some else None for some in ranges]


@settings(max_examples=80, deadline=None)
@given(rows, moments, lengths, st.sampled_from([0.0, 60.0, 600.0]))
def test_the_newest_value_is_the_one_before_and_never_too_old(
    sent: Rows, at: list[float], seconds: float, width: float
) -> None:
    line = line_of(sent, width)
    reach = max(seconds, 1.5 * width)
    ranges = [known(line, moment - reach, moment) for moment in at]
    found = functions.newest(line, np.array(at, float), seconds)
    assert found == [some[-1][1] if some else None for some in ranges]


def test_averages_are_asked_in_ranges_that_hold_some_and_never_counted() -> None:
    line = line_of([(600.0, float(i)) for i in range(20)], width=600.0)
    at = np.array([6000.0])
    (found,) = functions.in_range("increase", line, at, 60.0)
    assert found == change("increase", line, 6000.0, 1500.0)
    with pytest.raises(NotSupportedError):
        functions.in_range("count_over_time", line, at, 60.0)
