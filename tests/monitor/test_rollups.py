"""Roll-ups and chart lines without a store: exact whatever the order, packed without loss."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from monitor.drawing import arrange, draw
from monitor.history import as_samples
from monitor.metrics import CATALOGUE, describe, split_name
from monitor.packed import pack_block, pack_samples, unpack_block, unpack_samples
from monitor.packing import Packed, pack
from monitor.rollups import (
    Block,
    coarsen,
    join_samples,
    merge,
    roll,
)
from monitor.series import Sample, Selection, Window, width_for

decimal = st.integers(-(10**9), 10**9).map(lambda n: n / 1000)
finite = st.floats(
    allow_nan=False, allow_infinity=False, min_value=-1e18, max_value=1e18
)
names = st.sampled_from(["a", "b|/", "c|数", "d.e"])
Rows = list[Sample]


def rows(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[Rows]:
    """Give samples of an hour, each at a millisecond of its own."""
    sample = st.builds(
        lambda ms, values: Sample(ms / 1000, values),
        st.integers(0, 3_599_999),
        st.dictionaries(names, numbers, min_size=1),
    )
    return st.lists(sample, max_size=40, unique_by=lambda s: s.milliseconds)


def minutes(sent: Rows) -> Block:
    return roll(as_samples(sent), 0, 60, 60)


Cells = dict[tuple[str, int], tuple[float, float, float, float, int]]


def cells(found: Block) -> Cells:
    return {
        (name, slot): (
            float(found.sums[i, slot]),
            float(found.lows[i, slot]),
            float(found.highs[i, slot]),
            float(found.lasts[i, slot]),
            int(found.counts[i, slot]),
        )
        for i, name in enumerate(found.names)
        for slot in range(found.slots)
        if found.counts[i, slot]
    }


def brute_force(sent: Rows, step: int) -> Cells:
    readings: dict[tuple[str, int], list[float]] = {}
    for sample in sorted(sent, key=lambda sample: sample.milliseconds):
        for name, value in sample.values.items():
            slot = sample.milliseconds // (1000 * step)
            readings.setdefault((name, slot), []).append(value)
    return {
        key: (exact(v), min(v), max(v), v[-1], len(v)) for key, v in readings.items()
    }


def exact(values: list[float]) -> float:
    """Add up thousandths as whole numbers."""
    return float(Fraction(sum(round(v * 1000) for v in values), 1000))


@settings(max_examples=60, deadline=None)
@given(rows(decimal), st.randoms())
def test_slots_are_exact_in_any_order_and_on_any_way(
    sent: Rows, rng: random.Random
) -> None:
    shuffled = sent[:]
    rng.shuffle(shuffled)
    fine = minutes(shuffled)
    assert cells(fine) == brute_force(sent, 60)
    direct = roll(as_samples(sent), 0, 1200, 3)
    assert cells(direct) == brute_force(sent, 1200) == cells(coarsen(fine, 0, 1200, 3))


@settings(max_examples=40, deadline=None)
@given(rows(finite))
def test_numbers_that_are_no_decimals_are_summed_closely(sent: Rows) -> None:
    values: dict[tuple[str, int], list[float]] = {}
    for sample in sent:
        for name, value in sample.values.items():
            values.setdefault((name, int(sample.time // 60)), []).append(value)
    for key, cell in cells(minutes(sent)).items():
        size = math.fsum(abs(v) for v in values[key])
        assert abs(cell[0] - math.fsum(values[key])) <= 1e-14 * size


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        np.float64,
        st.tuples(st.integers(0, 6), st.integers(1, 9)),
        elements=st.one_of(decimal, finite, st.floats(width=64)),
    )
)
def test_packed_numbers_come_back_bit_for_bit(sent: np.ndarray) -> None:
    packed = Packed(pack(sent))
    again = packed.rows(range(len(sent)))
    assert again.view(np.int64).tolist() == sent.view(np.int64).tolist()
    backwards = packed.rows(range(len(sent))[::-1])
    assert backwards.view(np.int64).tolist() == sent[::-1].view(np.int64).tolist()


@settings(max_examples=40, deadline=None)
@given(rows(finite))
def test_packing_hours_and_samples_loses_nothing(sent: Rows) -> None:
    block = minutes(sent)
    assert cells(unpack_block(pack_block(block), 0, 60)) == cells(block)
    whole = as_samples(sent)
    again = unpack_samples(pack_samples(whole))
    assert again.listed(0, 3600) == whole.listed(0, 3600)
    some = unpack_samples(pack_samples(whole), Selection(["b|*"]))
    assert set(some.names) <= {"b|/"}


def test_a_closed_hour_takes_less_than_two_bytes_a_number() -> None:
    rng = random.Random(3)  # noqa: S311
    hour = [
        Sample(15.0 * i, {f"m.{n}": round(rng.gauss(50, 10), 2) for n in range(60)})
        for i in range(240)
    ]
    # Pure noise of two decimals is the worst that agents send.
    assert len(pack_samples(as_samples(hour))) / (60 * 240) < 1.8


@settings(max_examples=40, deadline=None)
@given(rows(finite), rows(finite))
def test_merging_keeps_the_fuller_slot_and_is_idempotent(one: Rows, two: Rows) -> None:
    old, new = minutes(one), minutes(two)
    joined = merge(old, new)
    before, after = cells(old), cells(new)
    for key, cell in cells(joined).items():
        counts = [side[key][4] for side in (before, after) if key in side]
        assert cell[4] == max(counts)
    assert cells(merge(joined, new)) == cells(joined)
    assert cells(merge(old, old)) == before


def test_samples_of_one_moment_from_two_sides_are_joined_the_first_wins() -> None:
    one = as_samples([Sample(1, {"a": 1.0}), Sample(2, {"a": 2.0})])
    two = as_samples([Sample(2, {"a": 9.0, "b": 3.0})])
    assert join_samples([one, two]).listed(0, 9) == [
        Sample(1, {"a": 1.0}),
        Sample(2, {"a": 2.0, "b": 3.0}),
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 21_599).map(float), min_size=1, max_size=300, unique=True),
    st.integers(min_value=2, max_value=200),
)
def test_a_chart_has_few_enough_points_and_keeps_the_extremes(
    times: list[float], max_points: int
) -> None:
    sent = as_samples([Sample(t, {"a": t}) for t in times])
    found = draw(
        arrange(sent.points(), Window(0, 21_600, max_points, 15, 21_600)), None
    )
    assert len(found.times) <= max_points
    assert found.times == sorted(set(found.times))
    line = found.series["a"]
    assert max(v for v in line.high if v is not None) == max(times)
    assert min(v for v in line.low if v is not None) == min(times)
    assert 0 <= found.coverage <= 1


@settings(max_examples=40, deadline=None)
@given(rows(finite), st.integers(min_value=2, max_value=50))
def test_slots_draw_few_enough_points_too(sent: Rows, max_points: int) -> None:
    window = Window(0, 3600, max_points, 15, 3600)
    found = draw(arrange(minutes(sent).points(), window, 60), None)
    assert len(found.times) <= max_points
    for line in found.series.values():
        for average, low, high in zip(line.average, line.low, line.high, strict=True):
            assert average is None or low <= average <= high  # type: ignore[operator]


def test_an_empty_slot_of_a_long_chart_is_a_gap() -> None:
    sent = as_samples([Sample(600.0 * i, {"a": 1.0}) for i in (0, 1, 2, 7, 8)])
    points = roll(sent, 0, 600, 144).points()
    found = draw(arrange(points, Window(0, 86400, 1000, 15, 86400), 600), None)
    assert found.times == [0, 600, 1200, 1800, 4200, 4800]
    assert found.series["a"].average == [1.0, 1.0, 1.0, None, 1.0, 1.0]


@pytest.mark.parametrize(
    ("span", "points", "width"),
    [(3600, 1000, 5), (7 * 86400, 1000, 900), (6 * 3600, 1000, 30), (1, 1000, 1)],
)
def test_bucket_widths_are_round(span: float, points: int, width: float) -> None:
    assert width_for(span, points, 300 if width >= 300 else 1) == width


def test_metrics_are_described_with_and_without_instance() -> None:
    assert describe("fs.used_percent|/a|b") is CATALOGUE["fs.used_percent"]
    assert split_name("fs.used_percent|/a|b") == ("fs.used_percent", "/a|b")
    assert describe("custom.thing") is None
    assert CATALOGUE["net.sent_bytes_per_second"].instance == "interface"
