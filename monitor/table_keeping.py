"""Lists that hosts report (processes, units, containers): the newest of each, one document a host."""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.mongo import upsert
from monitor.records import Document
from monitor.tables_of_hosts import Table

# Names become keys in a document.
NAME = re.compile(r"\w{1,50}")


def keep_tables(db: Any, reported: Mapping[int, Sequence[Table]]) -> None:
    """Write what hosts reported at one time over what they reported before."""
    changes: list[tuple[Document, Document]] = []
    for host_id, tables in reported.items():
        good = [table for table in tables if NAME.fullmatch(table.name)]
        if good:
            newest = max(table.time for table in good)
            fields = {f"l.{table.name}": _packed(table) for table in good}
            # Where newer ones are there, the condition misses them, and there is no second of that _id.
            older = {"_id": host_id, "t": {"$lt": newest}}
            changes.append((older, {"$set": {"t": newest, **fields}}))
    upsert(db["tables"], changes)


def _packed(table: Table) -> Document:
    text = json.dumps([list(table.columns), [list(row) for row in table.rows]])
    packed = zlib.compress(text.encode(), 1)
    return {"t": table.time, "o": table.left_out, "z": packed}


def read_tables(db: Any, host_id: int) -> dict[str, Table]:
    """Give the lists of a host by name."""
    found = {}
    document = db["tables"].find_one({"_id": host_id}) or {"l": {}}
    for name, kept in document["l"].items():
        columns, rows = json.loads(zlib.decompress(kept["z"]))
        found[name] = Table(name, kept["t"], tuple(columns), rows, kept["o"])
    return found
