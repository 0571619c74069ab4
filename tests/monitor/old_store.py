"""Documents as the store wrote them before it had tiers, written as its code did then."""

import zlib
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.records import hour_key, hour_of, moment_of
from monitor.series import Sample
from monitor.shapes import Shapes

SLOT_SECONDS, SLOTS = 300, 12


def write_old(db: Any, shapes: Shapes, host_id: int, samples: Sequence[Sample]) -> None:
    """Write samples, a document each, with the markers of their hours."""
    documents, markers = [], {}
    for sample in samples:
        key = hour_key(host_id, hour_of(sample.time))
        document = {
            "_id": f"{host_id}:{sample.milliseconds}",
            "b": key,
            "s": shapes.id_of(db, tuple(sample.values)),
            "v": array("d", sample.values.values()).tobytes(),
        }
        documents.append(document)
        markers[key] = {"h": host_id, "dirty": False, "due": moment_of(sample.time)}
    # The old code did it one by one, with the same end; hundreds of round trips are seconds.
    db["samples"].insert_many(documents)
    for key, marker in markers.items():
        db["raw_hours"].update_one({"_id": key}, {"$set": marker}, upsert=True)
    newest = max(samples, key=lambda sample: sample.time)
    head = {"t": newest.milliseconds, "r": b"", "s": document["s"], "v": document["v"]}
    db["latest"].replace_one({"_id": host_id}, head, upsert=True)


def roll_old(db: Any, shapes: Shapes, host_id: int, samples: Sequence[Sample]) -> None:
    """Write the roll-ups of samples that share their names: five-minute slots, a document an hour."""
    hours: dict[int, list[Sample]] = {}
    for sample in samples:
        hours.setdefault(hour_of(sample.time), []).append(sample)
    for hour, inside in hours.items():
        names = tuple(sorted(inside[0].values))
        cells = [
            [s.values[n] for s in inside if (s.time - hour) // SLOT_SECONDS == slot]
            for n in names
            for slot in range(SLOTS)
        ]
        key = hour_key(host_id, hour)
        document: Mapping[str, Any] = {
            "_id": key,
            "b": key,
            "t": moment_of(hour),
            "s": shapes.id_of(db, names),
            "z": _packed(cells),
            "r": 1,
        }
        db["hours"].insert_one(document)


def _packed(cells: Sequence[Sequence[float]]) -> bytes:
    averages = [sum(cell) / len(cell) if cell else 0.0 for cell in cells]
    lows = [min(cell, default=0.0) for cell in cells]
    highs = [max(cell, default=0.0) for cell in cells]
    doubles = array("d", [*averages, *lows, *highs]).tobytes()
    planes = [doubles[i::8] for i in range(8)]
    counts = array("I", [len(cell) for cell in cells]).tobytes()
    return zlib.compress(b"".join([*planes, counts]), 1)
