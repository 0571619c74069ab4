"""The charts of a host's page as data, and a set of series as the JSON that charts.js draws."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from django.utils.translation import gettext_lazy as _

from monitor.series import SeriesSet
from monitor.titles import title_of

RANGES = {
    "1h": 3600,
    "3h": 3 * 3600,
    "6h": 6 * 3600,
    "24h": 86400,
    "3d": 3 * 86400,
    "7d": 7 * 86400,
}
RANGE_TITLES = {
    "1h": _("1 hour"),
    "3h": _("3 hours"),
    "6h": _("6 hours"),
    "24h": _("24 hours"),
    "3d": _("3 days"),
    "7d": _("7 days"),
}
DEFAULT_RANGE = "1h"
# A page that shows an hour asks again often; one that shows a week has no use for that.
REFRESH_SECONDS = {"1h": 15, "3h": 30, "6h": 60, "24h": 120, "3d": 300, "7d": 300}


@dataclass(frozen=True)
class Chart:
    """One chart: which metrics (exact names, or prefixes that end in *), in which unit."""

    key: str
    title: Any
    patterns: tuple[str, ...]
    unit: str


CHARTS = (
    Chart(
        "cpu",
        _("CPU"),
        (
            "cpu.busy_percent",
            "cpu.user_percent",
            "cpu.system_percent",
            "cpu.iowait_percent",
            "cpu.steal_percent",
        ),
        "percent",
    ),
    Chart(
        "memory",
        _("Memory"),
        (
            "memory.total_bytes",
            "memory.used_bytes",
            "memory.cached_bytes",
            "memory.buffers_bytes",
        ),
        "bytes",
    ),
    Chart("load", _("Load"), ("load.1", "load.5", "load.15"), "tasks"),
    Chart("swap", _("Swap"), ("swap.total_bytes", "swap.used_bytes"), "bytes"),
    Chart("filesystems", _("File systems"), ("fs.used_percent|*",), "percent"),
    Chart("inodes", _("Inodes"), ("fs.inodes_used_percent|*",), "percent"),
    Chart(
        "disk_bytes",
        _("Disk throughput"),
        ("disk.read_bytes_per_second|*", "disk.write_bytes_per_second|*"),
        "bytes_per_second",
    ),
    Chart("disk_busy", _("Disk busy"), ("disk.busy_percent|*",), "percent"),
    Chart(
        "network",
        _("Network"),
        ("net.received_bytes_per_second|*", "net.sent_bytes_per_second|*"),
        "bytes_per_second",
    ),
    Chart(
        "network_errors",
        _("Network errors and drops"),
        ("net.errors_per_second|*", "net.drops_per_second|*"),
        "per_second",
    ),
    Chart("cores", _("CPU cores"), ("cpu.core_busy_percent|*",), "percent"),
    Chart(
        "processes",
        _("Processes"),
        ("processes.total", "processes.running", "processes.blocked"),
        "processes",
    ),
)
SIGNS = {
    "percent": "%",
    "bytes": "B",
    "bytes_per_second": "B/s",
    "per_second": "/s",
    "seconds": "s",
}
WORDS = {
    "tasks": _("tasks"),
    "processes": _("processes"),
    "inodes": _("inodes"),
    "sessions": _("sessions"),
}
BY_KEY = {chart.key: chart for chart in CHARTS}


def chosen_range(asked: str) -> str:
    """Give a known range: what was asked for, else the last hour."""
    return asked if asked in RANGES else DEFAULT_RANGE


def as_json(chart: Chart, found: SeriesSet) -> dict[str, Any]:
    """Give {unit, series: [{name, metric, points: [[ms, average, low, high]]}], start, end, no_data_since, coverage}.

    A point without a measurement is [ms, null]: the line has a gap there. Times are milliseconds.
    """
    times = [round(time * 1000) for time in found.times]
    series = [
        {
            "name": title_of(name),
            "metric": name,
            "points": _points(times, found.series[name]),
        }
        for name in sorted(found.series, key=lambda name: _place(chart, name))
    ]
    silent = found.newest is not None and found.newest < found.start
    return {
        "unit": unit_name(chart.unit),
        "series": series,
        "start": round(found.start * 1000),
        "end": round(found.end * 1000),
        "resolution": found.resolution,
        "coverage": round(found.coverage, 4),
        "no_data_since": round(found.newest * 1000)
        if silent and found.newest
        else None,
        "marks": [],
    }


def unit_name(unit: str) -> str:
    """Give the sign of a unit as charts.js knows it ("%", "B/s"), or its word in the reader's language."""
    return SIGNS.get(unit) or str(WORDS[unit])


def _place(chart: Chart, name: str) -> tuple[int, str]:
    """Lines stand in the order of the chart's patterns, then by instance."""
    fits = (i for i, pattern in enumerate(chart.patterns) if fnmatchcase(name, pattern))
    return next(fits, len(chart.patterns)), name


def _points(times: list[int], line: Any) -> list[list[float | None]]:
    rows = zip(times, line.average, line.low, line.high, strict=True)
    return [
        [t, None] if average is None else [t, average, low, high]
        for t, average, low, high in rows
    ]
