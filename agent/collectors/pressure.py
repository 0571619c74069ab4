"""Pressure (PSI): the share of time in which tasks waited for CPU, memory or I/O."""

import re
from pathlib import Path

from agent.collectors.series import RATE, Field, Reading, Values

FOLDER = "/proc/pressure"
RESOURCES = ("cpu", "memory", "io")
LINE = re.compile(r"^(some|full) .*\btotal=(\d+)", re.M)
PERCENT_PER_MICROSECOND = 0.0001
FIELDS = (
    Field("pressure.cpu_some_percent", "%", "some tasks waited for a core", RATE),
    Field("pressure.cpu_full_percent", "%", "all tasks waited for a core", RATE),
    Field("pressure.memory_some_percent", "%", "some tasks waited for memory", RATE),
    Field("pressure.memory_full_percent", "%", "all tasks waited for memory", RATE),
    Field("pressure.io_some_percent", "%", "some tasks waited for a disk", RATE),
    Field("pressure.io_full_percent", "%", "all tasks waited for a disk", RATE),
)


def collect() -> Reading:
    """Time waited in all; absent where the kernel has no PSI.

    From the totals and not from avg10: exact between any two samples, so that
    averages of averages are right too.
    """
    counters: Values = {}
    for resource in RESOURCES:
        try:
            text = (Path(FOLDER) / resource).read_text()
        except OSError:
            continue
        for who, total in LINE.findall(text):
            name = f"pressure.{resource}_{who}_percent"
            counters[name] = int(total) * PERCENT_PER_MICROSECOND
    return Reading({}, counters)
