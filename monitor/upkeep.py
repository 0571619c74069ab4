"""What is done to stored hours and days later: packed and rolled up. Safe to repeat, to kill at any step, to run twice at once."""

import logging
from collections.abc import Callable
from datetime import UTC
from typing import Any

from monitor import units
from monitor.folding import fold
from monitor.mongo import answers, upsert
from monitor.reading import ALL, Reader, Span
from monitor.records import (
    DAY_SECONDS,
    HOUR_SECONDS,
    Document,
    delete_ids,
    moment_of,
    unit_key,
    unit_of_key,
)
from monitor.retention import enlist
from monitor.rollups import Block, coarsen, roll, side_by_side
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

logger = logging.getLogger(__name__)
# What could not be rolled up, for a fault of ours or in its data, is tried again after so long, then twice as long ...
PAUSE_SECONDS = 600
LONGEST_PAUSE_SECONDS = 6 * 3600
MOST_TRIES = 1_000_000
# A day is rolled up when its hours have had time to be.
DAY_SETTLE_SECONDS = 3600


class Upkeep:
    """Works off the markers that are due."""

    def __init__(self, db: Any, shapes: Shapes, options: StoreOptions) -> None:
        self._db, self._options = db, options
        self._reader = Reader(db, shapes, options)

    def run(self, limit: int, now: float) -> int:
        """Handle up to `limit` due host-hours, then host-days, oldest first; give how many.

        Raises:
            PyMongoError: the store is away.
        """
        for marker in self._due("due_hours", limit, now, "fold"):
            if marker["due"].replace(tzinfo=UTC) > moment_of(now):
                self._try("due_hours", marker, now, self._fold_at(now), "fold")
        hours = self._due("due_hours", limit, now)
        for marker in hours:
            self._try("due_hours", marker, now, lambda m: self.roll_hour(m, now))
        days = self._due("due_days", limit - len(hours), now)
        for marker in days:
            self._try("due_days", marker, now, self.roll_day)
        return len(hours) + len(days)

    def _fold_at(self, now: float) -> Callable[[Document], None]:
        return lambda marker: fold(self._db, marker, now)

    def _try(
        self,
        queue: str,
        marker: Document,
        now: float,
        work: Callable[[Document], None],
        field: str = "due",
    ) -> None:
        """Do it; what cannot be done holds no other up, and is tried again later each time.

        Raises:
            PyMongoError: the store is away.
        """
        try:
            work(marker)
        except Exception:
            if not answers(self._db):
                raise
            failed = marker.get("f", 0) + 1
            pause = min(PAUSE_SECONDS * 2 ** (failed - 1), LONGEST_PAUSE_SECONDS)
            host_id, start = marker["h"], moment_of(unit_of_key(marker["_id"]))
            logger.exception(
                "measurements of host %d from %s on (%s) cannot be worked off; try %d, the next one in %d seconds",
                *(host_id, start, queue, failed, pause),
            )
            later = {field: moment_of(now + pause), "f": failed}
            self._db[queue].update_one({"_id": marker["_id"]}, {"$set": later})

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
        blocks = self._pack(host_id, hour, now)
        if blocks is None:
            return
        if all(self.keep(host_id, tier, block) for tier, block in blocks.items()):
            # All of them are packed by now, and what came since is not among them.
            delete_ids(self._db["chunks"], seen)
            self._done("due_hours", marker)

    def _pack(self, host_id: int, hour: int, now: float) -> dict[Tier, Block] | None:
        """Write an hour's samples packed, and give the slots of its tiers; None where others were always faster."""
        table, key = self._db[RAW.table], unit_key(host_id, hour)
        for _ in range(RETRIES):
            parts = units.fetch_parts(table, [key])[key]
            waiting = self._reader.waiting({"b": key[:-1]}, ALL)
            changes: list[units.Change] = []
            slots: dict[Tier, list[Block]] = {MINUTE: [], TEN_MINUTES: []}
            for samples, change in units.parts_of_hour(key, parts, waiting):
                changes += [change] if change else []
                for tier, rolled in slots.items():
                    many = HOUR_SECONDS // tier.seconds
                    rolled.append(roll(samples, hour, tier.seconds, many))
            if units.write(table, changes):
                if slots[MINUTE]:
                    self.mark_day(host_id, hour, now)
                return {t: side_by_side(some) for t, some in slots.items() if some}
        return None

    def mark_day(self, host_id: int, hour: int, now: float) -> None:
        """Say that a day's slots will change, before they do."""
        day = hour // DAY_SECONDS * DAY_SECONDS
        change = marking(host_id, day + DAY_SECONDS + DAY_SETTLE_SECONDS, now)
        upsert(self._db["due_days"], [({"_id": unit_key(host_id, day)[:-1]}, change)])
        enlist(self._db, host_id, now)

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
            found = units.fetch_parts(table, list(wanted))
            changes = (
                change
                for key, (unit, part) in wanted.items()
                for change in units.changes_of_block(tier, key, unit, part, found[key])
            )
            if units.write(table, changes):
                return True
        return False

    def _done(self, queue: str, marker: Document) -> None:
        # Unless something came meanwhile: then the marker is its own.
        self._db[queue].delete_one({"_id": marker["_id"], "n": marker["n"]})


def _units(tier: Tier, block: Block) -> range:
    end = block.start + block.slots * block.step
    return range(tier.unit_of(block.start), end, tier.unit)


def count_failed(db: Any) -> int:
    """Count the host-hours and host-days that could not be worked off when they were last tried."""
    failed = {"f": {"$gte": 1, "$lte": MOST_TRIES}}
    queues = ("due_hours", "due_days")
    return sum(db[queue].count_documents(failed) for queue in queues)
