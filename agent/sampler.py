"""Assembles samples: gauges as they are, counters as rates since the last reading."""

import functools
import logging
import math
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

import psutil

from agent.clock import Base
from agent.collectors import (
    cpu,
    disks,
    files,
    filesystems,
    kernel,
    memory,
    network,
    paging,
    pressure,
    sockets,
    system,
)
from agent.collectors.series import Reading, Values, per_second, shares_of_time
from agent.logs import quoted

MOST_VALUES = 2000
FAULTS = (OSError, RuntimeError, ValueError, LookupError, AttributeError, psutil.Error)
log = logging.getLogger(__name__)

Rates = Callable[[Values, Values, float], Values]
Part = Tuple[str, Callable[[], Reading], Rates]
PROC = "/proc/stat"
# What only its /proc tells.
LINUX: Tuple[Part, ...] = (
    ("pressure", pressure.collect, shares_of_time),
    ("kernel", kernel.collect, per_second),
    ("files", files.collect, per_second),
    ("sockets", sockets.collect, sockets.rates),
    ("paging", paging.collect, paging.rates),
)


def parts(network_filesystems: bool, left_out: Dict[str, int]) -> List[Part]:
    """Collectors in the order of weight: the last ones lose when there is too much."""
    mounts = functools.partial(filesystems.collect, network_filesystems, left_out)
    interfaces = functools.partial(network.collect, left_out)
    return [
        ("memory", memory.collect, per_second),
        ("system", system.collect, per_second),
        ("filesystems", mounts, per_second),
        ("disks", disks.collect, disks.rates),
        *(LINUX if Path(PROC).exists() else ()),
        ("network", interfaces, per_second),
        ("cpu", cpu.collect, cpu.percentages),
    ]


class Sampler:
    """Remembers the last counters; one collector that fails does not stop the others.

    `left_out` counts what the last sample lacks for the sake of size; `others` are
    asked for values that they hold ready, such as the chores in the background.
    """

    def __init__(
        self,
        network_filesystems: bool = False,
        others: Sequence[Callable[[], Values]] = (),
    ) -> None:
        self.left_out: Dict[str, int] = {}
        self.parts = parts(network_filesystems, self.left_out)
        self.others = others
        self.counters: Dict[str, Tuple[float, Values]] = {}
        self.base = Base()
        self.failing: Dict[str, str] = {}

    def sample(self) -> Dict[str, Any]:
        """{"time": Unix seconds, "clock": which, "values": {...}}; the first one has no rates."""
        moment, clock = round(time.time(), 3), self.base.now()
        values: Values = {}
        for name, collect, rates in self.parts:
            values.update(self._values(name, collect, rates))
        for held in self.others:
            values.update(held())
        finite = [
            (name, value) for name, value in values.items() if math.isfinite(value)
        ]
        self.left_out["values"] = max(len(finite) - MOST_VALUES, 0)
        values = dict(finite[:MOST_VALUES])
        return {"time": moment, "clock": clock, "values": values}

    def _values(
        self, name: str, collect: Callable[[], Reading], rates: Rates
    ) -> Values:
        try:
            now = time.monotonic()
            reading = collect()
        except FAULTS as error:
            self._failed(name, error)
            return {}
        self.failing.pop(name, None)
        before = self.counters.get(name)
        self.counters[name] = (now, reading.counters)
        if before is None or now <= before[0]:
            return reading.gauges
        fresh = rates(before[1], reading.counters, now - before[0])
        return dict(reading.gauges, **fresh)

    def _failed(self, name: str, error: Exception) -> None:
        """Said once, until it works again or fails in another way."""
        reason = f"{type(error).__name__}: {error}"
        if self.failing.get(name) != reason:
            self.failing[name] = reason
            log.warning("event=collector_failed name=%s error=%s", name, quoted(reason))
