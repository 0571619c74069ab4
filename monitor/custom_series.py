"""How many series of custom metrics a host may have: labels that keep changing must not fill the store."""

import functools
import json
import threading
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.mongo import swap
from monitor.records import DAY_SECONDS, Clock, Document, by_ids, remember
from monitor.series import Names, Sample

PREFIX = "custom."
# A series that was silent for so many days makes room for another one.
SILENT_DAYS = 2
RETRIES = 5
MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class CustomSeries:
    """What is known of a host's custom metrics.

    Attributes:
        kept: how many series it has.
        left_out: how many names were not let in, each counted once a day at most and in each process.
        examples: some of them, the last ones.
    """

    kept: int
    left_out: int
    examples: tuple[str, ...]


@functools.lru_cache(maxsize=4096)
def custom_names(names: Names) -> frozenset[str]:
    """Give those of the names that are custom metrics."""
    return frozenset(name for name in names if name.startswith(PREFIX))


class CustomLimit:
    """Lets the first so many series of each host in, and remembers which; threads may share it."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self._limit, self._clock = limit, clock
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Trust nothing that was remembered."""
        self._judged: dict[int, tuple[int, dict[str, bool]]] = {}

    def limited(
        self, db: Any, batches: Mapping[int, Sequence[Sample]]
    ) -> dict[int, Sequence[Sample]]:
        """Give the samples without the series that are too many."""
        return {h: self._samples(db, h, samples) for h, samples in batches.items()}

    def _samples(
        self, db: Any, host_id: int, samples: Sequence[Sample]
    ) -> Sequence[Sample]:
        names = frozenset().union(*(custom_names(tuple(s.values)) for s in samples))
        refused = self._refused(db, host_id, names) if names else set()
        if not refused:
            return samples
        cut = (_without(sample, refused) for sample in samples)
        return [sample for sample in cut if sample.values]

    def _refused(self, db: Any, host_id: int, names: Iterable[str]) -> set[str]:
        today = int(self._clock() // DAY_SECONDS)
        with self._lock:
            day, judged = self._judged.get(host_id, (today, {}))
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
                remember(self._judged, host_id, (today, judged))
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
            if swap(db["custom"], [_change(host_id, old, kept, refused)]):
                break
        return {name: name in kept for name in names}


def _without(sample: Sample, refused: set[str]) -> Sample:
    values = {name: v for name, v in sample.values.items() if name not in refused}
    return Sample(sample.time, values)


def _kept(document: Document | None) -> dict[str, int]:
    if document is None:
        return {}
    kept: dict[str, int] = json.loads(zlib.decompress(document["z"]))
    return kept


def _change(
    host_id: int, old: Document | None, kept: dict[str, int], refused: list[str]
) -> tuple[Document | None, Document]:
    before = old or {"r": 0, "o": 0, "x": []}
    document = {
        "_id": host_id,
        "z": zlib.compress(json.dumps(kept).encode(), 1),
        "c": len(kept),
        "o": before["o"] + len(refused),
        "x": (refused or before["x"])[-MOST_EXAMPLES:],
        "r": before["r"] + 1,
    }
    return (None if old is None else {"_id": host_id, "r": old["r"]}), document


def read_custom(db: Any, host_ids: Iterable[int]) -> dict[int, CustomSeries]:
    """Say how hosts stand; those without custom metrics are missing."""
    documents = by_ids(db["custom"], list(host_ids), {"z": 0})
    return {
        doc["_id"]: CustomSeries(doc["c"], doc["o"], tuple(doc["x"]))
        for doc in documents
    }
