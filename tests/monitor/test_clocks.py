"""Times of hosts whose clocks are off: put right, and the same for a sample that comes twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clocks import KEPT, Steps, ahead, revised, seconds_for

TOLERANCE = 5.0


def revise(steps: Steps, seq: int, off: float, boot: str = "b") -> Steps:
    return revised(steps, boot, seq, off, TOLERANCE, known=True)


@pytest.mark.parametrize(
    ("sent_at", "arrived", "offset", "expected"),
    [
        (1000.0, 1000.0, None, 0.0),
        (1600.0, 1000.0, None, 600.0),
        # A slow way makes a host look late; what it measured says that it is not.
        (970.0, 1000.0, 0.0, 0.0),
        # It is late, and knows it.
        (400.0, 1000.0, 600.0, -600.0),
        # Its clock was set after it had measured.
        (1600.0, 1000.0, 0.0, 600.0),
        # A report that waited for a quarter of an hour is late, its clock is not.
        (100.0, 1000.0, 0.0, 0.0),
    ],
)
def test_how_far_a_clock_is_ahead(
    sent_at: float, arrived: float, offset: float | None, expected: float
) -> None:
    assert ahead(sent_at, arrived, offset) == expected


def test_a_clock_that_is_right_enough_is_left_alone() -> None:
    assert revise((), 7, 4.9) == ()
    assert seconds_for((), "b", 7) == 0


def test_a_jump_moves_what_comes_after_it_and_not_what_came_before() -> None:
    steps = revise((), 100, 600.4)
    assert steps == (("b", 100, 600),)
    assert seconds_for(steps, "b", 99) == 0
    assert seconds_for(steps, "b", 100) == 600
    assert revise(steps, 104, 602.0) is steps
    back = revise(steps, 200, 0.2)
    assert [seconds_for(back, "b", seq) for seq in (99, 150, 200)] == [0, 600, 0]


def test_a_boot_that_begins_with_a_wrong_clock_is_moved_as_a_whole() -> None:
    steps = revised((), "new", 40, -300.0, TOLERANCE, known=False)
    assert seconds_for(steps, "new", 1) == -300
    assert seconds_for(steps, "b", 1) == 0


def test_old_samples_that_come_late_change_nothing() -> None:
    steps = revise((), 100, 600.0)
    assert revise(steps, 50, 0.0) is steps


@given(st.lists(st.tuples(st.integers(1, 500), st.floats(-3000, 3000)), max_size=60))
def test_a_sample_that_was_moved_is_moved_the_same_for_ever(
    reports: list[tuple[int, float]],
) -> None:
    steps: Steps = ()
    seq, moved = 0, {}
    for count, off in reports[:KEPT]:
        first, seq = seq + 1, seq + count
        steps = revise(steps, first, off)
        moved[first] = seconds_for(steps, "b", first)
        assert abs(moved[first] - off) <= TOLERANCE + 0.5
    assert {first: seconds_for(steps, "b", first) for first in moved} == moved
