"""Units of a tier that are too large for one document: cut by names into parts, the first under the unit's own key.

What a part may hold is counted before it is compressed, so that no numbers, however noisy, pass the 16 MB of a document. A
name stays in the part that it is in, and new names go behind the others: whoever is killed between two parts loses nothing.
The first part says how many there are, and says it before they are written.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from monitor.mongo import swap
from monitor.packed import (
    names_in,
    pack_block,
    pack_samples,
    unpack_block,
    unpack_samples,
)
from monitor.records import Document, by_ids
from monitor.rollups import Block, Samples, empty, join_samples, merge
from monitor.tiers import Tier

logger = logging.getLogger(__name__)
PART_BYTES = 12_000_000
# A part that late samples have made longer than it was meant to be.
MOST_BYTES = 15_500_000
# The longest name in UTF-8, and what each row costs beside its numbers.
NAME_BYTES = 1000
# Of a slot: sum, lowest, highest, last, count.
SLOT_NUMBERS = 5
# Hours get late samples: a part has room for so many times at least.
LEAST_TIMES = 1000
# More names than these parts hold are left away: nobody looks at a month of names that lived for an hour.
MOST_PARTS = 100

Change = tuple[Document | None, Document]
Parts = list[Document | None]


def part_key(key: str, number: int) -> str:
    """Name a part of a unit; no family has a name that begins so."""
    return f"{key}!{number:03d}" if number else key


def fetch(table: Any, keys: Sequence[str]) -> list[Document]:
    """Fetch units with all their parts; missing ones are left out."""
    found = by_ids(table, keys)
    more = [part_key(doc["_id"], n) for doc in found for n in range(1, count_of(doc))]
    return [*found, *by_ids(table, more)] if more else found


def fetch_parts(table: Any, keys: Sequence[str]) -> dict[str, Parts]:
    """Give the parts of each unit in their order, None for one that is not there (yet)."""
    found = {doc["_id"]: doc for doc in fetch(table, keys)}
    return {
        key: [found.get(part_key(key, n)) for n in range(count_of(found.get(key)))]
        for key in keys
    }


def count_of(first: Document | None) -> int:
    """Say how many parts a unit has."""
    count: int = 1 if first is None else first.get("p", 1)
    return count


def write(table: Any, changes: Iterable[Change]) -> bool:
    """Write parts, the first ones first; False where somebody else was faster."""
    some = list(changes)
    first = [change for change in some if "!" not in change[1]["_id"]]
    others = [change for change in some if "!" in change[1]["_id"]]
    return swap(table, first) and swap(table, others)


def assigned(parts: Parts, names: Collection[str], room: int) -> list[list[str]]:
    """Say which of the names go to which part, of those that are there and of new ones.

    Args:
        room: names that a part takes.
    """
    known = [() if doc is None else names_in(doc["z"]) for doc in parts]
    places = {name: n for n, some in enumerate(known) for name in some}
    found: list[list[str]] = [[] for _ in parts]
    fresh = []
    for name in sorted(names):
        if name in places:
            found[places[name]].append(name)
        else:
            fresh.append(name)
    left = max(room - len(known[-1]), 0)
    found[-1] += fresh[:left]
    found += [fresh[at : at + room] for at in range(left, len(fresh), room)]
    if len(found) > MOST_PARTS:
        beyond = sum(map(len, found[MOST_PARTS:]))
        logger.warning("%d series too many in one unit are left away", beyond)
    return found[:MOST_PARTS]


def changes_of_block(
    tier: Tier, key: str, unit: int, block: Block, parts: Parts
) -> Iterator[Change]:
    """Give what has to be written so that a unit of a tier holds these slots; those with more samples stay."""
    room = PART_BYTES // (tier.slots * SLOT_NUMBERS * 8 + NAME_BYTES)
    homes = assigned(parts, block.names, room)
    for number, names in enumerate(homes):
        old = parts[number] if number < len(parts) else None
        packed = None if old is None else old["z"]
        if names:
            mine = block if len(names) == len(block.names) else block.pick(names)
            before = (
                empty(unit, tier.seconds, tier.slots, ())
                if packed is None
                else unpack_block(packed, unit, tier.seconds)
            )
            packed = pack_block(merge(before, mine.window(unit, tier.slots)))
        if change := _change(part_key(key, number), old, packed, len(homes)):
            yield change


def _change(
    key: str, old: Document | None, packed: bytes | None, count: int
) -> Change | None:
    """Give the exchange of one part, None where nothing changes."""
    if packed is None:
        return None
    parts = {"p": count} if count > 1 and "!" not in key else {}
    if old is None:
        return None, {"_id": key, "b": key, "z": packed, "r": 1, **parts}
    if packed == old["z"] and parts.get("p", 1) == old.get("p", 1):
        return None
    document = {"_id": key, "b": key, "z": packed, "r": old["r"] + 1, **parts}
    return {"_id": key, "r": old["r"]}, document


def parts_of_hour(
    key: str, parts: Parts, waiting: Sequence[Samples]
) -> Iterator[tuple[Samples, Change | None]]:
    """Give the samples of an hour part by part, with what has to be written: of the parts that what waits belongs to, or of all.

    Args:
        key: of the unit.
        waiting: samples that are in no part yet; none for all that there is.
    """
    names = {name for some in waiting for name in some.names}
    times = np.unique(np.concatenate([s.times for s in waiting])) if waiting else ()
    room = PART_BYTES // (8 * max(2 * len(times), LEAST_TIMES) + NAME_BYTES)
    homes = assigned(parts, names, max(room, 1))
    pieces = _pieces(waiting, {n: at for at, some in enumerate(homes) for n in some})
    for number in range(len(homes)):
        old = parts[number] if number < len(parts) else None
        mine = pieces.get(number, [])
        # Of the others nothing waits. The first part says how many there are, whatever it holds.
        if not mine and (old is None or (waiting and number)):
            continue
        before = [] if old is None else [unpack_samples(old["z"])]
        samples = join_samples([*before, *mine])
        packed = old["z"] if old is not None else None
        if mine:
            packed = pack_samples(samples)
            if old is not None and len(packed) > MOST_BYTES:
                logger.warning("late samples of %s find no room", key)
                samples, packed = before[0], old["z"]
        yield samples, _change(part_key(key, number), old, packed, len(homes))


def _pieces(
    waiting: Sequence[Samples], homes: Mapping[str, int]
) -> dict[int, list[Samples]]:
    """Cut samples by the parts that their names are in."""
    pieces: dict[int, list[Samples]] = {}
    for some in waiting:
        rows: dict[int, list[int]] = {}
        for row, name in enumerate(some.names):
            if name in homes:
                rows.setdefault(homes[name], []).append(row)
        if len(rows) == 1 and len(next(iter(rows.values()))) == len(some.names):
            pieces.setdefault(next(iter(rows)), []).append(some)
            continue
        for number, mine in rows.items():
            names = tuple(some.names[row] for row in mine)
            cut = Samples(some.times, names, some.values[mine])
            pieces.setdefault(number, []).append(cut)
    return pieces
