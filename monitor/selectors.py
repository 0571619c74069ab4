"""Questions about how hosts feel: which a user may look at, their newest values, their charts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from adminset.querysets import scope_of
from cmdb.models import Host, HostGroup
from monitor.latest import Latest
from monitor.metric_store import store
from monitor.series import SeriesSet

PERMISSION = "monitor.view_metrics"
MOST_POINTS = 720


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
    """

    host: Host
    cpu: float | None = None
    memory: float | None = None
    load: float | None = None
    disk: float | None = None
    seen_at: float | None = None
    cpu_line: tuple[float | None, ...] = ()
    memory_line: tuple[float | None, ...] = ()


def readings(hosts: Iterable[Host]) -> list[Reading]:
    """Give the newest values of hosts, in their order, in one query to the store.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    listed = list(hosts)
    newest = store().latest(host.pk for host in listed)
    return [_reading(host, newest.get(host.pk)) for host in listed]


def _reading(host: Host, latest: Latest | None) -> Reading:
    if latest is None:
        return Reading(host)
    values = latest.values
    return Reading(
        host,
        cpu=values.get("cpu.busy_percent"),
        memory=values.get("memory.used_percent"),
        load=values.get("load.1"),
        disk=fullest(values),
        seen_at=latest.time,
        cpu_line=tuple(latest.spark.cpu),
        memory_line=tuple(latest.spark.memory),
    )


def fullest(values: Mapping[str, float]) -> float | None:
    """Give the use of the fullest file system, in %."""
    used = [
        value for name, value in values.items() if name.startswith("fs.used_percent|")
    ]
    return max(used, default=None)


def chart(host_id: int, patterns: Iterable[str], start: float, end: float) -> SeriesSet:
    """Give the lines of one chart; see MetricStore.series.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    return store().series(host_id, patterns, start, end, max_points=MOST_POINTS)
