"""What a metric was, or grew by, on each of some hosts over a time: what a gate asks, by the functions that queries have."""

from collections.abc import Collection

import numpy as np
from django.conf import settings

from monitor.prometheus.functions import in_range
from monitor.prometheus.names import told
from monitor.prometheus.selection import line_of
from monitor.prometheus.whereabouts import columns_of

# So many values of a time are enough to judge it: single samples of three hours, averages of longer ones.
POINTS = 500
# A host sends no more of a metric when its newest value is older than a third of the time, and than agents take to send it.
PATIENCE_SECONDS = 120
# Each host's value of each of its series of a metric (disks, routes, codes of answers).
ByHost = dict[int, list[float]]


def over_time(
    function: str, host_ids: Collection[int], metric: str, start: float, end: float
) -> ByHost:
    """Give a function of a metric over a time; hosts that sent nothing, too little for it or no more of it are missing.

    A host sends no more of it when its newest value is older at the end than a third of the time, and never older than what queries take for the present.

    Args:
        function: of a range, as queries name it: "avg_over_time", "rate" (a second; a counter that began anew is known).
        metric: as queries name it, see names.query_name.
        start, end: Unix seconds.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    at, seconds = np.array([end]), end - start
    # The store's end is exclusive, and a sample of this very moment counts.
    window = (start, end + 0.001, POINTS)
    patience = max(PATIENCE_SECONDS, seconds / 3)
    patience = min(patience, settings.PROM_LOOKBACK_SECONDS)
    found: ByHost = {}
    for host_id, read in columns_of(metric, host_ids, window):
        lines = [
            line_of(dict(told(name)), points, columns)
            for columns in read
            for name, points in sorted(columns.points.items())
            if len(points.times)
        ]
        newest = max((line.times[-1] + line.width for line in lines), default=0.0)
        if newest < end - patience:
            continue
        values = [in_range(function, line, at, seconds)[0] for line in lines]
        known = [value for value in values if value is not None]
        if known:
            found[host_id] = known
    return found
