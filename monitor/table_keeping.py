"""Lists that hosts report (processes, units, containers): the newest of each, one document a host."""

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor.mongo import upsert
from monitor.records import DAY_SECONDS, Document, by_ids
from monitor.remembering import Held
from monitor.tables_of_hosts import Table

# Names become keys in a document.
NAME = re.compile(r"\w{1,50}")
# So many lists of so many bytes are less than a document may have.
MOST_LISTS = 64
MOST_BYTES = 190_000
# A list that a host has not sent for so long, while it sent others, is no list of its any more.
UNSAID_SECONDS = 7 * DAY_SECONDS

# Name -> when it was taken.
Times = Mapping[str, float]


class TableKeeper:
    """Keeps lists; threads may share it."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Trust nothing that was remembered."""
        # Host -> the names of lists that it has.
        self._known: Held[int, frozenset[str]] = Held()

    def forget_host(self, host_id: int) -> None:
        """Trust nothing that was remembered of a host."""
        self._known.put(host_id, frozenset(), 0)

    def keep(self, db: Any, reported: Mapping[int, Sequence[Table]]) -> None:
        """Write lists over those of the same name, if those are older."""
        good = {
            host_id: [t for t in tables if NAME.fullmatch(t.name)][:MOST_LISTS]
            for host_id, tables in reported.items()
        }
        wanted = [(host_id, tables) for host_id, tables in good.items() if tables]
        self._make_room(db, dict(wanted))
        changes = [_change(host_id, tables) for host_id, tables in wanted]
        # A host of which one list is there already: each for itself.
        missed = upsert(db["tables"], changes)
        some = [wanted[at] for at in sorted(missed)]
        apart = [_change(host_id, [table]) for host_id, mine in some for table in mine]
        upsert(db["tables"], apart)

    def _make_room(self, db: Any, reported: Mapping[int, Sequence[Table]]) -> None:
        """Drop lists of hosts that come with new ones, where they are unsaid for long or too many."""
        names = {h: frozenset(t.name for t in tables) for h, tables in reported.items()}
        new = [h for h in names if not names[h] <= (self._known.get(h) or frozenset())]
        for doc in by_ids(db["tables"], new):
            host_id = doc["_id"]
            times = {name: kept["t"] for name, kept in doc["l"].items()}
            times |= {table.name: table.time for table in reported[host_id]}
            drop(db, host_id, doc, dropped(times, keep=names[host_id]))
            names[host_id] |= times.keys() - dropped(times, keep=names[host_id])
        for host_id in new:
            self._known.put(host_id, names[host_id], len(names[host_id]))


def dropped(times: Times, keep: Iterable[str] = ()) -> set[str]:
    """Say which lists of a host go: those unsaid for long, and beyond the most those that are older than the others."""
    newest = max(times.values(), default=0.0)
    order = sorted(times, key=lambda name: (name not in set(keep), -times[name]))
    late = {n for n, time in times.items() if time < newest - UNSAID_SECONDS}
    return (late - set(keep)) | set(order[MOST_LISTS:])


def drop(db: Any, host_id: int, document: Document, names: Iterable[str]) -> None:
    """Take lists out of a host's document."""
    gone = {f"l.{name}": "" for name in names if name in document["l"]}
    if gone:
        db["tables"].update_one({"_id": host_id}, {"$unset": gone})


def drop_unsaid(db: Any, host_id: int) -> None:
    """Drop the lists that a host has not sent for long."""
    for document in by_ids(db["tables"], [host_id]):
        times = {name: kept["t"] for name, kept in document["l"].items()}
        drop(db, host_id, document, dropped(times))


def _change(host_id: int, tables: Sequence[Table]) -> tuple[Document, Document]:
    """Give the change that is made where none of these lists is there already, or a newer one."""
    # Where one is, the condition misses the document, and there is no second of that _id.
    older: Document = {"_id": host_id}
    fields: Document = {}
    for table in tables:
        older[f"l.{table.name}.t"] = {"$not": {"$gte": table.time}}
        fields[f"l.{table.name}"] = _packed(table)
    return older, {"$set": fields}


def _packed(table: Table) -> Document:
    text = json.dumps([list(table.columns), [list(row) for row in table.rows]])
    packed = zlib.compress(text.encode(), 1)
    if len(packed) > MOST_BYTES:
        half = len(table.rows) // 2
        left_out = table.left_out + len(table.rows) - half
        return _packed(replace(table, rows=table.rows[:half], left_out=left_out))
    return {"t": table.time, "o": table.left_out, "z": packed}


def read_tables(db: Any, host_id: int) -> dict[str, Table]:
    """Give the lists of a host by name."""
    found = {}
    document = db["tables"].find_one({"_id": host_id}) or {"l": {}}
    for name, kept in document["l"].items():
        columns, rows = json.loads(zlib.decompress(kept["z"]))
        found[name] = Table(name, kept["t"], tuple(columns), rows, kept["o"])
    return found
