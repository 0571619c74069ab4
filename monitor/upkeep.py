"""What is done to stored hours later: rolled up when they are over, dropped when retention is over."""

from typing import Any

from monitor.reading import raw_rows
from monitor.records import (
    HOUR_SECONDS,
    Document,
    StoreOptions,
    Tables,
    hour_key,
    hour_of_key,
    moment_of,
)
from monitor.rollups import HourBlock, merge, pack, roll_hour, unpack
from monitor.shapes import Shapes

# A marker is not written again for MARK_SECONDS; a roll-up waits SETTLE_SECONDS after the
# last one. The difference covers a slow insert and clocks that differ between machines.
MARK_SECONDS = 240
SETTLE_SECONDS = 360
RETRIES = 5


def marking(host_id: int, hour: int, now: float) -> Document:
    """Give the change that says: this hour has samples that no roll-up has seen."""
    due = moment_of(max(hour + HOUR_SECONDS, now) + SETTLE_SECONDS)
    return {"$set": {"h": host_id, "dirty": True, "due": due}, "$inc": {"n": 1}}


def packed_hour(
    tables: Tables, shapes: Shapes, host_id: int, block: HourBlock, version: int = 1
) -> Document:
    """Give the document of a roll-up."""
    key = hour_key(host_id, block.hour)
    return {
        "_id": key,
        "b": key,
        "t": moment_of(block.hour),
        "s": shapes.id_of(tables, block.names),
        "z": pack(block),
        "r": version,
    }


class Upkeep:
    """Works off the markers that are due; safe to repeat, to kill, and to run twice at once."""

    def __init__(self, tables: Tables, shapes: Shapes, options: StoreOptions) -> None:
        self._tables, self._shapes, self._options = tables, shapes, options

    def run(self, limit: int, now: float) -> int:
        """Handle up to `limit` due host-hours, oldest first; give how many."""
        due = {"$gte": moment_of(0), "$lte": moment_of(now)}
        query = self._tables["raw_hours"].find({"due": due}).sort("due", 1)
        markers = list(query.limit(limit))
        for marker in markers:
            if marker["dirty"]:
                self.roll(marker, now)
            else:
                self.drop(marker)
        return len(markers)

    def roll(self, marker: Document, now: float) -> None:
        """Compute a whole hour from its samples, whatever was computed before."""
        rows = raw_rows(self._tables, self._shapes, [marker["_id"]])
        if rows:
            block = roll_hour(hour_of_key(marker["_id"]), rows)
            self.keep(marker["h"], block)
        done = {"dirty": False, "due": moment_of(now + self._options.raw_seconds)}
        # Unless samples came meanwhile: then the marker is theirs.
        self._tables["raw_hours"].update_one(_unchanged(marker), {"$set": done})

    def keep(self, host_id: int, block: HourBlock) -> None:
        """Write a roll-up over the older one, if any; where a twin was faster, start again."""
        hours = self._tables["hours"]
        for _ in range(RETRIES):
            old = hours.find_one({"_id": hour_key(host_id, block.hour)})
            if self._replace(hours, host_id, old, block):
                return

    def _replace(
        self, hours: Any, host_id: int, old: Document | None, block: HourBlock
    ) -> bool:
        if old is None:
            document = packed_hour(self._tables, self._shapes, host_id, block)
            only_new = {"$setOnInsert": document}
            result = hours.update_one({"_id": document["_id"]}, only_new, upsert=True)
            return result.upserted_id is not None
        names = self._shapes.names_of(self._tables, [old["s"]]).get(old["s"])
        if names is not None:
            block = merge(unpack(block.hour, names, old["z"]), block)
        version = old["r"] + 1
        document = packed_hour(self._tables, self._shapes, host_id, block, version)
        same = {"_id": old["_id"], "r": old["r"]}
        return bool(hours.replace_one(same, document).matched_count)

    def drop(self, marker: Document) -> None:
        """Delete the samples that the roll-up has seen, and none that came after."""
        samples, mine = self._tables["samples"], {"b": marker["_id"]}
        seen = [doc["_id"] for doc in samples.find(mine, {"_id": 1})]
        # A writer marks before it inserts: unmarked until here, `seen` holds nothing new.
        if self._tables["raw_hours"].find_one(_unchanged(marker)) is None:
            return
        samples.delete_many({**mine, "_id": {"$in": seen}})
        self._tables["raw_hours"].delete_one(_unchanged(marker))


def _unchanged(marker: Document) -> Document:
    return {"_id": marker["_id"], "n": marker["n"]}
