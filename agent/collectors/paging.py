"""Memory in detail: what the kernel keeps, swapping, and the cache of ZFS."""

import re
from mmap import PAGESIZE
from pathlib import Path
from typing import Dict

from agent.collectors.series import RATE, Field, Reading, Values, per_second, percent

MEMINFO, VMSTAT = "/proc/meminfo", "/proc/vmstat"
ARCSTATS = "/proc/spl/kstat/zfs/arcstats"
FIELDS = (
    Field("memory.active_bytes", "B", "used lately"),
    Field("memory.inactive_bytes", "B", "not used lately"),
    Field("memory.shared_bytes", "B", "shared memory and tmpfs"),
    Field("memory.slab_bytes", "B", "the kernel's own objects"),
    Field("memory.dirty_bytes", "B", "waits to be written to disk"),
    Field("memory.committed_bytes", "B", "promised to programs"),
    Field("memory.arc_bytes", "B", "cache of ZFS; counts as used"),
    Field("memory.arc_most_bytes", "B", "size that cache may have"),
    Field("memory.arc_hit_percent", "%", "reads that cache answered", RATE),
    Field("memory.major_faults_per_second", "1/s", "pages fetched from disk", RATE),
    Field("memory.oom_kills_per_second", "1/s", "killed for want of memory", RATE),
    Field("swap.in_bytes_per_second", "B/s", "read from swap", RATE),
    Field("swap.out_bytes_per_second", "B/s", "written to swap", RATE),
)
MEMINFO_NAMES = {
    "Active": "memory.active_bytes",
    "Inactive": "memory.inactive_bytes",
    "Shmem": "memory.shared_bytes",
    "Slab": "memory.slab_bytes",
    "Dirty": "memory.dirty_bytes",
    "Committed_AS": "memory.committed_bytes",
}
VMSTAT_NAMES = {
    "pgmajfault": ("memory.major_faults_per_second", 1),
    "oom_kill": ("memory.oom_kills_per_second", 1),
    "pswpin": ("swap.in_bytes_per_second", PAGESIZE),
    "pswpout": ("swap.out_bytes_per_second", PAGESIZE),
}
HITS, MISSES = "arc.hits", "arc.misses"


def collect() -> Reading:
    gauges: Values = {}
    text = Path(MEMINFO).read_text()
    for name, kibibytes in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.M):
        if name in MEMINFO_NAMES:
            gauges[MEMINFO_NAMES[name]] = int(kibibytes) * 1024
    counters: Values = {}
    for name, count in numbers(VMSTAT).items():
        if name in VMSTAT_NAMES:
            metric, factor = VMSTAT_NAMES[name]
            counters[metric] = count * factor
    arc = numbers(ARCSTATS)
    if "size" in arc:
        gauges["memory.arc_bytes"] = arc["size"]
        gauges["memory.arc_most_bytes"] = arc.get("c_max", 0)
        counters[HITS], counters[MISSES] = arc.get("hits", 0), arc.get("misses", 0)
    return Reading(gauges, counters)


def numbers(path: str) -> Dict[str, int]:
    """Lines whose first word is a name and whose last is its number; {} without file."""
    try:
        text = Path(path).read_text()
    except OSError:
        return {}
    return {
        name: int(count)
        for name, count in re.findall(r"^(\w+) (?:.* )?(\d+)$", text, re.M)
    }


def rates(before: Values, after: Values, seconds: float) -> Values:
    """Per second, but of the cache the share of hits among all reads since."""
    values = per_second(before, after, seconds)
    hits, misses = values.pop(HITS, None), values.pop(MISSES, None)
    if hits is not None and misses is not None and hits + misses:
        values["memory.arc_hit_percent"] = percent(hits, hits + misses)
    return values
