"""Questions about how hosts feel: which a user may look at, their newest values, their charts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from adminset.querysets import scope_of
from cmdb.models import Host, HostGroup
from monitor.latest import Latest
from monitor.metric_store import store
from monitor.prometheus import metric_names
from monitor.prometheus.lanes import lane_of
from monitor.prometheus.names import CUSTOM
from monitor.series import SeriesSet

PERMISSION = "monitor.view_metrics"
# Points of a line at most: more than the pixels of a chart on a page with many, few enough for a page of 200 kB.
MOST_POINTS = 320


def watched_hosts(user: Any) -> QuerySet[Host]:
    """Give the hosts whose measurements the user may look at; monitoring has no list of its own: it is the CMDB's."""
    scope = scope_of(user, PERMISSION)
    rows = Host.objects.all()
    if scope.everything:
        return rows
    return rows.within(scope, "view") if scope else rows.none()


def groups_of(user: Any) -> QuerySet[HostGroup]:
    """Give the host groups by which the user may narrow the fleet."""
    return HostGroup.objects.visible_to(user)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the fleet page shows of one host; None where nothing is known.

    Attributes:
        cpu, memory, disk: % (disk: the fullest file system).
        load: runnable tasks, 1-minute average.
        seen_at: Unix seconds of the newest sample.
        value: of a further metric, the highest where there are several (disks, cores).
    """

    host: Host
    cpu: float | None = None
    memory: float | None = None
    load: float | None = None
    disk: float | None = None
    seen_at: float | None = None
    cpu_line: tuple[float | None, ...] = ()
    memory_line: tuple[float | None, ...] = ()
    value: float | None = None


def readings(hosts: Iterable[Host], metric: str = "") -> list[Reading]:
    """Give the newest values of hosts, in their order, in one query to the store.

    Args:
        metric: a further metric that `value` is to hold.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    listed = list(hosts)
    newest = store().latest(host.pk for host in listed)
    return [_reading(host, newest.get(host.pk), metric) for host in listed]


def _reading(host: Host, latest: Latest | None, metric: str) -> Reading:
    if latest is None:
        return Reading(host)
    values = latest.values
    return Reading(
        host,
        cpu=values.get("cpu.busy_percent"),
        memory=values.get("memory.used_percent"),
        load=values.get("load.1"),
        disk=highest(values, "fs.used_percent"),
        seen_at=latest.time,
        cpu_line=tuple(latest.spark.cpu),
        memory_line=tuple(latest.spark.memory),
        value=highest(values, metric) if metric else None,
    )


def highest(values: Mapping[str, float], metric: str) -> float | None:
    """Give the value of a metric; of one that is there once a disk, core or interface, the highest."""
    prefix = f"{metric}|"
    found = [
        v for name, v in values.items() if name == metric or name.startswith(prefix)
    ]
    return max(found, default=None)


def names_of(host_id: int) -> tuple[str, ...]:
    """Name the values that a host reported last; none where it never sent any.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    newest = store().latest([host_id]).get(host_id)
    written = sorted(f"{CUSTOM}{name}" for name in metric_names.noted([host_id]))
    return (*(newest.values if newest else ()), *written)


def chart(
    host_id: int,
    patterns: Iterable[str],
    start: float,
    end: float,
    max_points: int = MOST_POINTS,
) -> SeriesSet:
    """Give the lines of one host; see MetricStore.series.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    wanted = list(patterns)
    if all(pattern.startswith(CUSTOM) for pattern in wanted) and wanted:
        # What a Prometheus wrote lies beside what the agent sent.
        lane = lane_of(host_id, wanted[0].rstrip("*"))
        found = store().series(lane, wanted, start, end, max_points=max_points)
        if found.series:
            return found
    return store().series(host_id, wanted, start, end, max_points=max_points)
