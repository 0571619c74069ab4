"""How measurements lie in the store: keys, options and the few moves that every part of it shares.

Collections
    samples    one document a sample: _id "<host>:<ms>", b = host-hour key, s = shape, v = packed doubles
    shapes     the metric names that a sample's doubles belong to
    raw_hours  one marker for each host-hour that has samples: a work queue ordered by `due`
    hours      roll-ups: one host-hour in 5-minute slots
    latest     one document a host

A host-hour's marker is written before its samples and outlives them. It is first due minutes after
the hour and its last arrival: then the hour is rolled up. It is due again when raw retention is over:
then the samples go. So nothing is dropped that was not rolled up, late samples keep their full
retention, no index on time slows each insert down, and no large sweep stalls the embedded store.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

HOUR_SECONDS = 3600
DAY_SECONDS = 86400
CHUNK = 500
CACHE_ENTRIES = 4096

Document = dict[str, Any]
Clock = Callable[[], float]
Key = TypeVar("Key")
Value = TypeVar("Value")


class Tables(Protocol):
    """The collections by name, as a pymongo database gives them; only monitor/store.py makes one."""

    def __getitem__(self, name: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Retention, expected sampling and patience; all in seconds.

    Attributes:
        raw_seconds: how long samples stay after their hour was rolled up.
        rollup_seconds: how long 5-minute slots stay, by their own time.
        sample_seconds: how far apart samples are meant to be.
        select_seconds: wait for a server that answers.
        reply_seconds: wait for one answer.
    """

    raw_seconds: float = 48 * HOUR_SECONDS
    rollup_seconds: float = 14 * DAY_SECONDS
    sample_seconds: float = 15
    select_seconds: float = 2
    reply_seconds: float = 10


@dataclass(frozen=True, slots=True)
class StoreState:
    """Whether the store answers: its version and delay in milliseconds, or a sentence why not."""

    ok: bool
    version: str = ""
    milliseconds: float = 0.0
    message: str = ""


def hour_key(host_id: int, hour: int) -> str:
    """Name a host-hour so that keys of one host sort by time."""
    return f"{host_id:010d}:{hour // HOUR_SECONDS:07d}"


def hour_of_key(key: str) -> int:
    """Give the start of a host-hour in Unix seconds."""
    return int(key.partition(":")[2]) * HOUR_SECONDS


def time_of(sample_id: str) -> float:
    """Give the moment of a stored sample in Unix seconds."""
    return int(sample_id.partition(":")[2]) / 1000


def moment_of(time: float) -> datetime:
    """Give Unix seconds as the date that the store's time limits need."""
    return datetime.fromtimestamp(time, UTC)


def doubles(packed: bytes) -> "array[float]":
    """Read packed values."""
    values = array("d")
    values.frombytes(packed)
    return values


def by_ids(
    table: Any, ids: Sequence[Any], fields: Mapping[str, Any] | None = None
) -> list[Document]:
    """Fetch documents by _id, in chunks; missing ones are left out."""
    found: list[Document] = []
    for start in range(0, len(ids), CHUNK):
        wanted = {"_id": {"$in": list(ids[start : start + CHUNK])}}
        found.extend(table.find(wanted, fields))
    return found


def remember(cache: dict[Key, Value], key: Key, value: Value) -> None:
    """Keep something found; a full cache is emptied, so that memory stays bounded."""
    if len(cache) >= CACHE_ENTRIES:
        cache.clear()
    cache[key] = value
