"""Times of hosts whose clocks are off: put right, and the same for a sample that comes twice."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clocks import KEPT_OF_BOOT, Seen, Steps, ahead, revised, seconds_for

TOLERANCE = 5.0
# Two of an agent's clocks, by their numbers.
FIRST, SECOND = 1_700_000_000.0, 1_700_000_600.0


def revise(steps: Steps, seq: int, off: float, boot: str = "b") -> Steps:
    """As an agent has it that does not number its clocks."""
    return revised(steps, Seen(boot, seq, seq + 3, off), TOLERANCE)


def by_clock(
    steps: Steps, seq: int, off: float, clock: float, *, newest: bool = False
) -> Steps:
    """A report of four samples."""
    return revised(steps, Seen("b", seq, seq + 3, off, clock, newest), TOLERANCE)


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
    assert by_clock((), 7, 4.9, FIRST, newest=True) == ()
    assert seconds_for((), "b", 7) == 0


def test_a_jump_moves_what_comes_after_it_and_not_what_came_before() -> None:
    steps = revise((), 100, 600.4)
    assert steps == (("b", 100, 600, None),)
    assert seconds_for(steps, "b", 99) == 0
    assert seconds_for(steps, "b", 100) == 600
    assert revise(steps, 104, 602.0) is steps
    back = revise(steps, 200, 0.2)
    assert [seconds_for(back, "b", seq) for seq in (99, 150, 200)] == [0, 600, 0]


def test_a_boot_that_begins_with_a_wrong_clock_is_moved_as_a_whole() -> None:
    new = Seen("new", 40, 43, -300.0, is_known_boot=False)
    steps = revised((), new, TOLERANCE)
    assert seconds_for(steps, "new", 1) == -300
    assert seconds_for(steps, "b", 1) == 0


def test_old_samples_that_come_late_change_nothing() -> None:
    steps = revise((), 100, 600.0)
    assert revise(steps, 50, 0.0) is steps


def test_clocks_are_judged_each_by_itself_in_whatever_order_they_come() -> None:
    steps = by_clock((), 200, 600.2, SECOND, newest=True)
    # What the right clock took before comes later, and so does the rest of the wrong one's.
    steps = by_clock(steps, 90, 0.3, FIRST)
    assert by_clock(steps, 100, 600.1, SECOND) is steps
    assert [seconds_for(steps, "b", seq, SECOND) for seq in (100, 200)] == [600, 600]
    assert [seconds_for(steps, "b", seq, FIRST) for seq in (1, 90)] == [0, 0]


def test_a_restarted_agent_means_the_same_clock() -> None:
    steps = by_clock((), 10, 600.2, SECOND)
    assert seconds_for(steps, "b", 1, SECOND + 0.1) == 600
    assert by_clock(steps, 20, 601.0, SECOND + 0.1) is steps
    assert seconds_for(steps, "b", 1, SECOND + 2) == 0


def test_a_clock_that_drifts_is_moved_from_the_next_sample_on() -> None:
    steps = by_clock((), 100, 5.2, FIRST, newest=True)
    assert [seconds_for(steps, "b", seq, FIRST) for seq in (100, 103, 104)] == [0, 0, 5]
    # An older report knows nothing of what was sent after it.
    assert by_clock((), 100, 5.2, FIRST) == ()


def test_a_clock_that_is_set_again_and_again_costs_no_other_boot() -> None:
    steps = revise((), 1, 50.0, boot="other")
    for number in range(KEPT_OF_BOOT + 20):
        steps = by_clock(steps, 4 * number, 600.0 + number, 1e9 + 100 * number)
    assert len(steps) == KEPT_OF_BOOT + 1
    assert seconds_for(steps, "other", 1) == 50


@given(st.lists(st.tuples(st.integers(1, 500), st.floats(-3000, 3000)), max_size=60))
def test_a_sample_that_was_moved_is_moved_the_same_for_ever(
    reports: list[tuple[int, float]],
) -> None:
    steps: Steps = ()
    seq, moved = 0, {}
    for count, off in reports:
        first, seq = seq + 1, seq + count
        steps = revise(steps, first, off)
        moved[first] = seconds_for(steps, "b", first)
        assert abs(moved[first] - off) <= TOLERANCE + 0.5
    assert {first: seconds_for(steps, "b", first) for first in moved} == moved


@given(
    jumps=st.lists(st.floats(-4e4, 4e4), min_size=1, max_size=8),
    drift=st.floats(-1e-3, 1e-3),
    order=st.randoms(use_true_random=False),
    noise=st.floats(0, 0.5),
)
def test_whatever_a_clock_does_and_in_whatever_order_samples_come_each_has_one_time(
    jumps: list[float], drift: float, order: random.Random, noise: float
) -> None:
    """Epochs of 20 samples, a clock set between them; batches newest first, each sent again at some time."""
    offs = [sum(jumps[:n]) for n in range(len(jumps) + 1)]
    batches = [
        (20 * epoch + 5 * part, off)
        for epoch, off in enumerate(offs)
        for part in range(4)
    ]
    late = [each for each in reversed(batches) if order.random() < 0.7]
    again = order.sample(batches, len(batches))
    steps: Steps = ()
    moved: dict[int, int] = {}
    for n, (first, off) in enumerate([*late, *again]):
        # The newest epoch's clock goes on drifting while all this is sent.
        seen = off + order.uniform(-noise, noise) + drift * n
        told = Seen("b", first, first + 4, seen, 1e9 + off)
        steps = revised(steps, told, TOLERANCE)
        for seq in range(first, first + 5):
            found = seconds_for(steps, "b", seq, 1e9 + off)
            assert moved.setdefault(seq, found) == found
            assert abs(found - off) <= 2 * TOLERANCE + 1
