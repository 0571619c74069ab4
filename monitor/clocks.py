"""Puts right the times of a host whose clock is off; pure.

A sample is known by host and time, so that the same sample, sent twice, must be moved by the same seconds both times.
What moves it is therefore kept, not measured anew for each report: a step says "from this sample of this boot on, taken by
this clock, take off so many seconds". A clock is what an agent's times come from until somebody sets it: agents number
them (agent/clock.py), and whatever order samples of several clocks come in, each clock is judged by itself.
"""

from dataclasses import dataclass

# (boot id, first sequence number, seconds to take off, the clock or None where the agent does not tell), oldest first.
Step = tuple[str, int, int, float | None]
Steps = tuple[Step, ...]
KEPT, KEPT_OF_BOOT = 256, 64
# Seconds by which a report may seem to arrive before it was sent: what both sides measure is not exact.
INEXACT = 1.0
# An agent that was started anew reads its clock's number a little differently.
SAME_CLOCK = 1.0
# No clock drifts so far, in tolerances, before it is seen to be off: it was so from its first sample on.
FAR = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What a report shows of the clock that its samples were taken by.

    Attributes:
        first, last: the sequence numbers of its samples.
        off: seconds by which that clock is ahead of ours.
        clock: its number, None where the agent does not tell.
        is_newest: no newer sample than these was ever sent.
        is_known_boot: the boot has reported before.
    """

    boot: str
    first: int
    last: int
    off: float
    clock: float | None = None
    is_newest: bool = False
    is_known_boot: bool = True


def ahead(sent_at: float, arrived: float, offset: float | None) -> float:
    """Say by how many seconds a host's clock is ahead of ours.

    Args:
        sent_at: by the host's clock.
        arrived: when the report began to arrive, by ours.
        offset: what the host measured (ours before its own), the way of the report taken off; None if it did not.
    """
    seen = sent_at - arrived
    if offset is None:
        return seen
    way = -offset - seen
    # However late it is: a portal that is busy, or a host that tries again, is no clock that was set back. An agent
    # measures anew when its clock is set; a report from the future proves that it did not.
    return -offset if way >= -INEXACT else seen


def is_same(one: float | None, other: float | None) -> bool:
    """Say whether two numbers mean the same clock."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SAME_CLOCK


def seconds_for(steps: Steps, boot: str, seq: int, clock: float | None = None) -> int:
    """Give the seconds to take off the time of a sample."""
    mine = [step for step in _of(steps, boot, clock) if step[1] <= seq]
    return mine[-1][2] if mine else 0


def revised(steps: Steps, seen: Seen, tolerance: float) -> Steps:
    """Add a step if a clock is off by other than its last one says; else give the same steps.

    Args:
        tolerance: seconds that do not matter.
    """
    mine = _of(steps, seen.boot, seen.clock)
    if seen.clock is None:
        found = _by_number(mine, seen, tolerance)
    else:
        is_first = any(step[0] == seen.boot for step in steps) and not mine
        found = _by_clock(mine, seen, tolerance, is_first)
    if found is None:
        return steps
    clock = mine[0][3] if mine else seen.clock
    return _added(steps, (seen.boot, *found, clock))


def _of(steps: Steps, boot: str, clock: float | None) -> list[Step]:
    """Give the steps of one clock: of that which stands first, where two are nearly the same."""
    near = [step for step in steps if step[0] == boot and is_same(step[3], clock)]
    return [step for step in near if step[3] == near[0][3]]


def _by_clock(
    mine: list[Step], seen: Seen, tolerance: float, is_first: bool
) -> tuple[int, int] | None:
    """Judge a clock that has a number: at first as a whole, later as one that drifts.

    Args:
        is_first: other clocks of this boot were judged, this one was not.
    """
    is_far = abs(seen.off) > FAR * tolerance
    if not mine and (is_far or is_first):
        return 0, round(seen.off) if is_far else 0
    wrong = abs(seen.off - (mine[-1][2] if mine else 0)) > tolerance
    # From the next sample on: these may have been sent before, and moved by less.
    first = seen.last + 1
    if not wrong or not seen.is_newest or (mine and first <= mine[-1][1]):
        return None
    return first, _seconds(seen.off, tolerance)


def _by_number(
    mine: list[Step], seen: Seen, tolerance: float
) -> tuple[int, int] | None:
    """Judge the clock of an agent that does not number its clocks: by when the samples were taken alone."""
    if abs(seen.off - (mine[-1][2] if mine else 0)) <= tolerance:
        return None
    # A boot that is new begins with this clock; of one that has reported, what came before may be stored as it was.
    first = seen.first if seen.is_known_boot or mine else 0
    if mine and first <= mine[-1][1]:
        # Older samples come in late; what they were moved by stays.
        return None
    return first, _seconds(seen.off, tolerance)


def _seconds(off: float, tolerance: float) -> int:
    return round(off) if abs(off) > tolerance else 0


def _added(steps: Steps, step: Step) -> Steps:
    """Add a step; the oldest of its boot makes room, so that a clock that is set again and again costs no other boot."""
    mine = [each for each in steps if each[0] == step[0]]
    if len(mine) >= KEPT_OF_BOOT:
        steps = tuple(each for each in steps if each is not mine[0])
    return (*steps, step)[-KEPT:]
