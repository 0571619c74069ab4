"""Brings measurements from before the tiers into them: host-hour by host-hour, safe to repeat, to kill and to run twice at once.

Roll-ups go first: what is computed from samples afterwards, with the last reading of each slot, stands over them. A document
goes when what it said is stored; so a run that was killed is taken up where it was.
"""

import zlib
from dataclasses import dataclass
from typing import Any

from monitor.old_format import block_of, samples_of
from monitor.records import (
    HOUR_SECONDS,
    Document,
    delete_ids,
    host_of_key,
)
from monitor.rollups import coarsen
from monitor.shapes import Shapes
from monitor.tiers import TEN_MINUTES
from monitor.upkeep import Upkeep
from monitor.writing import Writer

OLD = ("samples", "hours")
# Old documents that are looked at in one step.
LOOK = 200


@dataclass(slots=True)
class Moved:
    """What a migration did.

    Attributes:
        samples: single samples brought over.
        hours: hours of five-minute slots brought over.
        lost: documents that nobody can read any more: damaged, or the names of their numbers are gone.
    """

    samples: int = 0
    hours: int = 0
    lost: int = 0

    def __bool__(self) -> bool:
        return bool(self.samples or self.hours or self.lost)

    def add(self, other: "Moved") -> None:
        """Count what another step did."""
        self.samples += other.samples
        self.hours += other.hours
        self.lost += other.lost


class Migration:
    """Works off what is left of the old collections.

    Args:
        now: Unix seconds.
    """

    def __init__(
        self, db: Any, shapes: Shapes, writer: Writer, upkeep: Upkeep, now: float
    ) -> None:
        self._db, self._shapes, self._now = db, shapes, now
        self._writer, self._upkeep = writer, upkeep

    def is_done(self) -> bool:
        """Say whether nothing is left; the markers of that time go then."""
        if any(self._db[name].find_one({}, {"_id": 1}) for name in OLD):
            return False
        self._db["raw_hours"].drop()
        return True

    def step(self) -> Moved:
        """Bring over a few host-hours."""
        moved = Moved()
        rolled_up = list(self._db["hours"].find({}).limit(LOOK))
        for document in rolled_up:
            moved.add(self._hour(document))
        if not rolled_up:
            found = self._db["samples"].find({}, {"b": 1}).limit(LOOK)
            for key in sorted({doc["b"] for doc in found}):
                moved.add(self._samples(key))
        return moved

    def _hour(self, document: Document) -> Moved:
        names = self._shapes.names_of(self._db, [document["s"]]).get(document["s"])
        try:
            block = block_of(document, names or ())
        except (ValueError, zlib.error):
            names = None
        if names is None:
            self._db["hours"].delete_one({"_id": document["_id"]})
            return Moved(lost=1)
        host_id = host_of_key(document["_id"])
        slots = HOUR_SECONDS // TEN_MINUTES.seconds
        self._upkeep.mark_day(host_id, block.start, self._now)
        tens = coarsen(block, block.start, TEN_MINUTES.seconds, slots)
        if not self._upkeep.keep(host_id, TEN_MINUTES, tens):
            return Moved()
        # Unless a process of the version before has written it anew.
        self._db["hours"].delete_one({"_id": document["_id"], "r": document["r"]})
        return Moved(hours=1)

    def _samples(self, key: str) -> Moved:
        documents = list(self._db["samples"].find({"b": key}))
        names = self._shapes.names_of(self._db, {doc["s"] for doc in documents})
        found = samples_of(documents, names)
        if found:
            self._writer.write(self._db, {host_of_key(key): found})
        delete_ids(self._db["samples"], [doc["_id"] for doc in documents])
        return Moved(samples=len(found), lost=len(documents) - len(found))
