"""Samples on their way into the store: marked, kept durably, told apart from what was there, the newest put in front."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from monitor import units
from monitor.custom_series import CustomLimit
from monitor.folding import FOLD_SECONDS, chunk
from monitor.hour_counts import HourLimit
from monitor.latest import extend_ring
from monitor.mongo import durable, insert_new, swap, upsert
from monitor.packed import unpack_samples
from monitor.records import (
    HOUR_SECONDS,
    Clock,
    Document,
    by_ids,
    chunks,
    host_of_key,
    hour_key,
    hour_of,
    moment_of,
    remember,
    unit_key,
)
from monitor.series import Names, Sample, Selection
from monitor.shapes import Shapes
from monitor.tiers import RAW, StoreOptions

Status = Literal["stored", "duplicate", "left_out", "hour_full"]
Batches = Mapping[int, Sequence[Sample]]
# Milliseconds of a host's newest sample, and its spark ring.
Head = tuple[int, bytes]
NO_HEAD: Head = (-1, b"")
# A marker is not written again for MARK_SECONDS; a roll-up waits SETTLE_SECONDS after the
# last one. The difference covers a slow insert and clocks that differ between machines.
MARK_SECONDS = 240
SETTLE_SECONDS = 360
RETRIES = 5
NOTHING = Selection(())
NONE: Mapping[int, Status] = {}


def marking(host_id: int, end: float, now: float) -> Document:
    """Give the change that says: what ends then has something that no roll-up has seen."""
    due = moment_of(max(end, now) + SETTLE_SECONDS)
    return {"$set": {"h": host_id, "due": due}, "$inc": {"n": 1}}


class Writer:
    """Writes samples of many hosts at once; threads may share it."""

    def __init__(self, shapes: Shapes, clock: Clock, options: StoreOptions) -> None:
        self._shapes, self._clock = shapes, clock
        series = options.custom_series, options.daily_series
        self._custom = CustomLimit(*series, clock)
        self._hours = HourLimit(options.hour_samples)
        self.forget()

    def forget(self) -> None:
        """Trust nothing that was remembered: the store may come back as another one."""
        self._custom.forget()
        self._hours.forget()
        self._marked: dict[str, float] = {}
        self._heads: dict[int, Head] = {}

    def forget_host(self, host_id: int) -> None:
        """Trust nothing that was remembered of a host."""
        self._heads.pop(host_id, None)
        self._marked.clear()

    def write(
        self, db: Any, batches: Batches, left_out: Counter[str] | None = None
    ) -> dict[int, list[Status]]:
        """Store samples; see MetricStore.write_many."""
        counts: Counter[str] = Counter() if left_out is None else left_out
        self._mark(db, batches)
        heads = self._known_heads(db, [h for h, samples in batches.items() if samples])
        there = self._there(db, batches, heads)
        fresh = {h: _fresh(batches[h], there.get(h, set())) for h in batches}
        kept, refused = self._within_limits(db, fresh, counts)
        documents, owners = self._documents(db, kept)
        repeated = insert_new(durable(db, "chunks"), documents)
        known = {h: set(there.get(h, ())) for h in batches}
        for position in repeated:
            host_id, moments = owners[position]
            known[host_id].update(moments)
        self._advance(db, kept)
        return {
            h: _statuses(batches[h], known[h], refused.get(h, NONE)) for h in batches
        }

    def _within_limits(
        self, db: Any, fresh: Batches, left_out: Counter[str]
    ) -> tuple[Batches, dict[int, dict[int, Status]]]:
        """Give what may be stored, and host -> milliseconds -> why a sample may not."""
        refused: dict[int, dict[int, Status]] = {}
        roomy = dict(fresh)
        for host_id, full in self._hours.too_many(db, fresh).items():
            refused[host_id] = dict.fromkeys(full, "hour_full")
            samples = fresh[host_id]
            roomy[host_id] = [s for s in samples if s.milliseconds not in full]
            gone = (len(s.values) for s in samples if s.milliseconds in full)
            left_out["hour_full"] += sum(gone)
        kept = self._custom.limited(db, roomy, left_out)
        for host_id, samples in roomy.items():
            if len(kept[host_id]) < len(samples):
                there = {sample.milliseconds for sample in kept[host_id]}
                cut = {s.milliseconds for s in samples} - there
                refused.setdefault(host_id, {}).update(dict.fromkeys(cut, "left_out"))
        return kept, refused

    def _mark(self, db: Any, batches: Batches) -> None:
        """Say which hours need a roll-up, before their samples are there: a crash leaves work, no hole."""
        now = self._clock()
        hours = {
            hour_key(host_id, hour): (host_id, hour)
            for host_id, samples in batches.items()
            for hour in {hour_of(sample.milliseconds / 1000) for sample in samples}
        }
        due = [k for k in hours if now - self._marked.get(k, 0.0) >= MARK_SECONDS]
        changes = []
        for key in due:
            host_id, hour = hours[key]
            change = marking(host_id, hour + HOUR_SECONDS, now)
            change["$setOnInsert"] = {"fold": moment_of(now + FOLD_SECONDS)}
            changes.append(({"_id": key}, change))
        upsert(db["due_hours"], changes)
        for key in due:
            remember(self._marked, key, now)

    def _there(
        self, db: Any, batches: Batches, heads: Mapping[int, Head]
    ) -> dict[int, set[int]]:
        """Give the milliseconds that hosts have already, looked up only where a sample is not newer than all."""
        late: dict[str, int] = {}
        for host_id, samples in batches.items():
            for sample in samples:
                if sample.milliseconds <= heads[host_id][0]:
                    late[hour_key(host_id, hour_of(sample.milliseconds / 1000))] = (
                        host_id
                    )
        there: defaultdict[int, set[int]] = defaultdict(set)
        for keys in chunks(late):
            for doc in db["chunks"].find({"b": {"$in": keys}}, {"b": 1, "t": 1}):
                there[late[doc["b"]]].update(array("q", doc["t"]))
        packed = {unit_key(h, _hour(key)): h for key, h in late.items()}
        for doc in units.fetch(db[RAW.table], list(packed)):
            times = unpack_samples(doc["z"], NOTHING).times
            there[host_of_key(doc["_id"])].update(times.tolist())
        return there

    def _documents(
        self, db: Any, fresh: Batches
    ) -> tuple[list[Document], list[tuple[int, list[int]]]]:
        groups: defaultdict[tuple[int, int, Names], list[Sample]] = defaultdict(list)
        for host_id, samples in fresh.items():
            for sample in samples:
                hour = hour_of(sample.milliseconds / 1000)
                groups[host_id, hour, tuple(sample.values)].append(sample)
        shapes = self._shapes.ids_of(db, {names for _, _, names in groups})
        documents, owners = [], []
        for (host_id, hour, names), some in groups.items():
            moments = [sample.milliseconds for sample in some]
            documents.append(_chunk(host_id, hour, shapes[names], moments, some))
            owners.append((host_id, moments))
        return documents, owners

    def _advance(self, db: Any, batches: Batches) -> None:
        """Move `latest` forward where a sample is newer; the stored time is the version."""
        waiting = {
            host_id: sorted(samples, key=lambda sample: sample.time)
            for host_id, samples in batches.items()
            if samples
        }
        for _ in range(RETRIES):
            changes = self._head_changes(db, waiting)
            if not changes or swap(db["latest"], changes):
                return
            # Somebody else moved one of them: read again.
            for host_id in waiting:
                self._heads.pop(host_id, None)

    def _head_changes(
        self, db: Any, waiting: Mapping[int, list[Sample]]
    ) -> list[tuple[Document | None, Document]]:
        changes: list[tuple[Document | None, Document]] = []
        for host_id, (before, ring) in self._known_heads(db, waiting).items():
            samples = waiting[host_id]
            newest = samples[-1]
            if newest.milliseconds <= before:
                continue
            shape = self._shapes.id_of(db, tuple(newest.values))
            values = array("d", newest.values.values()).tobytes()
            fields: Document = {"t": newest.milliseconds, "s": shape, "v": values}
            longer = extend_ring(ring, samples)
            if longer != ring:
                fields["r"] = longer
            remember(self._heads, host_id, (newest.milliseconds, longer))
            if before < 0:
                changes.append((None, {"_id": host_id, **fields}))
            else:
                changes.append(({"_id": host_id, "t": before}, {"$set": fields}))
        return changes

    def _known_heads(self, db: Any, host_ids: Iterable[int]) -> dict[int, Head]:
        """Give newest time and ring of hosts, read only where this process does not know them."""
        heads = {host_id: self._heads.get(host_id) for host_id in host_ids}
        unread = [host_id for host_id, head in heads.items() if head is None]
        found = by_ids(db["latest"], unread, {"t": 1, "r": 1})
        read = {doc["_id"]: (doc["t"], doc["r"]) for doc in found}
        for host_id, head in read.items():
            remember(self._heads, host_id, head)
        return {h: head or read.get(h, NO_HEAD) for h, head in heads.items()}


def _hour(key: str) -> int:
    return int(key.partition(":")[2]) * HOUR_SECONDS


def _fresh(samples: Sequence[Sample], there: set[int]) -> list[Sample]:
    """Give those that are new, of equal milliseconds the first."""
    seen, fresh = set(there), []
    for sample in samples:
        if sample.milliseconds not in seen:
            seen.add(sample.milliseconds)
            fresh.append(sample)
    return fresh


def _statuses(
    samples: Sequence[Sample], known: set[int], refused: Mapping[int, Status]
) -> list[Status]:
    seen, statuses = set(known), []
    for sample in samples:
        moment = sample.milliseconds
        repeated = moment in seen
        seen.add(moment)
        status: Status = "duplicate" if repeated else refused.get(moment, "stored")
        statuses.append(status)
    return statuses


def _chunk(
    host_id: int, hour: int, shape: str, moments: list[int], samples: list[Sample]
) -> Document:
    times = array("q", moments).tobytes()
    rows = b"".join(array("d", sample.values.values()).tobytes() for sample in samples)
    return chunk(host_id, hour_key(host_id, hour), shape, times, rows)
