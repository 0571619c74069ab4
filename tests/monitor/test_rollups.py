"""Roll-ups and chart lines without a store: exact whatever the order, packed without loss."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.metrics import CATALOGUE, describe, split_name
from monitor.rollups import SLOTS, HourBlock, merge, overlay, pack, roll_hour, unpack
from monitor.series import Row, Selection, Window, from_samples, from_slots, width_for

finite = st.floats(
    allow_nan=False, allow_infinity=False, width=64, min_value=-1e18, max_value=1e18
)
names = st.sampled_from(["a", "b|/", "c|数", "d"])
rows = st.lists(
    st.builds(
        lambda time, values: Row(time, tuple(values), list(values.values())),
        st.floats(min_value=0, max_value=3599.999),
        st.dictionaries(names, finite, min_size=1),
    ),
    max_size=40,
)


def by_slot(found: HourBlock) -> dict[tuple[str, int], tuple[float, float, float, int]]:
    return {
        (name, slot): (
            found.average[at],
            found.low[at],
            found.high[at],
            found.counts[at],
        )
        for i, name in enumerate(found.names)
        for slot in range(SLOTS)
        if found.counts[at := i * SLOTS + slot]
    }


@settings(max_examples=40, deadline=None)
@given(rows, st.randoms())
def test_a_rolled_hour_equals_brute_force_in_any_order(
    sent: list[Row], rng: random.Random
) -> None:
    wanted: dict[tuple[str, int], list[float]] = {}
    for row in sent:
        for name, value in zip(row.names, row.values, strict=True):
            wanted.setdefault((name, int(row.time // 300)), []).append(value)
    shuffled = sent[:]
    rng.shuffle(shuffled)
    assert by_slot(roll_hour(0, shuffled)) == {
        key: (math.fsum(v) / len(v), min(v), max(v), len(v))
        for key, v in wanted.items()
    }


@settings(max_examples=40, deadline=None)
@given(rows)
def test_packing_loses_nothing(sent: list[Row]) -> None:
    block = roll_hour(0, sent)
    again = unpack(0, block.names, pack(block))
    assert by_slot(again) == by_slot(block)


@settings(max_examples=40, deadline=None)
@given(rows, rows)
def test_merging_keeps_the_fuller_slot_and_is_idempotent(
    one: list[Row], two: list[Row]
) -> None:
    old, new = roll_hour(0, one), roll_hour(0, two)
    joined = merge(old, new)
    before, after = by_slot(old), by_slot(new)
    for key, cell in by_slot(joined).items():
        counts = [side[key][3] for side in (before, after) if key in side]
        assert cell[3] == max(counts)
    assert by_slot(merge(joined, new)) == by_slot(joined)
    assert by_slot(merge(old, old)) == before


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.floats(min_value=0, max_value=21_599), min_size=1, max_size=300, unique=True
    ),
    st.integers(min_value=2, max_value=200),
)
def test_a_chart_has_few_enough_points_and_keeps_the_extremes(
    times: list[float], max_points: int
) -> None:
    sent = [Row(t, ("a",), [t]) for t in times]
    window = Window(0, 21_600, max_points, 15, 21_600)
    found = from_samples(sent, window, Selection(["a"]), None)
    assert len(found.times) <= max_points
    assert found.times == sorted(set(found.times))
    line = found.series["a"]
    assert max(v for v in line.high if v is not None) == max(times)
    assert min(v for v in line.low if v is not None) == min(times)
    assert 0 <= found.coverage <= 1


@settings(max_examples=40, deadline=None)
@given(rows, st.integers(min_value=2, max_value=50))
def test_slots_draw_few_enough_points_too(sent: list[Row], max_points: int) -> None:
    slots = overlay([], sent)
    found = from_slots(
        slots, 300, Window(0, 86400, max_points, 15, 86400), Selection(["*"]), None
    )
    assert len(found.times) <= max_points
    for line in found.series.values():
        for average, low, high in zip(line.average, line.low, line.high, strict=True):
            assert average is None or low <= average <= high


def test_an_empty_slot_of_a_long_chart_is_a_gap() -> None:
    points = [1.0, 1.0, None, None, 1.0] + [None] * 7
    slots = list(HourBlock.from_points(0, {"a": points}).rows())
    found = from_slots(
        slots, 300, Window(0, 3600 * 7, 1000, 15, 3600 * 7), Selection(["a"]), None
    )
    assert found.times == [0, 300, 600, 1200]
    assert found.series["a"].average == [1.0, 1.0, None, 1.0]


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
