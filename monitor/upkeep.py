"""What is done to stored hours and days later: packed and rolled up. Safe to repeat, to kill at any step, to run twice at once."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from monitor.folding import fold
from monitor.mongo import swap, upsert
from monitor.reading import ALL, Reader, Span
from monitor.records import (
    DAY_SECONDS,
    HOUR_SECONDS,
    Document,
    by_ids,
    delete_ids,
    moment_of,
    unit_key,
    unit_of_key,
)
from monitor.rollups import (
    Block,
    Samples,
    coarsen,
    empty,
    join_samples,
    merge,
    pack_block,
    pack_samples,
    roll,
    unpack_block,
    unpack_samples,
)
from monitor.shapes import Shapes
from monitor.tiers import (
    DAY,
    MINUTE,
    RAW,
    TEN_MINUTES,
    TWO_HOURS,
    StoreOptions,
    Tier,
)
from monitor.writing import RETRIES, marking

# A day is rolled up when its hours have had time to be.
DAY_SETTLE_SECONDS = 3600


class Upkeep:
    """Works off the markers that are due."""

    def __init__(self, db: Any, shapes: Shapes, options: StoreOptions) -> None:
        self._db, self._options = db, options
        self._reader = Reader(db, shapes, options)

    def run(self, limit: int, now: float) -> int:
        """Handle up to `limit` due host-hours, then host-days, oldest first; give how many."""
        for marker in self._due("due_hours", limit, now, "fold"):
            if marker["due"].replace(tzinfo=UTC) > moment_of(now):
                fold(self._db, marker, now)
        hours = self._due("due_hours", limit, now)
        for marker in hours:
            self.roll_hour(marker, now)
        days = self._due("due_days", limit - len(hours), now)
        for marker in days:
            self.roll_day(marker)
        return len(hours) + len(days)

    def _due(
        self, queue: str, limit: int, now: float, field: str = "due"
    ) -> list[Document]:
        if limit <= 0:
            return []
        due = {"$gte": moment_of(0), "$lte": moment_of(now)}
        query = self._db[queue].find({field: due}).sort(field, 1)
        return list(query.limit(limit))

    def roll_hour(self, marker: Document, now: float) -> None:
        """Pack an hour's samples and compute its slots from all of them, whatever was computed before."""
        host_id, hour = marker["h"], unit_of_key(marker["_id"])
        seen = [
            doc["_id"]
            for doc in self._db["chunks"].find({"b": marker["_id"]}, {"_id": 1})
        ]
        samples = self._pack(host_id, hour)
        if samples is None:
            return
        if not samples.names:
            self._done("due_hours", marker)
            return
        self._mark_day(host_id, hour, now)
        minutes = roll(samples, hour, MINUTE.seconds, MINUTE.slots)
        slots = HOUR_SECONDS // TEN_MINUTES.seconds
        tens = roll(samples, hour, TEN_MINUTES.seconds, slots)
        if self.keep(host_id, MINUTE, minutes) and self.keep(
            host_id, TEN_MINUTES, tens
        ):
            # All of them are packed by now, and what came since is not among them.
            delete_ids(self._db["chunks"], seen)
            self._done("due_hours", marker)

    def _pack(self, host_id: int, hour: int) -> Samples | None:
        """Write an hour's samples packed; None where others were always faster."""
        table, key = self._db[RAW.table], unit_key(host_id, hour)
        for _ in range(RETRIES):
            old = table.find_one({"_id": key})
            parts = [] if old is None else [unpack_samples(old["z"])]
            waiting = self._reader.waiting({"b": key[:-1]}, ALL)
            samples = join_samples([*parts, *waiting])
            if not waiting:
                return samples
            if swap(table, [_change(key, old, pack_samples(samples))]):
                return samples
        return None

    def _mark_day(self, host_id: int, hour: int, now: float) -> None:
        """Say that a day's slots will change, before they do."""
        day = hour // DAY_SECONDS * DAY_SECONDS
        change = marking(host_id, day + DAY_SECONDS + DAY_SETTLE_SECONDS, now)
        upsert(self._db["due_days"], [({"_id": unit_key(host_id, day)[:-1]}, change)])

    def roll_day(self, marker: Document) -> None:
        """Compute a day's wide slots from its ten-minute ones."""
        host_id, day = marker["h"], unit_of_key(marker["_id"])
        last = day + DAY_SECONDS - 1
        kept = True
        for block in self._reader.blocks(host_id, TEN_MINUTES, Span(day, last)):
            for tier in (TWO_HOURS, DAY):
                wide = coarsen(block, day, tier.seconds, DAY_SECONDS // tier.seconds)
                kept = self.keep(host_id, tier, wide) and kept
        if kept:
            self._done("due_days", marker)

    def keep(self, host_id: int, tier: Tier, block: Block) -> bool:
        """Write slots into the units of a tier; those with more samples stay. False where others were always faster."""
        parts = block.by_family() if tier.families else {"": block}
        table = self._db[tier.table]
        for _ in range(RETRIES):
            wanted = {
                unit_key(host_id, unit, family): (unit, part)
                for family, part in parts.items()
                for unit in _units(tier, part)
            }
            found = {doc["_id"]: doc for doc in by_ids(table, list(wanted))}
            if swap(table, _exchanges(tier, wanted, found)):
                return True
        return False

    def _done(self, queue: str, marker: Document) -> None:
        # Unless something came meanwhile: then the marker is its own.
        self._db[queue].delete_one({"_id": marker["_id"], "n": marker["n"]})


def _units(tier: Tier, block: Block) -> range:
    end = block.start + block.slots * block.step
    return range(tier.unit_of(block.start), end, tier.unit)


def _exchanges(
    tier: Tier,
    wanted: Mapping[str, tuple[int, Block]],
    found: Mapping[str, Document],
) -> Sequence[tuple[Document | None, Document]]:
    changes = []
    for key, (unit, part) in wanted.items():
        new, old = part.window(unit, tier.slots), found.get(key)
        before = (
            empty(unit, tier.seconds, tier.slots, ())
            if old is None
            else unpack_block(old["z"], unit, tier.seconds)
        )
        packed = pack_block(merge(before, new))
        if old is None or packed != old["z"]:
            changes.append(_change(key, old, packed))
    return changes


def _change(
    key: str, old: Document | None, packed: bytes
) -> tuple[Document | None, Document]:
    version = 1 if old is None else old["r"] + 1
    document = {"_id": key, "b": key, "z": packed, "r": version}
    return (None if old is None else {"_id": key, "r": old["r"]}), document
