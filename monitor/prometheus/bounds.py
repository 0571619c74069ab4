"""What one query may cost: hosts, series, points and seconds, as the settings say; more is refused, never cut off."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings

from monitor.prometheus.faults import TooMuchError, TooSlowError


@dataclass
class Bounds:
    """Counts what a query used so far."""

    points: int = 0
    series: int = 0
    began: float = field(default_factory=time.monotonic)

    def check_hosts(self, hosts: Sequence[int]) -> None:
        """Refuse to read the history of too many hosts."""
        most = settings.PROM_QUERY_MAX_HOSTS
        if len(hosts) > most:
            raise TooMuchError(
                f"The query reads {len(hosts)} hosts, the most is {most}:"
                " narrow it by host, group or idc, or ask for the present value."
            )

    def count(self, series: int, points: int) -> None:
        """Count what was read or made, and look at the clock."""
        self.series += series
        self.points += points
        if self.series > settings.PROM_QUERY_MAX_SERIES:
            raise TooMuchError(
                f"The query reads more than {settings.PROM_QUERY_MAX_SERIES} series:"
                " narrow it by labels."
            )
        if self.points > settings.PROM_QUERY_MAX_POINTS:
            raise TooMuchError(
                f"The query needs more than {settings.PROM_QUERY_MAX_POINTS} points:"
                " ask for fewer series, a shorter time or a larger step."
            )
        self.look_at_the_clock()

    def look_at_the_clock(self) -> None:
        """Stop a query that takes too long."""
        if time.monotonic() - self.began > settings.PROM_QUERY_SECONDS:
            raise TooSlowError(settings.PROM_QUERY_SECONDS)
