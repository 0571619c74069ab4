"""The charts of a host's page: which metrics each draws, in which unit, and which of them are laid on one another."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as _

from monitor.metrics import CATALOGUE, split_name
from monitor.titles import title_of

# A host may bring values of its own: this many of them get a chart.
MOST_CUSTOM = 24
LONGEST_NAME = 120
CUSTOM = "custom."


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes:
        patterns: exact names, or prefixes that end in "*".
        unit: as in monitor/metrics.py; "" for a plain number.
        stacked: those of the patterns whose lines are laid on one another.
        always: stands on every host's page, whether the host reports such values or not.
    """

    key: str
    title: Any
    patterns: tuple[str, ...]
    unit: str
    stacked: tuple[str, ...] = ()
    always: bool = False


def _prefixed(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}{name}" for name in names.split())


MODES = _prefixed(
    "cpu.",
    "user_percent nice_percent system_percent iowait_percent irq_percent softirq_percent steal_percent",
)
PARTS = _prefixed("memory.", "used_bytes buffers_bytes cached_bytes free_bytes")
CHARTS = (
    Chart("cpu", _("CPU"), ("cpu.busy_percent", *MODES), "percent", MODES, True),
    Chart("load", _("Load"), ("load.1", "load.5", "load.15"), "tasks", (), True),
    Chart("memory", _("Memory"), ("memory.total_bytes", *PARTS), "bytes", PARTS, True),
    Chart(
        "swap",
        _("Swap"),
        ("swap.total_bytes", "swap.used_bytes"),
        "bytes",
        always=True,
    ),
    Chart(
        "filesystems",
        _("File systems"),
        ("fs.used_percent|*",),
        "percent",
        always=True,
    ),
    Chart("inodes", _("Inodes"), ("fs.inodes_used_percent|*",), "percent", always=True),
    Chart(
        "disk_bytes",
        _("Disk throughput"),
        ("disk.read_bytes_per_second|*", "disk.write_bytes_per_second|*"),
        "bytes_per_second",
        always=True,
    ),
    Chart("disk_busy", _("Disk busy"), ("disk.busy_percent|*",), "percent"),
    Chart(
        "disk_await",
        _("Time a disk takes"),
        ("disk.read_await_milliseconds|*", "disk.write_await_milliseconds|*"),
        "milliseconds",
    ),
    Chart(
        "network",
        _("Network"),
        ("net.received_bytes_per_second|*", "net.sent_bytes_per_second|*"),
        "bytes_per_second",
        always=True,
    ),
    Chart(
        "network_errors",
        _("Network errors and drops"),
        (
            "net.errors_per_second|*",
            "net.drops_per_second|*",
            "net.received_errors_per_second|*",
            "net.sent_errors_per_second|*",
            "net.received_drops_per_second|*",
            "net.sent_drops_per_second|*",
        ),
        "per_second",
    ),
    Chart(
        "tcp",
        _("TCP connections"),
        _prefixed("tcp.", "established time_wait orphaned in_use"),
        "sockets",
    ),
    Chart(
        "tcp_trouble",
        _("TCP segments sent again"),
        ("tcp.retransmitted_percent",),
        "percent",
    ),
    Chart(
        "pressure",
        _("Pressure"),
        _prefixed("pressure.", "cpu_some_percent memory_some_percent io_some_percent"),
        "percent",
    ),
    Chart("cores", _("CPU cores"), ("cpu.core_busy_percent|*",), "percent"),
    Chart(
        "processes",
        _("Processes"),
        ("processes.total", "processes.running", "processes.blocked"),
        "processes",
    ),
    Chart(
        "switches",
        _("Context switches and interrupts"),
        ("cpu.context_switches_per_second", "cpu.interrupts_per_second"),
        "per_second",
    ),
    Chart(
        "paging",
        _("Swapping"),
        ("swap.in_bytes_per_second", "swap.out_bytes_per_second"),
        "bytes_per_second",
    ),
    Chart("files", _("Files open"), ("files.open",), "files"),
    Chart(
        "temperatures",
        _("Temperatures"),
        (
            "sensor.temperature_celsius|*",
            "gpu.temperature_celsius|*",
            "smart.temperature_celsius|*",
        ),
        "celsius",
    ),
    Chart("fans", _("Fans"), ("sensor.fan_rpm|*",), "rpm"),
    Chart("gpus", _("GPUs"), ("gpu.busy_percent|*",), "percent"),
    Chart(
        "container_cpu",
        _("Containers: CPU"),
        ("container.cpu_percent|*",),
        "percent",
        ("container.cpu_percent|*",),
    ),
    Chart(
        "container_memory",
        _("Containers: memory"),
        ("container.memory_bytes|*",),
        "bytes",
        ("container.memory_bytes|*",),
    ),
    Chart(
        "units",
        _("systemd units"),
        ("units.active", "units.failed"),
        "units",
    ),
    Chart("clock", _("Clock"), ("system.clock_offset_seconds",), "seconds"),
    Chart("agent_memory", _("Agent: memory"), ("agent.rss_bytes",), "bytes"),
    Chart("agent_cpu", _("Agent: CPU"), ("agent.cpu_seconds_per_second",), "cores"),
    Chart("agent_spool", _("Agent: spool"), ("agent.spool_samples",), "samples"),
    Chart("snmp_cpu", _("Network devices: CPU"), ("snmp.cpu_percent|*",), "percent"),
    Chart(
        "snmp_traffic",
        _("Network devices: traffic"),
        ("snmp.received_bytes_per_second|*", "snmp.sent_bytes_per_second|*"),
        "bytes_per_second",
    ),
)
BY_KEY = {chart.key: chart for chart in CHARTS}


def charts_for(names: Iterable[str]) -> list[Chart]:
    """Give the charts of a host that reports values of these names; without any: those that each host has."""
    known = set(names)
    if not known:
        return [chart for chart in CHARTS if chart.always]
    own = {name for name in known if name.startswith(CUSTOM)}
    return [*_shown(frozenset(known - own)), *_custom(own)]


@lru_cache(maxsize=256)
def _shown(names: frozenset[str]) -> tuple[Chart, ...]:
    """Give the charts of the catalogue's metrics, remembered, as many hosts report the same."""
    return tuple(
        chart
        for chart in CHARTS
        if chart.always or any(_draws(chart, name) for name in names)
    )


def place_of(chart: Chart, name: str) -> tuple[int, str]:
    """Say where a line stands in its chart: in the order of the patterns, then by instance."""
    fits = (i for i, pattern in enumerate(chart.patterns) if fnmatchcase(name, pattern))
    return next(fits, len(chart.patterns)), name


def is_stacked(chart: Chart, name: str) -> bool:
    """Say whether a line is laid on those before it."""
    return any(_fits(name, pattern) for pattern in chart.stacked)


def _draws(chart: Chart, name: str) -> bool:
    return any(_fits(name, pattern) for pattern in chart.patterns)


def _fits(name: str, pattern: str) -> bool:
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern


def _custom(names: Iterable[str]) -> list[Chart]:
    """Give a chart for each metric of a host's own (docs/agent-protocol.md: "custom.<name>")."""
    own = sorted({split_name(name)[0] for name in names})
    return [
        Chart(name, title_of(name), (name, f"{name}|*"), "")
        for name in own[:MOST_CUSTOM]
    ]


def is_metric_name(name: object) -> bool:
    """Say whether this is a metric of the catalogue, or one of a host's own."""
    if not isinstance(name, str) or not name.isprintable() or len(name) > LONGEST_NAME:
        return False
    return name in CATALOGUE or (name.startswith(CUSTOM) and "|" not in name)
