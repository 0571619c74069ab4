"""Questions to the stored measurements of one host, answered as dataclasses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from monitor.latest import Latest, unpack_ring
from monitor.records import (
    DAY_SECONDS,
    HOUR_SECONDS,
    Tables,
    between,
    by_ids,
    chunks,
    doubles,
    host_of_key,
    hour_of,
    unit_key,
    unit_of_key,
)
from monitor.rollups import (
    Block,
    Samples,
    join_samples,
    stack,
    unpack_block,
    unpack_samples,
)
from monitor.series import Points, Selection, SeriesSet, Window, draw, join_points
from monitor.shapes import Shapes
from monitor.tiers import (
    MINUTE,
    RAW,
    TEN_MINUTES,
    StoreOptions,
    Tier,
    tier_for,
)

# A chart computes at most this many hours, or days, that are not rolled up yet.
MOST_PENDING = 6
READ_LIMIT = 30_000
ALL = Selection(["*"])

PointsOf = dict[str, Points]


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time, Unix seconds, `end` exclusive."""

    start: float
    end: float

    def meets(self, start: float, seconds: float) -> bool:
        """Whether something of a length that begins then lies in it at least in part."""
        return start < self.end and start + seconds > self.start


def last_seen(tables: Tables, host_ids: Iterable[int]) -> dict[int, float]:
    """Give host id -> Unix seconds of its newest sample; hosts that never sent are missing."""
    documents = by_ids(tables["latest"], list(host_ids), {"t": 1})
    return {doc["_id"]: doc["t"] / 1000 for doc in documents}


def read_latest(
    tables: Tables, shapes: Shapes, host_ids: Iterable[int]
) -> dict[int, Latest]:
    """Give the newest sample and spark line of many hosts; those that never sent are missing."""
    documents = by_ids(tables["latest"], list(host_ids))
    names = shapes.names_of(tables, (doc["s"] for doc in documents))
    return {
        doc["_id"]: Latest(
            host_id=doc["_id"],
            time=doc["t"] / 1000,
            values=dict(zip(names.get(doc["s"], ()), doubles(doc["v"]), strict=False)),
            spark=unpack_ring(doc["r"]),
        )
        for doc in documents
    }


