"""How far this host's clock is from the portal's."""

import collections
import time
from typing import Any, Deque, Optional, Tuple

from agent.schedule import number

READINGS = 8
DECIMALS = 3


class Clock:
    """Remembers the portal's time against the monotonic clock, so that a step of the host's clock is seen at once.

    Of the last readings the one with the shortest round trip is believed: its
    error is at most half of that.
    """

    def __init__(self) -> None:
        self.readings: Deque[Tuple[float, float]] = collections.deque(maxlen=READINGS)

    def learn(self, portal_time: Any, began: float, ended: float) -> None:
        """An answer said what time it is; it was asked for from `began` to `ended`."""
        said = number(portal_time)
        if said is not None and ended >= began:
            middle = began + (ended - began) / 2
            self.readings.append((ended - began, said - middle))

    def offset(self) -> Optional[float]:
        """Seconds, portal minus host; None before the first reading."""
        if not self.readings:
            return None
        portal_minus_monotonic = min(self.readings)[1]
        here = time.time() - time.monotonic()
        return round(portal_minus_monotonic - here, DECIMALS)
