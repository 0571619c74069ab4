"""The newest value of a metric on every host, kept for some seconds: what the fleet is sorted, filtered and coloured by."""

import time
from collections.abc import Collection

from django.conf import settings

from monitor.fleet_reading import Values
from monitor.metric_store import store

# What a page of the fleet asks for is taken along whenever the newest values are read.
USUAL = ("cpu.busy_percent", "memory.used_percent", "load.1", "fs.used_percent")
SEEN = "seen"
MOST_KEPT = 32

_kept: dict[str, tuple[float, Values]] = {}


def forget() -> None:
    """Read anew at the next question."""
    _kept.clear()


def values_of(metric: str) -> Values:
    """Give host id -> newest value of a metric, over the whole fleet; hosts that never sent it are missing.

    Where a metric is there once a disk, core or interface, the highest counts. "seen" is the time of the newest sample.
    The answer is up to ADMINSET_FLEET_SECONDS old: ten people who look at the fleet cost as much as one.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    until, values = _kept.get(metric, (0.0, {}))
    if time.monotonic() < until:
        return values
    if len(_kept) > MOST_KEPT:
        _kept.clear()
    found = _read({*USUAL, metric})
    until = time.monotonic() + settings.FLEET_SECONDS
    _kept.update({name: (until, each) for name, each in found.items()})
    return found[metric]


def _read(metrics: Collection[str]) -> dict[str, Values]:
    seen, found = store().newest_values(metrics)
    return {**found, SEEN: seen}
