"""Traffic of whole disks."""

import re
from pathlib import Path
from typing import Iterable, List

import psutil

from agent.collectors.series import (
    DECIMALS,
    RATE,
    Field,
    Reading,
    Values,
    per_second,
    series,
)

BLOCK = "/sys/block"
FIELDS = (
    Field("disk.read_bytes_per_second", "B/s", "read from the device", RATE),
    Field("disk.write_bytes_per_second", "B/s", "written to the device", RATE),
    Field("disk.reads_per_second", "1/s", "finished reads", RATE),
    Field("disk.writes_per_second", "1/s", "finished writes", RATE),
    Field("disk.busy_percent", "%", "time with a request under way", RATE),
    Field("disk.read_await_milliseconds", "ms", "queue and work of a read", RATE),
    Field("disk.write_await_milliseconds", "ms", "queue and work of a write", RATE),
)
NOT_A_DISK = re.compile(r"(loop|ram|zram|dm-|md|sr|fd|nbd|mtdblock|drbd)\d")
PERCENT_PER_MILLISECOND = 0.1
AWAITS = {
    "disk.read_await_milliseconds": "disk.reads_per_second",
    "disk.write_await_milliseconds": "disk.writes_per_second",
}


def collect() -> Reading:
    found = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    counters: Values = {}
    for disk in whole_disks(found):
        count = found[disk]
        busy = getattr(count, "busy_time", 0)
        counters[series("disk.read_bytes_per_second", disk)] = count.read_bytes
        counters[series("disk.write_bytes_per_second", disk)] = count.write_bytes
        counters[series("disk.reads_per_second", disk)] = count.read_count
        counters[series("disk.writes_per_second", disk)] = count.write_count
        counters[series("disk.busy_percent", disk)] = busy * PERCENT_PER_MILLISECOND
        counters[series("disk.read_await_milliseconds", disk)] = count.read_time
        counters[series("disk.write_await_milliseconds", disk)] = count.write_time
    return Reading({}, counters)


def rates(before: Values, after: Values, seconds: float) -> Values:
    """Per second; a share of time never exceeds 100 %; an await is of one request."""
    values = per_second(before, after, seconds)
    for name in list(values):
        metric, _, disk = name.partition("|")
        if metric == "disk.busy_percent":
            values[name] = min(values[name], 100.0)
        elif metric in AWAITS:
            spent = values.pop(name)
            finished = values.get(series(AWAITS[metric], disk))
            if finished:
                values[name] = round(spent / finished, DECIMALS)
    return values


def whole_disks(names: Iterable[str]) -> List[str]:
    """Those that are hardware, by /sys; where /sys is poor, by the look of the name."""
    candidates = sorted(name for name in names if not NOT_A_DISK.match(name))
    backed = [name for name in candidates if (Path(BLOCK) / name / "device").exists()]
    return backed or [name for name in candidates if not is_partition(name, candidates)]


def is_partition(name: str, names: Iterable[str]) -> bool:
    """sda1 beside sda, nvme0n1p2 beside nvme0n1."""
    parent = re.sub(r"(?<=\d)p\d+$|(?<=[a-z])\d+$", "", name)
    return parent != name and parent in names
