"""Metrics of hosts over a range, each host's from the tier that suits it, or a coarser one that reaches further back."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from monitor.drawing import Columns, arrange
from monitor.reading import PointsOf, Reader, Span
from monitor.series import Selection, Window
from monitor.tiers import MINUTE, TEN_MINUTES, Tier, tier_for


def columns_of_hosts(
    reader: Reader, host_ids: Sequence[int], window: Window, selection: Selection
) -> dict[int, Columns]:
    """Give for each host what was measured; of a silent one, nothing."""
    span = Span(window.start, window.end)
    found: dict[int, Columns] = {}
    for tier, some in _by_tier(reader, host_ids, window).items():
        chosen = dict.fromkeys(some, tier)
        points = reader.points(some, tier, span, selection)
        _reach_back(reader, chosen, points, span, selection)
        for host_id, own in chosen.items():
            known = points.get(host_id, {})
            found[host_id] = arrange(known, window, own.seconds, own.name)
    return found


def _by_tier(
    reader: Reader, host_ids: Sequence[int], window: Window
) -> dict[Tier, list[int]]:
    """Choose a tier for each host by its own retention."""
    options = reader.options
    own = options.retention_of(host_ids)
    found: defaultdict[Tier, list[int]] = defaultdict(list)
    for host_id in host_ids:
        retention = own.get(host_id, options.retention)
        tier = tier_for(
            window.start,
            window.end,
            points=window.max_points,
            now=window.now,
            options=replace(options, retention=retention),
        )
        found[tier].append(host_id)
    return found


def _reach_back(
    reader: Reader,
    chosen: dict[int, Tier],
    points: dict[int, PointsOf],
    span: Span,
    selection: Selection,
) -> None:
    """Take coarser tiers for hosts of which those know more of the beginning: written history has no finer ones."""
    tier = next(iter(chosen.values()))
    late = {host_id: _begin(points.get(host_id, {}), span) for host_id in chosen}
    for coarser in (MINUTE, TEN_MINUTES):
        if coarser.seconds <= tier.seconds:
            continue
        enough = span.start + 2 * coarser.seconds
        late = {host_id: begin for host_id, begin in late.items() if begin > enough}
        if not late:
            return
        others = reader.points(list(late), coarser, span, selection)
        for host_id, begin in list(late.items()):
            other = others.get(host_id, {})
            earlier = _begin(other, span)
            if earlier < begin - coarser.seconds:
                chosen[host_id], points[host_id] = coarser, other
                late[host_id] = earlier


def _begin(points: PointsOf, span: Span) -> float:
    starts = [
        float(inside.times[0])
        for p in points.values()
        if len((inside := p.inside(span.start, span.end)).times)
    ]
    return min(starts, default=span.end)
