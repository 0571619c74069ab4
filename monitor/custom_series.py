"""How many series of custom metrics a host may have: labels that keep changing must not fill the store."""

import json
import threading
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.daily_series import DailyLimit
from monitor.metrics import CATALOGUE
from monitor.mongo import swap
from monitor.records import DAY_SECONDS, Clock, Document, by_ids
from monitor.remembering import Held
from monitor.series import Names, Sample

PREFIX = "custom."
# A series that was silent for so many days makes room for another one.
SILENT_DAYS = 2
RETRIES = 5
MOST_EXAMPLES = 5
# Beyond every day: ranges are bounded on both sides.
LAST_DAY = 1_000_000


@dataclass(frozen=True, slots=True)
class CustomSeries:
    """What is known of a host's custom metrics.

    Attributes:
        kept: how many series it has.
        left_out: how many names were not let in, each counted once a day at most and in each process.
        examples: some of them, the last ones.
        first, last: start of the days of the first and of the last that was left out, Unix seconds; 0 for never.
    """

    kept: int
    left_out: int
    examples: tuple[str, ...]
    first: float = 0
    last: float = 0


# What was found out about lists of names.
_customs: Held[Names, frozenset[str]] = Held()


def custom_names(names: Names) -> frozenset[str]:
    """Give those of the names that are custom metrics, or that no table of ours knows: hosts may make those up, too."""
    found = _customs.get(names)
    if found is None:
        found = frozenset(
            name
            for name in names
            if name.startswith(PREFIX) or name.partition("|")[0] not in CATALOGUE
        )
        _customs.put(names, found, len(names))
    return found


class CustomLimit:
    """Lets the first so many series of each host in, and remembers which; threads may share it."""

    def __init__(self, limit: int, daily: int, clock: Clock) -> None:
        self._limit, self._clock = limit, clock
        self._daily = DailyLimit(daily, clock)
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Trust nothing that was remembered."""
        self._judged: Held[int, tuple[int, dict[str, bool]]] = Held()

    def limited(
        self, db: Any, batches: Mapping[int, Sequence[Sample]], cut: Counter[str]
    ) -> dict[int, Sequence[Sample]]:
        """Give the samples without the series that are too many, and without those that have no other; the values are counted."""
        return {h: self._samples(db, h, some, cut) for h, some in batches.items()}

    def _samples(
        self, db: Any, host_id: int, samples: Sequence[Sample], cut: Counter[str]
    ) -> Sequence[Sample]:
        lists = {tuple(sample.values) for sample in samples}
        names = frozenset().union(*map(custom_names, lists))
        refused = self._daily.refused(host_id, lists, names)
        if names:
            refused |= self._refused(db, host_id, names)
        if not refused:
            return samples
        kept = [_without(sample, refused) for sample in samples]
        cut["left_out"] += _count(samples) - _count(kept)
        return [sample for sample in kept if sample.values]

    def _refused(self, db: Any, host_id: int, names: Iterable[str]) -> set[str]:
        today = int(self._clock() // DAY_SECONDS)
        with self._lock:
            day, judged = self._judged.get(host_id) or (today, {})
            if day != today:
                judged = {}
            new = [name for name in names if name not in judged]
            if new:
                judged = self._judge(db, host_id, sorted(new), today) | {
                    name: verdict
                    for name, verdict in judged.items()
                    # What was refused may go on changing its labels: only so many are remembered.
                    if verdict or len(judged) < 2 * self._limit
                }
                self._judged.put(host_id, (today, judged), len(judged))
        return {name for name in names if not judged.get(name, False)}

    def _judge(
        self, db: Any, host_id: int, names: Sequence[str], today: int
    ) -> dict[str, bool]:
        """Let names in while there is room, and note them."""
        for _ in range(RETRIES):
            old = next(iter(by_ids(db["custom"], [host_id])), None)
            kept = _kept(old)
            if len(kept.keys() | set(names)) > self._limit:
                kept = {n: day for n, day in kept.items() if day > today - SILENT_DAYS}
            refused = []
            for name in names:
                if name in kept or len(kept) < self._limit:
                    kept[name] = today
                else:
                    refused.append(name)
            if swap(db["custom"], [_change(host_id, old, kept, refused, today)]):
                break
        return {name: name in kept for name in names}


def _count(samples: Sequence[Sample]) -> int:
    return sum(len(sample.values) for sample in samples)


def _without(sample: Sample, refused: Collection[str]) -> Sample:
    values = {name: v for name, v in sample.values.items() if name not in refused}
    return Sample(sample.time, values)


def _kept(document: Document | None) -> dict[str, int]:
    if document is None:
        return {}
    kept: dict[str, int] = json.loads(zlib.decompress(document["z"]))
    return kept


def _change(
    host_id: int,
    old: Document | None,
    kept: dict[str, int],
    refused: list[str],
    today: int,
) -> tuple[Document | None, Document]:
    before = old or {"r": 0, "o": 0, "x": []}
    document = {
        "_id": host_id,
        "z": zlib.compress(json.dumps(kept).encode(), 1),
        "c": len(kept),
        "o": before["o"] + len(refused),
        "x": (refused or before["x"])[-MOST_EXAMPLES:],
        "r": before["r"] + 1,
        "f": before.get("f") or (today if refused else 0),
        "l": today if refused else before.get("l", 0),
    }
    return (None if old is None else {"_id": host_id, "r": old["r"]}), document


def read_custom(db: Any, host_ids: Iterable[int]) -> dict[int, CustomSeries]:
    """Say how hosts stand; those without custom metrics are missing."""
    documents = by_ids(db["custom"], list(host_ids), {"z": 0})
    return {doc["_id"]: _read(doc) for doc in documents}


def read_overflows(db: Any, since: float, limit: int) -> dict[int, CustomSeries]:
    """Give the hosts of which series were left out since a moment, the last ones first."""
    day = int(since // DAY_SECONDS)
    lately = {"l": {"$gte": day, "$lte": LAST_DAY}}
    found = db["custom"].find(lately, {"z": 0}).sort("l", -1).limit(limit)
    return {doc["_id"]: _read(doc) for doc in found}


def _read(doc: Document) -> CustomSeries:
    days = (doc.get("f", 0) * DAY_SECONDS, doc.get("l", 0) * DAY_SECONDS)
    return CustomSeries(doc["c"], doc["o"], tuple(doc["x"]), *map(float, days))
