"""One metric of many hosts on one time axis: what a page about a group draws."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.reading import Reader, Span
from monitor.records import HOUR_SECONDS
from monitor.series import Floats, Points, Selection, Window, width_for
from monitor.tiers import MINUTE, TIERS, StoreOptions, Tier, tier_for

# Samples that no roll-up has seen are read along only for ranges as short as this: they are many documents.
FRESH_SECONDS = 26 * HOUR_SECONDS
# Documents of the minute tier hold all metrics: too much to read for many hosts.
GROUP_TIERS = tuple(tier for tier in TIERS if tier is not MINUTE)

Line = list[float | None]


@dataclass(frozen=True, slots=True)
class ManySeries:
    """Lines of many hosts.

    Attributes:
        start, end: the range asked for, Unix seconds; `end` is exclusive.
        resolution: seconds from one moment to the next.
        tier: name of the tier that they come from.
        times: Unix seconds, evenly spaced: the start of each bucket.
        lines: host id -> its average in each bucket, None where nothing was measured; silent hosts are missing.
        total, average, low, high: of all hosts in each bucket.
    """

    start: float
    end: float
    resolution: float
    tier: str
    times: Sequence[float]
    lines: Mapping[int, Line]
    total: Line
    average: Line
    low: Line
    high: Line

    def top(self, most: int) -> list[int]:
        """Give the hosts with the highest averages over the range, the highest first."""
        means = {host_id: _mean(line) for host_id, line in self.lines.items()}
        return sorted(means, key=lambda host_id: (-means[host_id], host_id))[:most]


def _mean(line: Line) -> float:
    known = [value for value in line if value is not None]
    return sum(known) / len(known)


def read_many(
    reader: Reader,
    host_ids: Collection[int],
    metric: str,
    window: Window,
    *,
    add: bool,
) -> ManySeries:
    """Draw a metric of many hosts; see MetricStore.read_many."""
    span = Span(window.start, window.end)
    tier = _tier(window, reader.options)
    selection = Selection([metric, f"{metric}|*"])
    fresh = span.end - span.start <= FRESH_SECONDS and tier.source == "raw"
    found = reader.points(list(host_ids), tier, span, selection, fresh=fresh)
    inside = {
        host_id: [p.inside(span.start, span.end) for p in points.values()]
        for host_id, points in found.items()
    }
    width = _width(inside.values(), window, tier)
    return _drawn(inside, window, width, tier, add=add)


def no_lines(window: Window, options: StoreOptions) -> ManySeries:
    """Draw the time axis of no host, for which the store need not be asked."""
    tier = _tier(window, options)
    return _drawn({}, window, _width([], window, tier), tier, add=False)


def _tier(window: Window, options: StoreOptions) -> Tier:
    return tier_for(
        window.start,
        window.end,
        points=window.max_points,
        now=window.now,
        options=options,
        tiers=GROUP_TIERS,
    )


def _width(lines: Iterable[Sequence[Points]], window: Window, tier: Tier) -> float:
    """Choose the buckets: few enough, and none so small that a host skips one."""
    steps = [
        float(np.median(np.diff(p.times)))
        for points in lines
        for p in points
        if len(p.times) > 1
    ]
    least = max([tier.seconds or window.sample_seconds, *steps])
    span = window.end - window.start
    wanted = max(span / max(window.max_points - 1, 1), 0.9 * least)
    return width_for(wanted, 2, tier.seconds or 1)


def _drawn(
    inside: Mapping[int, Sequence[Points]],
    window: Window,
    width: float,
    tier: Tier,
    *,
    add: bool,
) -> ManySeries:
    first, last = int(window.start // width), int(-(-window.end // width))
    matrix = {
        host_id: _on_grid(points, width, first, last - first, add=add)
        for host_id, points in inside.items()
        if any(len(p.times) for p in points)
    }
    rows = np.array(list(matrix.values())).reshape(len(matrix), last - first)
    known = (~np.isnan(rows)).sum(axis=0)
    total = np.where(known > 0, np.nansum(rows, axis=0), np.nan)
    spread = (np.fmin.reduce(rows), np.fmax.reduce(rows)) if matrix else (total, total)
    return ManySeries(
        start=window.start,
        end=window.end,
        resolution=width,
        tier=tier.name,
        times=[number * width for number in range(first, last)],
        lines={host_id: _line(row) for host_id, row in matrix.items()},
        total=_line(total),
        average=_line(total / np.maximum(known, 1)),
        low=_line(spread[0]),
        high=_line(spread[1]),
    )


def _on_grid(
    points: Sequence[Points], width: float, first: int, buckets: int, *, add: bool
) -> Floats:
    """Give the average of each bucket, of several instances their sum or the highest of them."""
    rows = []
    for p in points:
        places = (p.times // width).astype(np.int64) - first
        counts = np.bincount(places, p.counts, buckets)
        sums = np.bincount(places, p.sums, buckets)
        rows.append(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
    if len(rows) == 1:
        return rows[0]
    table = np.array(rows)
    if add:
        nothing = np.isnan(table).all(axis=0)
        return np.where(nothing, np.nan, np.nansum(table, axis=0))
    highest: Floats = np.fmax.reduce(table)
    return highest


def _line(row: Floats) -> Line:
    # Only NaN differs from itself.
    return [value if value == value else None for value in row.tolist()]
