"""The metrics that the agent's protocol names: unit, title and what an instance of each is."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal[
    "percent",
    "bytes",
    "bytes_per_second",
    "per_second",
    "tasks",
    "processes",
    "inodes",
    "seconds",
    "sessions",
]
Instance = Literal["", "core", "mount", "device", "interface"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of measurement.

    Attributes:
        name: the part before "|" in a value's name.
        unit: what the number counts.
        title: plain English, the key of its translation.
        instance: what stands behind "|"; empty where nothing does.
    """

    name: str
    unit: Unit
    title: str
    instance: Instance = ""


_ALL = (
    Metric("cpu.busy_percent", "percent", "CPU busy"),
    Metric("cpu.user_percent", "percent", "CPU user"),
    Metric("cpu.nice_percent", "percent", "CPU nice"),
    Metric("cpu.system_percent", "percent", "CPU system"),
    Metric("cpu.iowait_percent", "percent", "CPU waiting for I/O"),
    Metric("cpu.irq_percent", "percent", "CPU hardware interrupts"),
    Metric("cpu.softirq_percent", "percent", "CPU software interrupts"),
    Metric("cpu.steal_percent", "percent", "CPU stolen by the hypervisor"),
    Metric("cpu.idle_percent", "percent", "CPU idle"),
    Metric("cpu.core_busy_percent", "percent", "CPU core busy", "core"),
    Metric("load.1", "tasks", "Load, 1 minute"),
    Metric("load.5", "tasks", "Load, 5 minutes"),
    Metric("load.15", "tasks", "Load, 15 minutes"),
    Metric("memory.total_bytes", "bytes", "Memory"),
    Metric("memory.used_bytes", "bytes", "Memory used"),
    Metric("memory.available_bytes", "bytes", "Memory available"),
    Metric("memory.free_bytes", "bytes", "Memory free"),
    Metric("memory.buffers_bytes", "bytes", "Memory in buffers"),
    Metric("memory.cached_bytes", "bytes", "Memory in cache"),
    Metric("memory.used_percent", "percent", "Memory used"),
    Metric("swap.total_bytes", "bytes", "Swap"),
    Metric("swap.used_bytes", "bytes", "Swap used"),
    Metric("swap.used_percent", "percent", "Swap used"),
    Metric("fs.total_bytes", "bytes", "File system", "mount"),
    Metric("fs.used_bytes", "bytes", "File system used", "mount"),
    Metric("fs.available_bytes", "bytes", "File system available", "mount"),
    Metric("fs.used_percent", "percent", "File system used", "mount"),
    Metric("fs.inodes_total", "inodes", "Inodes", "mount"),
    Metric("fs.inodes_used", "inodes", "Inodes used", "mount"),
    Metric("fs.inodes_used_percent", "percent", "Inodes used", "mount"),
    Metric("disk.read_bytes_per_second", "bytes_per_second", "Disk read", "device"),
    Metric("disk.write_bytes_per_second", "bytes_per_second", "Disk write", "device"),
    Metric("disk.reads_per_second", "per_second", "Disk reads", "device"),
    Metric("disk.writes_per_second", "per_second", "Disk writes", "device"),
    Metric("disk.busy_percent", "percent", "Disk busy", "device"),
    Metric(
        "net.received_bytes_per_second",
        "bytes_per_second",
        "Network received",
        "interface",
    ),
    Metric(
        "net.sent_bytes_per_second", "bytes_per_second", "Network sent", "interface"
    ),
    Metric(
        "net.received_packets_per_second", "per_second", "Packets received", "interface"
    ),
    Metric("net.sent_packets_per_second", "per_second", "Packets sent", "interface"),
    Metric("net.errors_per_second", "per_second", "Network errors", "interface"),
    Metric("net.drops_per_second", "per_second", "Packets dropped", "interface"),
    Metric("processes.total", "processes", "Processes"),
    Metric("processes.running", "processes", "Processes running"),
    Metric("processes.blocked", "processes", "Processes blocked"),
    Metric("system.uptime_seconds", "seconds", "Uptime"),
    Metric("system.users", "sessions", "Users signed in"),
)
CATALOGUE: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def split_name(name: str) -> tuple[str, str]:
    """Split "<metric>|<instance>"; the instance may itself hold bars and is empty where there is none."""
    metric, _, instance = name.partition("|")
    return metric, instance


def describe(name: str) -> Metric | None:
    """Look a value's name up, with or without its instance; None for a metric of somebody else."""
    return CATALOGUE.get(split_name(name)[0])