class Reader:
    """Reads one host's measurements from whatever tier; nothing is missing because its roll-up is not done yet."""

    def __init__(self, tables: Tables, shapes: Shapes, options: StoreOptions) -> None:
        self._tables, self._shapes, self.options = tables, shapes, options

    def samples(
        self,
        host_id: int,
        span: Span,
        selection: Selection = ALL,
        limit: int = READ_LIMIT,
    ) -> Samples:
        """Give single samples: those that are packed, and of those that came since `limit` documents, 0 for all."""
        first, last = hour_of(span.start), hour_of(span.end)
        keys = {"b": between(host_id, first, last)}
        packed = self._tables[RAW.table].find(keys)
        parts = [unpack_samples(doc["z"], selection) for doc in packed]
        return join_samples([*parts, *self.waiting(keys, selection, limit)])

    def samples_of_many(
        self, host_ids: Sequence[int], span: Span, selection: Selection
    ) -> Iterator[tuple[int, Samples]]:
        """Give single samples of many hosts: (host, all of them)."""
        first, last = hour_of(span.start), hour_of(span.end)
        hours = range(first, last + 1, HOUR_SECONDS)
        keys = [unit_key(host_id, hour) for host_id in host_ids for hour in hours]
        parts: defaultdict[int, list[Samples]] = defaultdict(list)
        for doc in by_ids(self._tables[RAW.table], keys):
            packed = unpack_samples(doc["z"], selection)
            parts[host_of_key(doc["_id"])].append(packed)
        for host_id in host_ids:
            query = {"b": between(host_id, first, last)}
            parts[host_id] += self.waiting(query, selection, READ_LIMIT)
            yield host_id, join_samples(parts[host_id])

    def waiting(
        self, query: Mapping[str, Any], selection: Selection, limit: int = 0
    ) -> list[Samples]:
        """Give the samples that no roll-up has packed; `limit` documents, 0 for all."""
        documents = list(self._tables["chunks"].find(query).limit(limit))
        names = self._shapes.names_of(self._tables, {doc["s"] for doc in documents})
        groups: defaultdict[str, list[Any]] = defaultdict(list)
        for doc in documents:
            if doc["s"] in names:
                groups[doc["s"]].append(doc)
        return [
            stack(names[s], [d["t"] for d in some], [d["v"] for d in some]).pick(
                selection
            )
            for s, some in groups.items()
        ]

    def blocks(
        self, host_id: int, tier: Tier, span: Span, selection: Selection = ALL
    ) -> list[Block]:
        """Give what is rolled up of the wanted metrics, a block a document."""
        first, last = tier.unit_of(span.start), tier.unit_of(span.end)
        families = selection.families() if tier.families else None
        table = self._tables[tier.table]
        if families is None:
            documents = list(table.find({"b": between(host_id, first, last)}))
        else:
            units = range(first, last + 1, tier.unit)
            ids = [unit_key(host_id, unit, f) for unit in units for f in families]
            documents = by_ids(table, ids)
        return [
            unpack_block(doc["z"], unit_of_key(doc["b"]), tier.seconds, selection)
            for doc in documents
        ]

    def blocks_of_many(
        self, host_ids: Sequence[int], tier: Tier, span: Span, selection: Selection
    ) -> Iterator[tuple[int, Block]]:
        """Give what is rolled up of many hosts; the selection names its families."""
        units = range(tier.unit_of(span.start), tier.unit_of(span.end) + 1, tier.unit)
        families = selection.families() or [""]
        keys = [unit_key(h, u, f) for h in host_ids for u in units for f in families]
        for doc in by_ids(self._tables[tier.table], keys):
            start = unit_of_key(doc["b"])
            block = unpack_block(doc["z"], start, tier.seconds, selection)
            yield host_of_key(doc["b"]), block

    def points(
        self, host_id: int, tier: Tier, span: Span, selection: Selection
    ) -> PointsOf:
        """Give what a tier knows, with what it will know when all roll-ups are done."""
        if tier is RAW:
            return self.samples(host_id, span, selection).points()
        found = [
            block.points() for block in self.blocks(host_id, tier, span, selection)
        ]
        hours = self.pending(host_id, "due_hours", span)
        if tier.source == "raw":
            for hour in hours:
                part = Span(hour, hour + HOUR_SECONDS - 0.001)
                fresh = self.samples(host_id, part, selection).points()
                found.append(widened(fresh, tier.seconds))
        else:
            days = {hour // DAY_SECONDS * DAY_SECONDS for hour in hours}
            days |= set(self.pending(host_id, "due_days", span, DAY_SECONDS))
            for day in sorted(days)[-MOST_PENDING:]:
                part = Span(day, day + DAY_SECONDS - 1)
                fresh = self.points(host_id, TEN_MINUTES, part, selection)
                found.append(widened(fresh, tier.seconds))
        return joined(found)

    def pending(
        self,
        host_id: int,
        queue: str,
        span: Span,
        seconds: int = HOUR_SECONDS,
        most: int | None = MOST_PENDING,
    ) -> list[int]:
        """Give the hours, or days, of a host that wait for their roll-up: the newest of a range, ascending."""
        markers = self._tables[queue].find({"h": host_id}, {"_id": 1})
        starts = (unit_of_key(marker["_id"]) for marker in markers)
        found = sorted(s for s in starts if span.meets(s, seconds))
        return found[-most:] if most else found

    def pending_of_many(
        self, host_ids: Sequence[int], span: Span
    ) -> dict[int, list[int]]:
        """Give the hours of many hosts that wait for their roll-up, as `pending` does; hosts without one are missing."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for some in chunks(host_ids):
            for marker in self._tables["due_hours"].find({"h": {"$in": some}}):
                hour = unit_of_key(marker["_id"])
                if span.meets(hour, HOUR_SECONDS):
                    found[marker["h"]].append(hour)
        return {h: sorted(hours)[-MOST_PENDING:] for h, hours in found.items()}

    def series(self, host_id: int, window: Window, selection: Selection) -> SeriesSet:
        """Draw metrics of one host from the tier that suits the window, or a coarser one that reaches further back."""
        options = self.options
        own = options.retention_of([host_id]).get(host_id)
        if own is not None:
            options = replace(options, retention=own)
        span = Span(window.start, window.end)
        tier = tier_for(
            window.start,
            window.end,
            points=window.max_points,
            now=window.now,
            options=options,
        )
        found = self.points(host_id, tier, span, selection)
        for coarser in _coarser(tier):
            late = _begin(found, span)
            if late <= span.start + 2 * coarser.seconds:
                break
            other = self.points(host_id, coarser, span, selection)
            if _begin(other, span) < late - coarser.seconds:
                tier, found = coarser, other
        newest = last_seen(self._tables, [host_id]).get(host_id)
        return draw(found, window, newest, slot_seconds=tier.seconds, tier=tier.name)


def _coarser(tier: Tier) -> Sequence[Tier]:
    """Give the tiers that may know more of the beginning of a range: written history has no finer ones."""
    return [other for other in (MINUTE, TEN_MINUTES) if other.seconds > tier.seconds]


def _begin(points: PointsOf, span: Span) -> float:
    starts = [
        float(inside.times[0])
        for p in points.values()
        if len((inside := p.inside(span.start, span.end)).times)
    ]
    return min(starts, default=span.end)


def widened(points: PointsOf, seconds: int) -> PointsOf:
    """Give wider slots."""
    return {name: p.widened(seconds) for name, p in points.items()}


def joined(parts: Sequence[PointsOf]) -> PointsOf:
    """Join what several documents know of the same metrics."""
    together: defaultdict[str, list[Points]] = defaultdict(list)
    for part in parts:
        for name, points in part.items():
            together[name].append(points)
    return {name: join_points(some) for name, some in together.items()}
