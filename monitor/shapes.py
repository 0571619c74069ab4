"""Names of metrics, stored once for all samples that share them."""

import hashlib
import sys
from collections.abc import Iterable

from monitor.records import (
    DAY_SECONDS,
    Clock,
    Tables,
    by_ids,
    moment_of,
    remember,
)

Names = tuple[str, ...]
# Names are printable (monitor/intake.py), so that no name holds this.
SEPARATOR = "\n"


class Shapes:
    """Turns an ordered tuple of metric names into a short id and back, remembering both ways.

    A shape that nobody used for longer than all retention expires.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids: dict[Names, tuple[str, int]] = {}
        self._names: dict[str, Names] = {}

    def forget(self) -> None:
        """Trust nothing that was remembered: the store may come back as another one."""
        self._ids = {}
        self._names = {}

    def id_of(self, tables: Tables, names: Names) -> str:
        """Give the id of names; stored before it is given, its use noted once a day."""
        now = self._clock()
        today = int(now // DAY_SECONDS)
        shape_id, noted = self._ids.get(names, ("", -1))
        if noted == today:
            return shape_id
        text = SEPARATOR.join(names)
        shape_id = hashlib.sha256(text.encode()).hexdigest()[:24]
        change = {"$set": {"n": text}, "$max": {"used": moment_of(now)}}
        tables["shapes"].update_one({"_id": shape_id}, change, upsert=True)
        remember(self._ids, _interned(text), (shape_id, today))
        return shape_id

    def names_of(self, tables: Tables, ids: Iterable[str]) -> dict[str, Names]:
        """Give id -> names; a shape that is lost is missing in the answer."""
        found: dict[str, Names] = {}
        unknown = []
        for shape_id in set(ids):
            names = self._names.get(shape_id)
            if names is None:
                unknown.append(shape_id)
            else:
                found[shape_id] = names
        for document in by_ids(tables["shapes"], unknown):
            names = _interned(document["n"])
            remember(self._names, document["_id"], names)
            found[document["_id"]] = names
        return found


def _interned(text: str) -> Names:
    # Ten thousand hosts repeat the same names.
    return tuple(sys.intern(name) for name in text.split(SEPARATOR))
