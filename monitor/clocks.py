"""Puts right the times of a host whose clock is off; pure.

A sample is known by host and time, so that the same sample, sent twice, must be moved by the same seconds both times.
What moves it is therefore kept by its number, not measured anew for each report: a step says "from this sample of this
boot on, take off so many seconds". A new step is made when the clock is found to be off by other than the last one says.
"""

# (boot id, first sequence number, seconds to take off), oldest first.
Step = tuple[str, int, int]
Steps = tuple[Step, ...]
KEPT = 16
# Seconds by which a report may seem to arrive before it was sent: what both sides measure is not exact.
INEXACT = 1.0


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


def seconds_for(steps: Steps, boot: str, seq: int) -> int:
    """Give the seconds to take off the time of a sample."""
    mine = [step for step in steps if step[0] == boot and step[1] <= seq]
    return mine[-1][2] if mine else 0


def revised(
    steps: Steps, boot: str, seq: int, off: float, tolerance: float, known: bool
) -> Steps:
    """Add a step if the clock is off by other than the last one says; else give the same steps.

    Args:
        seq: the first sample of the report.
        off: seconds by which the clock is ahead now.
        tolerance: seconds that do not matter.
        known: the boot has reported before.
    """
    mine = [step for step in steps if step[0] == boot]
    if abs(off - (mine[-1][2] if mine else 0)) <= tolerance:
        return steps
    seconds = round(off) if abs(off) > tolerance else 0
    first = seq if known or mine else 0
    if mine and first <= mine[-1][1]:
        # Older samples come in late; what they were moved by stays.
        return steps
    return (*steps, (boot, first, seconds))[-KEPT:]
