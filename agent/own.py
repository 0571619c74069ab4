"""The agent's own figures: what it costs, and how well it gets rid of its samples."""

import os
import time
from typing import Callable, Dict, Optional, Tuple, Union

import psutil

from agent.collectors.series import Field
from agent.files import read_text

STATM = "/proc/self/statm"
DECIMALS = 6
FIELDS = (
    Field("agent.spool_samples", "samples", "waiting for the portal"),
    Field("agent.rss_bytes", "bytes", "memory of the agent"),
    Field("agent.cpu_seconds_per_second", "s/s", "CPU time of the agent"),
    Field("system.clock_offset_seconds", "s", "the portal's clock minus the host's"),
    Field("agent.send_failures", "requests", "failed since the sample before"),
    Field("agent.lost_samples", "samples", "for want of room, since the sample before"),
)
Number = Union[int, float]


def rss_bytes() -> Optional[int]:
    """Resident memory; by /proc where there is one, which costs least."""
    text = read_text(STATM)
    if text:
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")
    try:
        return int(psutil.Process().memory_info().rss)
    except psutil.Error:
        return None


class Own:
    """Differences since the sample before; the counts come from spool and shipper."""

    def __init__(
        self,
        spooled: Callable[[], int],
        failures: Callable[[], int],
        lost: Callable[[], int],
    ) -> None:
        self.spooled, self.failures, self.lost = spooled, failures, lost
        self.before = self.state()

    def state(self) -> Tuple[float, float, int, int]:
        return time.monotonic(), time.process_time(), self.failures(), self.lost()

    def values(self) -> Dict[str, Number]:
        moment, used, failed, lost = self.before
        self.before = now = self.state()
        found: Dict[str, Number] = {
            "agent.spool_samples": self.spooled(),
            "agent.send_failures": now[2] - failed,
            "agent.lost_samples": now[3] - lost,
        }
        rss = rss_bytes()
        if rss is not None:
            found["agent.rss_bytes"] = rss
        if now[0] > moment:
            share = (now[1] - used) / (now[0] - moment)
            found["agent.cpu_seconds_per_second"] = round(max(share, 0.0), DECIMALS)
        return found
