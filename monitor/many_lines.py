"""One metric of many hosts over one time axis, read as its unit asks: what is compared, summed, averaged and ranked."""

from collections.abc import Iterable

from monitor.group_reading import ManySeries
from monitor.metric_store import store
from monitor.metrics import describe
from monitor.ranges import Span

MOST_POINTS = 320
# Units of which a host's instances (disks, interfaces) add up to the host's own value; of others the highest counts.
ADDED = frozenset({"bytes", "bytes_per_second", "per_second", "inodes", "watts"})


def lines_of(host_ids: Iterable[int], metric: str, span: Span) -> ManySeries:
    """Read a metric of many hosts; see MetricStore.read_many.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    known = describe(metric)
    return store().read_many(
        list(host_ids),
        metric,
        span.start,
        span.end,
        MOST_POINTS,
        add=known is not None and known.unit in ADDED,
    )


def coverage_of(found: ManySeries, hosts: int) -> float:
    """Say which share of the values of so many hosts is there."""
    lines = found.lines.values()
    there = sum(1 for line in lines for value in line if value is not None)
    cells = hosts * len(found.times)
    return there / cells if cells else 0.0
