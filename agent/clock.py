"""How far this host's clock is from the portal's, and which clock a sample was taken by."""

import collections
import sys
import time
from typing import Any, Deque, Dict, Optional, Tuple

from agent.schedule import number

READINGS = 8
DECIMALS = 3
# Linux' clock that counts while the host sleeps, too; Python 3.6 has no name for it.
BOOTTIME = 7
SAME_CLOCK = 0.5


def steady() -> float:
    """Seconds of a clock that nobody sets; where there is one, it goes on while the host sleeps."""
    if sys.platform != "linux":
        return time.monotonic()
    return time.clock_gettime(BOOTTIME)


def base() -> float:
    """Seconds by which the host's clock is ahead of the steady one: moves only when the clock is set."""
    return time.time() - steady()


class Base:
    """Names the clock that samples are taken by: the same number until the clock is set."""

    def __init__(self) -> None:
        self.known: Optional[float] = None

    def now(self) -> float:
        """A drift is followed in steps of half a second, not in every sample."""
        fresh = base()
        if self.known is None or abs(fresh - self.known) > SAME_CLOCK:
            self.known = round(fresh, 1)
        return self.known


def clock_of(sample: Dict[str, Any]) -> Optional[float]:
    """The number of the clock that a sample was taken by; None in what an agent of old has kept."""
    return number(sample.get("clock"))


class Clock:
    """Remembers the portal's time against the steady clock, so that a step of the host's clock is seen at once.

    Of the last readings the one with the shortest round trip is believed: its
    error is at most half of that.
    """

    def __init__(self) -> None:
        self.readings: Deque[Tuple[float, float]] = collections.deque(maxlen=READINGS)

    def learn(self, portal_time: Any, began: float, ended: float) -> None:
        """An answer said what time it is; it was asked for from `began` to `ended` (monotonic)."""
        said = number(portal_time)
        if said is not None and ended >= began:
            ago = time.monotonic() - (began + (ended - began) / 2)
            self.readings.append((ended - began, said - (steady() - ago)))

    def offset(self) -> Optional[float]:
        """Seconds, portal minus host; None before the first reading."""
        if not self.readings:
            return None
        return round(min(self.readings)[1] - base(), DECIMALS)
