"""How measurements lie in the store: keys, options and the few moves that every part of it shares.

Collections
    chunks      what came, a document a host, hour and set of names: _id "<host>:<ms>:<hash of the times>", b = host-hour key,
                s = shape, t = packed milliseconds, v = packed doubles, a row a sample
    shapes      the metric names that a row's doubles belong to
    due_hours   one marker for each host-hour with samples that no roll-up has seen: a work queue ordered by `due`
    due_days    the same for host-days whose ten-minute slots changed; of both, f = how often it could not be done
    tier_raw, tier_minute, tier_ten_minutes, tier_two_hours, tier_day
                packed units (monitor/tiers.py): _id = b = "<host>:<start of the unit>:<family>", z = packed, r = version,
                p = how many parts it has (monitor/units.py), "<...>!<number>" the others, where it has more than one
    latest      one document a host: newest sample, spark line
    tables      newest state of what a host reports as lists: l.<name> = t time, z packed, o rows left out
    custom      one document a host: its series of custom metrics, and how many were too many
    sweeps      one document a host: when its tiers are looked through for what is too old

A marker is written before the samples and goes after their roll-up, if no newer ones came: a crash leaves work, never a
hole. A roll-up computes an hour from all its samples, those that are packed and those that came since; so it may be done
again at any time and counts nothing twice. Every range is bounded on both sides by an index, and what is deleted is
deleted in small batches by its key: SecantusDB scans a range of _id, and a long delete makes everybody wait.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Protocol, TypeVar

HOUR_SECONDS = 3600
DAY_SECONDS = 86400
# SecantusDB takes time by the square of the keys asked for at once.
CHUNK = 50
CACHE_ENTRIES = 20_000

Document = dict[str, Any]
Clock = Callable[[], float]
Key = TypeVar("Key")
Value = TypeVar("Value")
Item = TypeVar("Item")


class Tables(Protocol):
    """The collections by name, as a pymongo database gives them; only monitor/mongo.py makes one."""

    def __getitem__(self, name: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class StoreState:
    """Whether the store answers: its version and delay in milliseconds, or a sentence why not."""

    ok: bool
    version: str = ""
    milliseconds: float = 0.0
    message: str = ""


def host_key(host_id: int) -> str:
    """Name a host so that keys sort by host."""
    return f"{host_id:010d}:"


def hour_key(host_id: int, hour: int) -> str:
    """Name a host-hour so that keys of one host sort by time."""
    return f"{host_id:010d}:{hour // HOUR_SECONDS:07d}"


def hour_of(time: float) -> int:
    """Give the start of the hour that a moment lies in, Unix seconds."""
    return int(time // HOUR_SECONDS) * HOUR_SECONDS


def unit_key(host_id: int, unit: int, family: str = "") -> str:
    """Name a unit of a tier; `unit` is its start, a multiple of an hour."""
    return f"{hour_key(host_id, unit)}:{family}"


def host_of_key(key: str) -> int:
    """Give the host of a host-hour or of a unit."""
    return int(key.partition(":")[0])


def unit_of_key(key: str) -> int:
    """Give the start of a host-hour or of a unit in Unix seconds."""
    return int(key.split(":", 2)[1]) * HOUR_SECONDS


def between(host_id: int, first: int, last: int) -> Document:
    """Give the condition on keys of a host from the hour or unit `first` to `last`, both included."""
    return {"$gte": hour_key(host_id, first), "$lt": hour_key(host_id, last) + ";"}


def moment_of(time: float) -> datetime:
    """Give Unix seconds as the date that the store's time limits need."""
    return datetime.fromtimestamp(time, UTC)


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterable[list[Item]]:
    """Give lists of a few."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


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
    for some in chunks(ids):
        found.extend(table.find({"_id": {"$in": some}}, fields))
    return found


def delete_ids(table: Any, ids: Sequence[Any]) -> None:
    """Delete documents by _id, few at a time: others get their turn between."""
    for some in chunks(ids):
        table.delete_many({"_id": {"$in": some}})


def remember(cache: dict[Key, Value], key: Key, value: Value) -> None:
    """Keep something found; a full cache is emptied, so that memory stays bounded."""
    if len(cache) >= CACHE_ENTRIES:
        cache.clear()
    cache[key] = value
