"""Questions to the stored measurements, answered as dataclasses."""

import math
from collections.abc import Iterable

from monitor.latest import Latest, unpack_ring
from monitor.records import (
    HOUR_SECONDS,
    Tables,
    by_ids,
    doubles,
    hour_key,
    hour_of_key,
    time_of,
)
from monitor.rollups import (
    SLOT_SECONDS,
    HourBlock,
    hour_of,
    overlay,
    samples_inside,
    unpack,
)
from monitor.series import (
    Row,
    Selection,
    SeriesSet,
    Window,
    from_samples,
    from_slots,
)
from monitor.shapes import Shapes

RAW_RANGE_SECONDS = 6 * HOUR_SECONDS
# A chart computes at most this many hours that are not rolled up yet, from so many samples.
PENDING_HOURS = 6
READ_LIMIT = 30_000


def last_seen(tables: Tables, host_ids: Iterable[int]) -> dict[int, float]:
    """Give host id -> Unix seconds of its newest sample; hosts that never sent are missing."""
    documents = by_ids(tables["latest"], list(host_ids), {"t": 1})
    return {doc["_id"]: doc["t"] / 1000 for doc in documents}


def read_latest(
    tables: Tables, shapes: Shapes, host_ids: Iterable[int]
) -> dict[int, Latest]:
    """Give the newest sample and spark line of many hosts; those that never sent are missing."""
    documents = by_ids(tables["latest"], list(host_ids))
    names = shapes.names_of(tables, (doc["s"] for doc in documents))
    return {
        doc["_id"]: Latest(
            host_id=doc["_id"],
            time=doc["t"] / 1000,
            values=dict(zip(names.get(doc["s"], ()), doubles(doc["v"]), strict=False)),
            spark=unpack_ring(doc["r"]),
        )
        for doc in documents
    }


def read_series(
    tables: Tables,
    shapes: Shapes,
    host_id: int,
    window: Window,
    selection: Selection,
) -> SeriesSet:
    """Draw metrics of one host: short ranges from samples while they are kept, others from slots."""
    first, last = hour_of(window.start), hour_of(window.end)
    short = window.end - window.start <= RAW_RANGE_SECONDS
    if short:
        hours = list(range(first, math.ceil(window.end), HOUR_SECONDS))
    else:
        waiting = pending_hours(tables, host_id)
        hours = [h for h in waiting if first <= h < window.end][-PENDING_HOURS:]
    keys = [hour_key(host_id, hour) for hour in hours]
    found = raw_rows(tables, shapes, keys, READ_LIMIT)
    rows = [row for row in found if window.holds(row.time)]
    blocks = read_hours(tables, shapes, host_id, first, last)
    newest = last_seen(tables, [host_id]).get(host_id)
    if short and len(rows) >= samples_inside(blocks, window):
        return from_samples(rows, window, selection, newest)
    slots = overlay(blocks, rows)
    return from_slots(slots, SLOT_SECONDS, window, selection, newest)


def pending_hours(tables: Tables, host_id: int) -> list[int]:
    """Give the hours of a host that wait for their roll-up, ascending, Unix seconds."""
    markers = tables["raw_hours"].find({"h": host_id})
    return sorted(hour_of_key(m["_id"]) for m in markers if m["dirty"])


def raw_rows(
    tables: Tables, shapes: Shapes, keys: list[str], limit: int = 0
) -> list[Row]:
    """Read the samples of host-hours, unsorted; `limit` 0 reads all."""
    if not keys:
        return []
    query = tables["samples"].find({"b": {"$in": keys}}, {"b": 0}).limit(limit)
    documents = list(query)
    names = shapes.names_of(tables, {doc["s"] for doc in documents})
    return [
        Row(time_of(doc["_id"]), names[doc["s"]], doubles(doc["v"]))
        for doc in documents
        if doc["s"] in names
    ]


def read_hours(
    tables: Tables, shapes: Shapes, host_id: int, first: int, last: int
) -> list[HourBlock]:
    """Read the roll-ups of a host from hour `first` to hour `last`, both included."""
    keys = {"$gte": hour_key(host_id, first), "$lte": hour_key(host_id, last)}
    documents = list(tables["hours"].find({"b": keys}))
    names = shapes.names_of(tables, {doc["s"] for doc in documents})
    return [
        unpack(hour_of_key(doc["b"]), names[doc["s"]], doc["z"])
        for doc in documents
        if doc["s"] in names
    ]
