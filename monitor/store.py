"""The metric store: the only file that speaks to MongoDB; others see dataclasses and StoreUnavailable."""

import os
import threading
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Literal

from pymongo import InsertOne, MongoClient, UpdateOne, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
)

from adminset.errors import Unavailable
from monitor.latest import Latest, extend_ring
from monitor.reading import last_seen, read_latest, read_series
from monitor.records import (
    CHUNK,
    DAY_SECONDS,
    Clock,
    Document,
    StoreOptions,
    StoreState,
    by_ids,
    hour_key,
    remember,
)
from monitor.rollups import HourBlock, hour_of
from monitor.series import Sample, Selection, SeriesSet, Window
from monitor.shapes import Shapes
from monitor.upkeep import MARK_SECONDS, RETRIES, Upkeep, marking, packed_hour

Status = Literal["stored", "duplicate"]
# Milliseconds of a host's newest sample, and its spark ring.
Head = tuple[int, bytes]
NO_HEAD: Head = (-1, b"")

# A dead store is asked again after this long; until then calls fail at once.
BREAK_SECONDS = 1.0
DUPLICATE_KEY = 11000
# The index is there with other options, or under another name.
INDEX_CONFLICTS = (85, 86)


class StoreUnavailable(Unavailable):
    """The metric store does not answer: charts are missing, pages go on, agents keep their spool."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"The metric store does not answer ({detail}).",
            "Check that MongoDB runs at MONGO_URL; measurements wait on the agents until it is back.",
            code="store_unavailable",
            retry_after=10,
        )


class MetricStore:
    """Measurements of all hosts.

    Every method but `ping` raises StoreUnavailable where the store is away, within about two
    seconds, and works again by itself when it is back. One client a process, made at first use,
    so that a forked worker has its own; threads may share it.

    Args:
        url: mongodb://..., with w=majority where there are replicas.
        database: name of the database.
        options: retention and patience.
        clock: Unix seconds now.
    """

    def __init__(
        self,
        url: str,
        database: str = "adminset",
        options: StoreOptions | None = None,
        clock: Clock = time.time,
    ) -> None:
        self.options = options or StoreOptions()
        self._url, self._name, self._clock = url, database, clock
        self._client: MongoClient[Document] | None = None
        self._lock, self._pid = threading.Lock(), 0
        self._down_until = 0.0
        self._shapes = Shapes(clock)
        self._forget()

    def _forget(self) -> None:
        """Drop what was remembered about the store: it may come back as another one."""
        self._shapes.forget()
        self._marked: dict[str, float] = {}
        self._heads: dict[int, Head] = {}

    def _database(self) -> Database[Document]:
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                patience = int(self.options.select_seconds * 1000)
                try:
                    self._client = MongoClient(
                        self._url,
                        appname="adminset",
                        serverSelectionTimeoutMS=patience,
                        connectTimeoutMS=patience,
                        socketTimeoutMS=int(self.options.reply_seconds * 1000),
                    )
                except ValueError:
                    # The driver's words would show the password in it.
                    raise StoreUnavailable("MONGO_URL is not an address") from None
                self._pid = os.getpid()
                self._forget()
            return self._client[self._name]

    @contextmanager
    def _open(self) -> Iterator[Database[Document]]:
        if time.monotonic() < self._down_until:
            raise StoreUnavailable("it was away a moment ago")
        try:
            yield self._database()
        except PyMongoError as error:
            self._forget()
            if isinstance(error, ConnectionFailure):
                self._down_until = time.monotonic() + BREAK_SECONDS
            raise StoreUnavailable(type(error).__name__) from error

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            if self._client is not None and self._pid == os.getpid():
                self._client.close()
            self._client = None

    def ping(self) -> StoreState:
        """Ask whether the store answers; never raises."""
        before = time.monotonic()
        try:
            with self._open() as db:
                db.command("ping")
                version = str(db.client.server_info()["version"])
        except StoreUnavailable as error:
            return StoreState(ok=False, message=error.message)
        return StoreState(True, version, (time.monotonic() - before) * 1000)

    def ensure_indexes(self) -> None:
        """Make the indexes, and move time limits that were changed in the settings."""
        rollup_seconds = self.options.rollup_seconds
        longest = max(self.options.raw_seconds, rollup_seconds)
        with self._open() as db:
            db["samples"].create_index("b")
            db["raw_hours"].create_index("due")
            db["raw_hours"].create_index("h")
            db["hours"].create_index("b")
            _expire_after(db, "hours", "t", rollup_seconds)
            _expire_after(db, "shapes", "used", longest + 2 * DAY_SECONDS)

    def write(self, host_id: int, samples: Sequence[Sample]) -> list[Status]:
        """Store samples of one host durably; see write_many."""
        return self.write_many({host_id: samples})[host_id]

    def write_many(
        self, batches: Mapping[int, Sequence[Sample]]
    ) -> dict[int, list[Status]]:
        """Store samples durably; on return they survive a crash of the store.

        Args:
            batches: host id -> its samples in any order; late and repeated ones are welcome.

        Returns:
            host id -> a status for each sample in the order given; "duplicate" where this host
            has a sample of that millisecond, which is kept as it is.
        """
        with self._open() as db:
            self._mark(db, batches)
            documents = [
                self._document(db, host_id, sample)
                for host_id, samples in batches.items()
                for sample in samples
            ]
            durable = db["samples"].with_options(
                write_concern=_journaled(db.write_concern)
            )
            repeated = _insert_new(durable, documents)
            self._advance(db, batches)
        statuses: Iterator[Status] = (
            "duplicate" if i in repeated else "stored" for i in range(len(documents))
        )
        return {h: list(islice(statuses, len(s))) for h, s in batches.items()}

    def _document(
        self, db: Database[Document], host_id: int, sample: Sample
    ) -> Document:
        return {
            "_id": f"{host_id}:{sample.milliseconds}",
            "b": hour_key(host_id, hour_of(sample.milliseconds / 1000)),
            "s": self._shapes.id_of(db, tuple(sample.values)),
            "v": array("d", sample.values.values()).tobytes(),
        }

    def _mark(
        self, db: Database[Document], batches: Mapping[int, Sequence[Sample]]
    ) -> None:
        """Say which hours need a roll-up, before their samples are there: a crash leaves work, no hole."""
        now = self._clock()
        hours = {
            hour_key(host_id, hour): (host_id, hour)
            for host_id, samples in batches.items()
            for hour in {hour_of(sample.milliseconds / 1000) for sample in samples}
        }
        due = [k for k in hours if now - self._marked.get(k, 0.0) >= MARK_SECONDS]
        if not due:
            return
        operations = [
            UpdateOne({"_id": key}, marking(*hours[key], now), upsert=True)
            for key in due
        ]
        db["raw_hours"].bulk_write(operations, ordered=False)
        for key in due:
            remember(self._marked, key, now)

    def _advance(
        self, db: Database[Document], batches: Mapping[int, Sequence[Sample]]
    ) -> None:
        """Move `latest` forward where a sample is newer; the stored time is the version."""
        waiting = {
            host_id: sorted(samples, key=lambda sample: sample.time)
            for host_id, samples in batches.items()
            if samples
        }
        for _ in range(RETRIES):
            operations = self._head_writes(db, waiting)
            if not operations or _all_applied(db["latest"], operations):
                return
            # Somebody else moved one of them: read again.
            for host_id in waiting:
                self._heads.pop(host_id, None)

    def _head_writes(
        self, db: Database[Document], waiting: Mapping[int, list[Sample]]
    ) -> list[InsertOne[Document] | UpdateOne]:
        operations: list[InsertOne[Document] | UpdateOne] = []
        for host_id, (before, ring) in self._known_heads(db, waiting).items():
            samples = waiting[host_id]
            newest = samples[-1].milliseconds
            if newest <= before:
                continue
            document = self._document(db, host_id, samples[-1])
            fields: Document = {"t": newest, "s": document["s"], "v": document["v"]}
            longer = extend_ring(ring, samples)
            if longer != ring:
                fields["r"] = longer
            remember(self._heads, host_id, (newest, longer))
            if before < 0:
                operations.append(InsertOne({"_id": host_id, **fields}))
            else:
                same = {"_id": host_id, "t": before}
                operations.append(UpdateOne(same, {"$set": fields}))
        return operations

    def _known_heads(
        self, db: Database[Document], host_ids: Iterable[int]
    ) -> dict[int, Head]:
        """Give newest time and ring of hosts, read only where this process does not know them."""
        heads = {host_id: self._heads.get(host_id) for host_id in host_ids}
        unread = [host_id for host_id, head in heads.items() if head is None]
        found = by_ids(db["latest"], unread, {"t": 1, "r": 1})
        read = {doc["_id"]: (doc["t"], doc["r"]) for doc in found}
        for host_id, head in read.items():
            remember(self._heads, host_id, head)
        return {h: head or read.get(h, NO_HEAD) for h, head in heads.items()}

    def write_history(self, host_id: int, hours: Iterable[HourBlock]) -> int:
        """Store ready-made roll-ups, as demo data are; hours that exist already stay.

        Returns:
            how many hours were new.
        """
        stored = 0
        blocks = iter(hours)
        with self._open() as db:
            while chunk := list(islice(blocks, CHUNK)):
                documents = [
                    packed_hour(db, self._shapes, host_id, block) for block in chunk
                ]
                stored += len(documents) - len(_insert_new(db["hours"], documents))
        return stored

    def delete_host(self, host_id: int) -> None:
        """Forget all measurements of a host, with indexes behind every step."""
        all_keys = {"$gte": hour_key(host_id, 0), "$lt": f"{host_id:010d};"}
        with self._open() as db:
            # Markers first: a sample that comes meanwhile brings its own.
            db["raw_hours"].delete_many({"h": host_id})
            db["samples"].delete_many({"b": all_keys})
            db["hours"].delete_many({"b": all_keys})
            db["latest"].delete_one({"_id": host_id})
        self._heads.pop(host_id, None)
        self._marked.clear()

    def latest(self, host_ids: Iterable[int]) -> dict[int, Latest]:
        """Give the newest sample and spark line of many hosts at once; silent ones are missing."""
        with self._open() as db:
            return read_latest(db, self._shapes, host_ids)

    def last_seen(self, host_ids: Iterable[int]) -> dict[int, float]:
        """Give host id -> Unix seconds of its newest sample; hosts that never sent are missing."""
        with self._open() as db:
            return last_seen(db, host_ids)

    def series(
        self,
        host_id: int,
        patterns: Iterable[str],
        start: float,
        end: float,
        max_points: int = 1000,
    ) -> SeriesSet:
        """Draw metrics of one host.

        Up to 6 hours come from samples while they are kept; longer and older ranges from
        5-minute slots, and the hours not rolled up yet are computed on the fly.

        Args:
            patterns: exact names, or prefixes that end in "*".
            start, end: Unix seconds, `end` exclusive.
            max_points: points at most on the time axis.
        """
        expected = self.options.sample_seconds
        window = Window(start, end, max_points, expected, self._clock())
        with self._open() as db:
            return read_series(db, self._shapes, host_id, window, Selection(patterns))

    def roll_up(self, limit: int = 1000, now: float | None = None) -> int:
        """Do what is due: roll up finished or late hours, drop samples whose retention is over.

        Safe to repeat, to kill and to run twice at once.

        Args:
            limit: host-hours to look at.
            now: Unix seconds; the clock's if None.

        Returns:
            how many host-hours were due; as many as `limit` says that more may be waiting.
        """
        moment = self._clock() if now is None else now
        with self._open() as db:
            return Upkeep(db, self._shapes, self.options).run(limit, moment)


def _all_applied(
    collection: Collection[Document],
    operations: Sequence[InsertOne[Document] | UpdateOne],
) -> bool:
    try:
        result = collection.bulk_write(operations, ordered=False)
    except BulkWriteError as error:
        _only_duplicates(error)
        return False
    return result.matched_count + result.inserted_count == len(operations)


def _insert_new(
    collection: Collection[Document], documents: Sequence[Document]
) -> set[int]:
    """Insert what is new; give the positions of what was there already."""
    if not documents:
        return set()
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        return _only_duplicates(error)
    return set()


def _only_duplicates(error: BulkWriteError) -> set[int]:
    faults = error.details["writeErrors"]
    others = any(fault["code"] != DUPLICATE_KEY for fault in faults)
    if others or error.details["writeConcernErrors"]:
        raise error
    return {fault["index"] for fault in faults}


def _journaled(concern: WriteConcern) -> WriteConcern:
    return WriteConcern(**{**concern.document, "j": True})


def _expire_after(
    db: Database[Document], name: str, field: str, seconds: float
) -> None:
    try:
        db[name].create_index(field, expireAfterSeconds=int(seconds))
    except OperationFailure as error:
        if error.code not in INDEX_CONFLICTS:
            raise
        limit = {"keyPattern": {field: 1}, "expireAfterSeconds": int(seconds)}
        db.command("collMod", name, index=limit)
