"""Reads metrics of hosts from wherever they lie: among what their agents sent, or in lanes of what others wrote."""

from collections.abc import Collection, Iterable, Iterator

from monitor.drawing import Columns
from monitor.metric_store import store
from monitor.prometheus import metric_names
from monitor.prometheus.lanes import all_keys, keys_for
from monitor.prometheus.names import CUSTOM, patterns_of, stored_metric
from monitor.records import chunks

# Hosts that are read with one call of the store: what they measured is in memory at once.
HOSTS_AT_ONCE = 20

# From when to when, Unix seconds, and points at most.
Window = tuple[float, float, int]


def columns_of(
    metric: str, host_ids: Iterable[int], window: Window
) -> Iterator[tuple[int, list[Columns]]]:
    """Read a metric of hosts, a few hosts at a time.

    Args:
        metric: as queries name it; "": all of them.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    patterns = patterns_of(stored_metric(metric) if metric else "")
    for some in chunks(host_ids, HOSTS_AT_ONCE):
        found: dict[int, list[Columns]] = {host_id: [] for host_id in some}
        # The likeliest keys of all of them first.
        for keys in zip(*(keys_for(h, metric) for h in some), strict=True):
            owners = dict(zip(keys, some, strict=True))
            asked = [k for k, h in owners.items() if not (metric and found[h])]
            for key, columns in store().columns(asked, patterns, *window).items():
                if columns.points:
                    found[owners[key]].append(columns)
        yield from found.items()


def metrics_of(host_ids: Collection[int]) -> list[str]:
    """Name the metrics that hosts sent last, or that others wrote of them lately, as they are stored; sorted.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    newest = store().latest(all_keys(host_ids)).values()
    found = {name.partition("|")[0] for each in newest for name in each.values}
    found |= {f"{CUSTOM}{name}" for name in metric_names.noted(host_ids)}
    return sorted(found)
