"""By how much an agent's samples are put right, as its row keeps it (monitor/clocks.py makes it); pure."""

from collections.abc import Iterable
from typing import Any

# (boot id, first sequence number, seconds to take off, the clock or None), oldest first.
ClockSteps = tuple[tuple[str, int, int, float | None], ...]


def read_steps(kept: Iterable[Any]) -> ClockSteps:
    """Read what a row keeps; steps of old do not name a clock."""
    return tuple(
        (str(boot), int(first), int(seconds), _clock(more))
        for boot, first, seconds, *more in kept
    )


def _clock(more: list[Any]) -> float | None:
    return None if more in ([], [None]) else float(more[0])
