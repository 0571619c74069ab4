"""Questions to the stored measurements, of many hosts at once wherever it can be, answered as dataclasses."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor import units
from monitor.latest import Latest, unpack_ring
from monitor.packed import unpack_block, unpack_points, unpack_samples
from monitor.records import (
    DAY_SECONDS,
    HOUR_SECONDS,
    Tables,
    between,
    by_ids,
    chunks,
    doubles,
    host_of_key,
    hour_key,
    hour_of,
    unit_key,
    unit_of_key,
)
from monitor.rollups import Block, Samples, join_samples, stack
from monitor.series import Points, Selection, join_points
from monitor.shapes import Shapes
from monitor.tiers import RAW, TEN_MINUTES, StoreOptions, Tier

# SecantusDB takes time by the square of the keys of an index asked for at once; those of _id are cheaper.
FEW_KEYS = 10
# Hosts whose single samples are in memory at once.
HOSTS_AT_ONCE = 20
ALL = Selection(["*"])

PointsOf = dict[str, Points]
HoursOf = Mapping[int, Collection[int]]


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
    """Reads the measurements of hosts from whatever tier; nothing is missing because its roll-up is not done yet.

    A roll-up writes what it packed, deletes the samples, then their marker. Questions go the other way round: what is
    moved meanwhile is found twice, counts once, and is never missed.
    """

    def __init__(self, tables: Tables, shapes: Shapes, options: StoreOptions) -> None:
        self._tables, self._shapes, self.options = tables, shapes, options

    def samples(self, host_id: int, span: Span, selection: Selection = ALL) -> Samples:
        """Give all single samples of a host in the hours of a span."""
        first, last = hour_of(span.start), hour_of(span.end)
        keys = {"b": between(host_id, first, last)}
        fresh = self.waiting(keys, selection)
        packed = self._tables[RAW.table].find(keys)
        parts = [unpack_samples(doc["z"], selection) for doc in packed]
        return join_samples([*parts, *fresh])

    def samples_of_many(
        self, hours: HoursOf, unpacked: HoursOf, selection: Selection
    ) -> Iterator[tuple[int, Samples]]:
        """Give single samples of many hosts, a few hosts at a time: (host, all of them).

        Args:
            hours: the hours to read. unpacked: those of them that a roll-up waits for.
        """
        for some in chunks(hours, HOSTS_AT_ONCE):
            # First what is not packed: what is packed meanwhile is found twice then, and not missed.
            fresh = self._waiting_of_many(some, unpacked, selection)
            parts: defaultdict[int, list[Samples]] = defaultdict(list)
            keys = [unit_key(h, hour) for h in some for hour in hours[h]]
            for doc in units.fetch(self._tables[RAW.table], keys):
                packed = unpack_samples(doc["z"], selection)
                parts[host_of_key(doc["_id"])].append(packed)
            for host_id in some:
                if found := [*parts[host_id], *fresh[host_id]]:
                    yield host_id, join_samples(found)

    def waiting(
        self, query: Mapping[str, Any], selection: Selection = ALL
    ) -> list[Samples]:
        """Give the samples that no roll-up has packed."""
        return self._stacked(list(self._tables["chunks"].find(query)), selection)

    def _waiting_of_many(
        self, host_ids: Iterable[int], unpacked: HoursOf, selection: Selection
    ) -> defaultdict[int, list[Samples]]:
        keys = [hour_key(h, hour) for h in host_ids for hour in unpacked.get(h, ())]
        found: defaultdict[int, list[Samples]] = defaultdict(list)
        for some in chunks(keys, FEW_KEYS):
            documents: defaultdict[int, list[Any]] = defaultdict(list)
            for doc in self._tables["chunks"].find({"b": {"$in": some}}):
                documents[host_of_key(doc["b"])].append(doc)
            for host_id, mine in documents.items():
                found[host_id] += self._stacked(mine, selection)
        return found

    def _stacked(self, documents: Sequence[Any], selection: Selection) -> list[Samples]:
        names = self._shapes.names_of(self._tables, {doc["s"] for doc in documents})
        groups: defaultdict[str, list[Any]] = defaultdict(list)
        for doc in documents:
            if doc["s"] in names:
                groups[doc["s"]].append(doc)
        return [
            stack(names[s], [d["t"] for d in some], [d["v"] for d in some], selection)
            for s, some in groups.items()
        ]

    def _units(
        self, host_ids: Sequence[int], tier: Tier, span: Span, selection: Selection
    ) -> Iterator[Any]:
        """Give the documents of a tier."""
        table = self._tables[tier.table]
        first, last = tier.unit_of(span.start), tier.unit_of(span.end)
        families = selection.families() if tier.families else [""]
        if families is None:
            for host_id in host_ids:
                yield from table.find({"b": between(host_id, first, last)})
            return
        starts = range(first, last + 1, tier.unit)
        keys = (unit_key(h, u, f) for h in host_ids for u in starts for f in families)
        for some in chunks(keys):
            yield from units.fetch(table, some)

    def blocks(self, host_id: int, tier: Tier, span: Span) -> list[Block]:
        """Give what is rolled up of a host, a block a document."""
        return [
            unpack_block(doc["z"], unit_of_key(doc["b"]), tier.seconds)
            for doc in self._units([host_id], tier, span, ALL)
        ]

    def points(
        self,
        host_ids: Sequence[int],
        tier: Tier,
        span: Span,
        selection: Selection,
        *,
        fresh: bool = True,
    ) -> dict[int, PointsOf]:
        """Give what a tier knows of hosts; those of which it knows nothing are missing.

        Args:
            fresh: with what it will know when all roll-ups are done.
        """
        waited = (
            list(self._fresh(host_ids, tier, span, selection))
            if fresh or tier is RAW
            else []
        )
        parts: defaultdict[int, list[PointsOf]] = defaultdict(list)
        if tier is not RAW:
            for doc in self._units(host_ids, tier, span, selection):
                start = unit_of_key(doc["b"])
                found = unpack_points(doc["z"], start, tier.seconds, selection)
                parts[host_of_key(doc["b"])].append(found)
        for host_id, found in waited:
            parts[host_id].append(found)
        return {host_id: joined(some) for host_id, some in parts.items()}

    def _fresh(
        self, host_ids: Sequence[int], tier: Tier, span: Span, selection: Selection
    ) -> Iterator[tuple[int, PointsOf]]:
        """Give what a tier does not hold yet; of the tier of single samples all, as its documents are read the same way."""
        if tier is RAW:
            first, last = hour_of(span.start), hour_of(span.end)
            hours = range(first, last + 1, HOUR_SECONDS)
            unpacked = self.pending(host_ids, "due_hours", span)
            wanted: HoursOf = dict.fromkeys(host_ids, hours)
        else:
            wanted = unpacked = self.pending(host_ids, "due_hours", span)
        if tier.source in {None, "raw"}:
            for host_id, found in self.samples_of_many(wanted, unpacked, selection):
                yield host_id, widened(found.points(), tier.seconds)
            return
        for days, some in self._due_days(host_ids, span, wanted).items():
            for day in days:
                part = Span(day, day + DAY_SECONDS - 1)
                tens = self.points(some, TEN_MINUTES, part, selection)
                for host_id, ten in tens.items():
                    yield host_id, widened(ten, tier.seconds)

    def _due_days(
        self, host_ids: Sequence[int], span: Span, hours: HoursOf
    ) -> dict[tuple[int, ...], list[int]]:
        """Give the days that a roll-up waits for, with the hosts of which it does."""
        days = self.pending(host_ids, "due_days", span, DAY_SECONDS)
        alike: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        for host_id in host_ids:
            found = {
                hour // DAY_SECONDS * DAY_SECONDS for hour in hours.get(host_id, ())
            }
            found |= set(days.get(host_id, ()))
            if found:
                alike[tuple(sorted(found))].append(host_id)
        return alike

    def pending(
        self,
        host_ids: Sequence[int],
        queue: str,
        span: Span,
        seconds: int = HOUR_SECONDS,
    ) -> dict[int, list[int]]:
        """Give the hours, or days, that wait for their roll-up: those of each host in a range, ascending.

        Hosts without one are missing.
        """
        found: defaultdict[int, list[int]] = defaultdict(list)
        for some in chunks(host_ids, FEW_KEYS):
            query = {"h": {"$in": some}}
            for marker in self._tables[queue].find(query, {"h": 1}):
                start = unit_of_key(marker["_id"])
                if span.meets(start, seconds):
                    found[marker["h"]].append(start)
        return {h: sorted(starts) for h, starts in found.items()}


def widened(points: PointsOf, seconds: int) -> PointsOf:
    """Give wider slots; 0 seconds: as they are."""
    if not seconds:
        return points
    return {name: p.widened(seconds) for name, p in points.items()}


def joined(parts: Sequence[PointsOf]) -> PointsOf:
    """Join what several documents know of the same metrics."""
    together: defaultdict[str, list[Points]] = defaultdict(list)
    for part in parts:
        for name, points in part.items():
            together[name].append(points)
    return {name: join_points(some) for name, some in together.items()}
