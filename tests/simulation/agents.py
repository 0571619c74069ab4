"""A simulated agent: what it has measured, what it has yet to send, and what was acknowledged to it."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class SimulatedAgent:
    """One of a fleet.

    Attributes:
        number: which of them, from 0.
        host_id: the CMDB's key of its host.
        began: milliseconds of its first sample.
        interval: milliseconds between samples.
        taken: samples measured so far; sequence numbers count from 1.
        spool: sequence numbers that wait, ascending.
        acknowledged: sequence numbers that the portal said are stored.
        sent: the highest sequence number that was ever sent.
    """

    number: int
    host_id: int
    token: str = field(repr=False)
    began: int
    interval: int
    taken: int = 0
    spool: list[int] = field(default_factory=list)
    acknowledged: "array[int]" = field(default_factory=lambda: array("I"))
    sent: int = 0

    def measure(self, now: float) -> None:
        """Take the samples that are due.

        Args:
            now: Unix seconds.
        """
        due = (int(now * 1000) - self.began) // self.interval + 1
        if due > self.taken:
            self.spool.extend(range(self.taken + 1, due + 1))
            self.taken = due

    def newest(self, most: int) -> list[int]:
        """Give the newest samples that wait."""
        return self.spool[-most:]

    def drop(self, done: Sequence[int]) -> None:
        """Take samples out of the spool."""
        gone = set(done)
        self.spool = [seq for seq in self.spool if seq not in gone]

    def time_of(self, seq: int) -> int:
        """Give the milliseconds of a sample."""
        return self.began + (seq - 1) * self.interval


def make_fleet(
    known: Sequence[tuple[int, str]],
    *,
    now: float,
    sample_seconds: float,
    history_seconds: float,
) -> list[SimulatedAgent]:
    """Make agents that have measured for a while, each at its own moments.

    Args:
        known: (host id, token) each.
        now: Unix seconds.
        history_seconds: how long they have measured and sent nothing.
    """
    interval = round(sample_seconds * 1000)
    start = round((now - history_seconds) * 1000)
    return [
        # A prime spreads them over the interval.
        SimulatedAgent(n, host_id, token, start + n * 7919 % interval, interval)
        for n, (host_id, token) in enumerate(known)
    ]
