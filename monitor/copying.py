"""What becomes of the measurements of a host that is gone: copied to another, as the same machine, or forgotten."""

from typing import Any

from monitor.migrating import OLD
from monitor.mongo import insert_new
from monitor.reading import Reader, Span
from monitor.records import HOUR_SECONDS, between, delete_ids, unit_of_key
from monitor.table_keeping import TableKeeper, read_tables
from monitor.tiers import RAW, TIERS, Tier
from monitor.upkeep import Upkeep
from monitor.writing import Writer

# Everything of a host lies before the year 3000.
FOREVER = 9_000_000 * HOUR_SECONDS


def forget(db: Any, host_id: int) -> None:
    """Delete all that is kept of a host, with indexes behind every step."""
    everything = {"b": between(host_id, 0, FOREVER)}
    # Markers first: a sample that comes meanwhile brings its own.
    for queue in ("due_hours", "due_days"):
        db[queue].delete_many({"h": host_id})
    for name in ("chunks", *OLD, *(tier.table for tier in TIERS)):
        found = db[name].find(everything, {"_id": 1})
        delete_ids(db[name], [doc["_id"] for doc in found])
    # By `latest` a host is found again that was not deleted to the end: it goes last.
    for name in ("tables", "custom", "sweeps", "latest"):
        db[name].delete_one({"_id": host_id})


class Copier:
    """Copies; what is done twice changes nothing, so that it may be killed and begun again."""

    def __init__(self, db: Any, reader: Reader, writer: Writer, upkeep: Upkeep) -> None:
        self._db, self._reader = db, reader
        self._writer, self._upkeep = writer, upkeep

    def copy(self, source: int, target: int) -> None:
        """Copy samples and slots of all tiers, the lists, and where the target has none the newest sample.

        Of a slot that both have, the one with more samples stays.
        """
        for hour in self._units(source, RAW, "chunks"):
            span = Span(hour, hour + HOUR_SECONDS - 0.001)
            found = self._reader.samples(source, span)
            samples = found.listed(hour, hour + HOUR_SECONDS)
            self._writer.write(self._db, {target: samples})
        for tier in TIERS:
            if tier is not RAW:
                self._copy_slots(source, target, tier)
        lists = list(read_tables(self._db, source).values())
        TableKeeper().keep(self._db, {target: lists})
        newest = self._db["latest"].find_one({"_id": source})
        if newest is not None:
            insert_new(self._db["latest"], [newest | {"_id": target}])

    def _copy_slots(self, source: int, target: int, tier: Tier) -> None:
        for unit in self._units(source, tier):
            for block in self._reader.blocks(source, tier, Span(unit, unit)):
                self._upkeep.keep(target, tier, block)

    def _units(self, source: int, tier: Tier, *more: str) -> list[int]:
        """Give the starts of all units of a host in a tier, ascending."""
        everything = {"b": between(source, 0, FOREVER)}
        return sorted(
            {
                unit_of_key(document["b"])
                for table in (tier.table, *more)
                for document in self._db[table].find(everything, {"b": 1})
            }
        )
