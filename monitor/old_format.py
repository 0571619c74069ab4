"""Measurements as they lay in the store before it had tiers: how to read them; pure, no store.

Collections of that time
    samples     a document a sample: _id "<host>:<ms>", b = host-hour key, s = shape, v = packed doubles
    raw_hours   one marker for each host-hour that has samples
    hours       roll-ups, a document a host-hour: s = shape, z = packed slots of five minutes
"""

import zlib
from collections.abc import Iterable, Mapping

import numpy as np

from monitor.records import HOUR_SECONDS, Document, doubles, unit_of_key
from monitor.rollups import Block
from monitor.series import Names, Sample

SLOT_SECONDS = 300
SLOTS = HOUR_SECONDS // SLOT_SECONDS
DOUBLE_BYTES = 8


def samples_of(
    documents: Iterable[Document], names: Mapping[str, Names]
) -> list[Sample]:
    """Read samples; one whose names are lost is left out, as nobody can tell any more what its numbers are."""
    return [
        Sample(
            int(doc["_id"].partition(":")[2]) / 1000,
            dict(zip(names[doc["s"]], doubles(doc["v"]), strict=True)),
        )
        for doc in documents
        if len(doc["v"]) == DOUBLE_BYTES * len(names.get(doc["s"], ()))
    ]


def block_of(document: Document, names: Names) -> Block:
    """Read the roll-up of an hour; the last reading of a slot was not kept: its average stands for it."""
    cells = len(names) * SLOTS
    data = zlib.decompress(document["z"])
    # Bytes of equal weight lay side by side.
    planes = np.frombuffer(data, np.uint8, 3 * cells * DOUBLE_BYTES)
    mixed = np.ascontiguousarray(planes.reshape(DOUBLE_BYTES, -1).T).view(np.float64)
    average, low, high = mixed.reshape(3, len(names), SLOTS)
    packed = np.frombuffer(data, np.uint32, cells, 3 * cells * DOUBLE_BYTES)
    counts = packed.reshape(len(names), SLOTS).astype(np.int64)
    start = unit_of_key(document["_id"])
    sums = average * counts
    return Block(start, SLOT_SECONDS, names, sums, low, high, average, counts)
