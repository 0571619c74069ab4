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
    "milliseconds",
    "sockets",
    "files",
    "units",
    "containers",
    "flag",
    "bits",
    "celsius",
    "rpm",
    "watts",
    "samples",
    "requests",
    "cores",
]
Instance = Literal[
    "", "core", "mount", "device", "interface", "container", "sensor", "gpu"
]


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
    Metric("cpu.context_switches_per_second", "per_second", "Context switches"),
    Metric("cpu.interrupts_per_second", "per_second", "Interrupts"),
    Metric("processes.forks_per_second", "per_second", "Processes started"),
    Metric("pressure.cpu_some_percent", "percent", "CPU pressure, some tasks waiting"),
    Metric("pressure.cpu_full_percent", "percent", "CPU pressure, all tasks waiting"),
    Metric(
        "pressure.memory_some_percent", "percent", "Memory pressure, some tasks waiting"
    ),
    Metric(
        "pressure.memory_full_percent", "percent", "Memory pressure, all tasks waiting"
    ),
    Metric("pressure.io_some_percent", "percent", "I/O pressure, some tasks waiting"),
    Metric("pressure.io_full_percent", "percent", "I/O pressure, all tasks waiting"),
    Metric("memory.active_bytes", "bytes", "Memory active"),
    Metric("memory.inactive_bytes", "bytes", "Memory inactive"),
    Metric("memory.shared_bytes", "bytes", "Memory shared"),
    Metric("memory.slab_bytes", "bytes", "Memory of the kernel"),
    Metric("memory.dirty_bytes", "bytes", "Memory to be written to disk"),
    Metric("memory.committed_bytes", "bytes", "Memory promised to programs"),
    Metric("memory.arc_bytes", "bytes", "ZFS cache"),
    Metric("memory.arc_most_bytes", "bytes", "ZFS cache at most"),
    Metric("memory.arc_hit_percent", "percent", "ZFS cache hits"),
    Metric("memory.major_faults_per_second", "per_second", "Pages read from disk"),
    Metric(
        "memory.oom_kills_per_second",
        "per_second",
        "Processes killed for want of memory",
    ),
    Metric("swap.in_bytes_per_second", "bytes_per_second", "Swapped in"),
    Metric("swap.out_bytes_per_second", "bytes_per_second", "Swapped out"),
    Metric("fs.read_only", "flag", "File system is read-only", "mount"),
    Metric(
        "disk.read_await_milliseconds",
        "milliseconds",
        "Time a disk read takes",
        "device",
    ),
    Metric(
        "disk.write_await_milliseconds",
        "milliseconds",
        "Time a disk write takes",
        "device",
    ),
    Metric(
        "net.received_errors_per_second",
        "per_second",
        "Errors on receiving",
        "interface",
    ),
    Metric(
        "net.sent_errors_per_second", "per_second", "Errors on sending", "interface"
    ),
    Metric(
        "net.received_drops_per_second",
        "per_second",
        "Packets dropped on receiving",
        "interface",
    ),
    Metric(
        "net.sent_drops_per_second",
        "per_second",
        "Packets dropped on sending",
        "interface",
    ),
    Metric("tcp.established", "sockets", "TCP connections established"),
    Metric("tcp.time_wait", "sockets", "TCP connections in TIME-WAIT"),
    Metric("tcp.orphaned", "sockets", "TCP connections without a process"),
    Metric("tcp.in_use", "sockets", "TCP sockets in use"),
    Metric("tcp.memory_bytes", "bytes", "Memory of TCP sockets"),
    Metric("tcp.opened_per_second", "per_second", "TCP connections opened"),
    Metric("tcp.accepted_per_second", "per_second", "TCP connections accepted"),
    Metric("tcp.failed_per_second", "per_second", "TCP connections that failed"),
    Metric("tcp.reset_per_second", "per_second", "TCP connections reset"),
    Metric("tcp.segments_sent_per_second", "per_second", "TCP segments sent"),
    Metric("tcp.retransmitted_per_second", "per_second", "TCP segments sent again"),
    Metric("tcp.retransmitted_percent", "percent", "Share of TCP segments sent again"),
    Metric("tcp.timeouts_per_second", "per_second", "TCP time-outs"),
    Metric(
        "tcp.listen_drops_per_second",
        "per_second",
        "TCP connections dropped by full queues",
    ),
    Metric("udp.in_use", "sockets", "UDP sockets in use"),
    Metric("udp.errors_per_second", "per_second", "UDP datagrams lost on receiving"),
    Metric("sockets.in_use", "sockets", "Sockets in use"),
    Metric("files.open", "files", "Files open"),
    Metric("files.most", "files", "Files open at most"),
    Metric("files.open_percent", "percent", "Share of the file limit in use"),
    Metric("system.entropy_bits", "bits", "Entropy"),
    Metric(
        "system.clock_offset_seconds", "seconds", "Portal's clock before the host's"
    ),
    Metric("units.active", "units", "systemd units active"),
    Metric("units.failed", "units", "systemd units failed"),
    Metric("containers.running", "containers", "Containers running"),
    Metric("container.cpu_percent", "percent", "Container CPU", "container"),
    Metric("container.memory_bytes", "bytes", "Container memory", "container"),
    Metric("sensor.temperature_celsius", "celsius", "Temperature", "sensor"),
    Metric("sensor.fan_rpm", "rpm", "Fan", "sensor"),
    Metric("battery.charge_percent", "percent", "Battery charge"),
    Metric("battery.on_mains", "flag", "Runs on mains power"),
    Metric("gpu.busy_percent", "percent", "GPU busy", "gpu"),
    Metric("gpu.memory_used_bytes", "bytes", "GPU memory used", "gpu"),
    Metric("gpu.memory_total_bytes", "bytes", "GPU memory", "gpu"),
    Metric("gpu.temperature_celsius", "celsius", "GPU temperature", "gpu"),
    Metric("gpu.power_watts", "watts", "GPU power", "gpu"),
    Metric("smart.healthy", "flag", "Disk says it is healthy", "device"),
    Metric("smart.temperature_celsius", "celsius", "Disk temperature", "device"),
    Metric("snmp.up", "flag", "Network device answers", "device"),
    Metric("snmp.uptime_seconds", "seconds", "Network device's uptime", "device"),
    Metric("snmp.cpu_percent", "percent", "Network device's CPU busy", "device"),
    Metric("snmp.memory_used_bytes", "bytes", "Network device's memory used", "device"),
    Metric("snmp.memory_total_bytes", "bytes", "Network device's memory", "device"),
    Metric(
        "snmp.memory_used_percent", "percent", "Network device's memory used", "device"
    ),
    Metric(
        "snmp.interface_up", "flag", "Interface of a network device is up", "interface"
    ),
    Metric(
        "snmp.received_bytes_per_second",
        "bytes_per_second",
        "Network device received",
        "interface",
    ),
    Metric(
        "snmp.sent_bytes_per_second",
        "bytes_per_second",
        "Network device sent",
        "interface",
    ),
    Metric(
        "snmp.received_errors_per_second",
        "per_second",
        "Network device's errors on receiving",
        "interface",
    ),
    Metric(
        "snmp.sent_errors_per_second",
        "per_second",
        "Network device's errors on sending",
        "interface",
    ),
    Metric(
        "snmp.received_drops_per_second",
        "per_second",
        "Network device's drops on receiving",
        "interface",
    ),
    Metric(
        "snmp.sent_drops_per_second",
        "per_second",
        "Network device's drops on sending",
        "interface",
    ),
    Metric("agent.spool_samples", "samples", "Agent: samples waiting"),
    Metric("agent.rss_bytes", "bytes", "Agent: memory"),
    Metric("agent.cpu_seconds_per_second", "cores", "Agent: CPU"),
    Metric("agent.send_failures", "requests", "Agent: failed requests"),
    Metric("agent.lost_samples", "samples", "Agent: samples lost"),
)
CATALOGUE: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def split_name(name: str) -> tuple[str, str]:
    """Split "<metric>|<instance>"; the instance may itself hold bars and is empty where there is none."""
    metric, _, instance = name.partition("|")
    return metric, instance


def describe(name: str) -> Metric | None:
    """Look a value's name up, with or without its instance; None for a metric of somebody else."""
    return CATALOGUE.get(split_name(name)[0])
