"""The hour that goes on: small documents of samples become fewer and larger ones, so that many hosts can be read at once."""

import hashlib
from collections import defaultdict
from typing import Any

from monitor.mongo import durable, insert_new
from monitor.records import Document, delete_ids, moment_of

# An hour's samples are put together so often, those of documents that hold fewer than this.
FOLD_SECONDS = 600
SMALL = 20
TIME_BYTES = 8
# Of numbers in one document: half of what a document may have.
MOST_BYTES = 8_000_000


def chunk(host_id: int, key: str, shape: str, times: bytes, rows: bytes) -> Document:
    """Give the document of samples that share their names; the same samples make the same one.

    Args:
        key: of the host-hour. times: milliseconds, packed. rows: doubles, packed, a row a sample.
    """
    first = int.from_bytes(times[:TIME_BYTES], "little")
    mark = hashlib.blake2b(times + shape.encode(), digest_size=8).hexdigest()
    return {
        "_id": f"{host_id}:{first}:{mark}",
        "b": key,
        "s": shape,
        "t": times,
        "v": rows,
    }


def fold(db: Any, marker: Document, now: float) -> None:
    """Put an hour's small documents together; whoever is killed leaves some samples twice, which counts once."""
    same = {"_id": marker["_id"], "n": marker["n"]}
    # Counted as something new: a roll-up that goes on at the same time leaves the marker for what is written here.
    change = {"$inc": {"n": 1}, "$set": {"fold": moment_of(now + FOLD_SECONDS)}}
    if not db["due_hours"].update_one(same, change).matched_count:
        return
    groups: defaultdict[str, list[Document]] = defaultdict(list)
    for doc in db["chunks"].find({"b": marker["_id"]}):
        if len(doc["t"]) < SMALL * TIME_BYTES:
            groups[doc["s"]].append(doc)
    many = [some for docs in groups.values() for some in _heaps(docs) if len(some) > 1]
    made = [_joined(marker, docs[0]["s"], docs) for docs in many]
    insert_new(durable(db, "chunks"), made)
    kept = {doc["_id"] for doc in made}
    pieces = (doc["_id"] for docs in many for doc in docs)
    delete_ids(db["chunks"], [piece for piece in pieces if piece not in kept])


def _heaps(docs: list[Document]) -> list[list[Document]]:
    """Cut documents into heaps that are no larger than one document may be."""
    heaps: list[list[Document]] = [[]]
    size = 0
    for doc in docs:
        if size + len(doc["v"]) > MOST_BYTES:
            heaps.append([])
            size = 0
        heaps[-1].append(doc)
        size += len(doc["v"])
    return heaps


def _joined(marker: Document, shape: str, docs: list[Document]) -> Document:
    times = b"".join(doc["t"] for doc in docs)
    rows = b"".join(doc["v"] for doc in docs)
    return chunk(marker["h"], marker["_id"], shape, times, rows)
