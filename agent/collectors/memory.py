"""Memory and swap."""

import psutil

from agent.collectors.series import Field, Reading, Values, percent

FIELDS = (
    Field("memory.total_bytes", "B", "memory the kernel manages"),
    Field("memory.used_bytes", "B", "total - available"),
    Field("memory.available_bytes", "B", "what programs can get without swapping"),
    Field("memory.free_bytes", "B", "used for nothing at all"),
    Field("memory.buffers_bytes", "B", "buffers of block devices"),
    Field("memory.cached_bytes", "B", "page cache and reclaimable slab"),
    Field("memory.used_percent", "%", "used of total"),
    Field("swap.total_bytes", "B", "swap space"),
    Field("swap.used_bytes", "B", "swap space in use"),
    Field("swap.used_percent", "%", "used of total; absent without swap"),
)


def collect() -> Reading:
    memory = psutil.virtual_memory()
    swap = psutil.swap_memory()
    used = max(memory.total - memory.available, 0)
    values: Values = {
        "memory.total_bytes": memory.total,
        "memory.used_bytes": used,
        "memory.available_bytes": memory.available,
        "memory.free_bytes": memory.free,
        "memory.buffers_bytes": getattr(memory, "buffers", 0),
        "memory.cached_bytes": getattr(memory, "cached", 0),
        "memory.used_percent": percent(used, memory.total),
        "swap.total_bytes": swap.total,
        "swap.used_bytes": swap.used,
    }
    if swap.total:
        values["swap.used_percent"] = percent(swap.used, swap.total)
    return Reading(values, {})
