"""Names of metrics, stored once for all samples that share them."""

import hashlib
import sys
from collections.abc import Iterable

from monitor.mongo import upsert
from monitor.records import DAY_SECONDS, Clock, Tables, by_ids, moment_of
from monitor.remembering import Held

Names = tuple[str, ...]
# Names are printable (monitor/intake.py), so that no name holds this.
SEPARATOR = "\n"


class Shapes:
    """Turns an ordered tuple of metric names into a short id and back, remembering both ways.

    A shape that nobody used for longer than all retention expires.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Trust nothing that was remembered: the store may come back as another one."""
        self._ids: Held[Names, tuple[str, int]] = Held()
        self._names: Held[str, Names] = Held()

    def id_of(self, tables: Tables, names: Names) -> str:
        """Give the id of names; stored before it is given, its use noted once a day."""
        return self.ids_of(tables, [names])[names]

    def ids_of(self, tables: Tables, lists: Iterable[Names]) -> dict[Names, str]:
        """Give the ids of several lists of names; see `id_of`."""
        now = self._clock()
        today = int(now // DAY_SECONDS)
        found, new = {}, []
        for names in lists:
            shape_id, noted = self._ids.get(names) or ("", -1)
            if noted == today:
                found[names] = shape_id
            else:
                text = SEPARATOR.join(names)
                found[names] = hashlib.sha256(text.encode()).hexdigest()[:24]
                new.append((names, text))
        used = {"$max": {"used": moment_of(now)}}
        changes = [
            ({"_id": found[names]}, {"$set": {"n": text}, **used})
            for names, text in new
        ]
        upsert(tables["shapes"], changes)
        for names, text in new:
            self._ids.put(_interned(text), (found[names], today), len(names))
        return found

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
            self._names.put(document["_id"], names, len(names))
            found[document["_id"]] = names
        return found


def _interned(text: str) -> Names:
    # Ten thousand hosts repeat the same names.
    return tuple(sys.intern(name) for name in text.split(SEPARATOR))
