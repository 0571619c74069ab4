"""The door to MongoDB, the only file that knows the driver; others see StoreUnavailable, collections and four kinds of write."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bson.errors import InvalidDocument
from pymongo import InsertOne, MongoClient, ReplaceOne, UpdateOne, WriteConcern
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    WriteError,
)

from adminset.errors import DomainError, Unavailable
from monitor.records import Document, StoreState
from monitor.tiers import StoreOptions

# A dead store is asked again after this long; until then calls fail at once.
BREAK_SECONDS = 1.0
DUPLICATE_KEY = 11000
# The document is at fault: a bad value, what does not parse, a type, too long a key, too large a document.
FAULTS_OF_A_DOCUMENT = frozenset({2, 9, 14, 121, 10334, 17280, 17282, 17419, 17420})
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


class RefusedDocument(DomainError):
    """The store is there and does not take this: too large, or of a form that it cannot keep. Trying again changes nothing."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"The metric store cannot keep this ({detail}).",
            "Report less at once: fewer values, or shorter lists.",
            code="cannot_be_kept",
        )


class Door:
    """One client a process, made at first use, so that a forked worker has its own; threads may share it.

    Args:
        url: mongodb://..., with w=majority where there are replicas.
        name: of the database.
        options: patience.
        forget: is called where what was remembered about the store may be wrong: it may come back as another one.
    """

    def __init__(
        self, url: str, name: str, options: StoreOptions, forget: Callable[[], None]
    ) -> None:
        self._url, self._name, self._options = url, name, options
        self._forget = forget
        self._client: MongoClient[Document] | None = None
        self._lock, self._pid = threading.Lock(), 0
        self._down_until = 0.0

    @contextmanager
    def open(self) -> Iterator[Database[Document]]:
        """Give the database.

        Raises:
            StoreUnavailable: it is away; within about two seconds, and at once for a moment after that.
            RefusedDocument: it does not take a document.
        """
        if time.monotonic() < self._down_until:
            raise StoreUnavailable("it was away a moment ago")
        try:
            yield self._database()
        except (InvalidDocument, OverflowError, UnicodeEncodeError) as error:
            # The driver did not even send it.
            raise RefusedDocument(type(error).__name__) from error
        except PyMongoError as error:
            if _is_of_a_document(error):
                raise RefusedDocument(type(error).__name__) from error
            if isinstance(error, ConnectionFailure):
                self._forget()
                self._down_until = time.monotonic() + BREAK_SECONDS
            raise StoreUnavailable(type(error).__name__) from error

    def _database(self) -> Database[Document]:
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                self._client, self._pid = self._connect(), os.getpid()
                self._forget()
            return self._client[self._name]

    def _connect(self) -> MongoClient[Document]:
        patience = int(self._options.select_seconds * 1000)
        try:
            return MongoClient(
                self._url,
                appname="adminset",
                serverSelectionTimeoutMS=patience,
                connectTimeoutMS=patience,
                socketTimeoutMS=int(self._options.reply_seconds * 1000),
            )
        except ValueError:
            # The driver's words would show the password in it.
            raise StoreUnavailable("MONGO_URL is not an address") from None

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
            with self.open() as db:
                db.command("ping")
                # A store that ran out of disk may go on to answer pings and nothing else.
                db["latest"].find_one({}, {"_id": 1})
                version = str(db.client.server_info()["version"])
        except StoreUnavailable as error:
            return StoreState(ok=False, message=error.message)
        return StoreState(True, version, (time.monotonic() - before) * 1000)


def answers(db: Database[Document]) -> bool:
    """Say whether the store answers: what went wrong then lies in the data, or in us."""
    try:
        db.command("ping")
    except PyMongoError:
        return False
    return True


def durable(db: Database[Document], name: str) -> Any:
    """Give a collection whose writes are acknowledged when they survive a crash."""
    concern = WriteConcern(**{**db.write_concern.document, "j": True})
    return db[name].with_options(write_concern=concern)


def insert_new(collection: Any, documents: Sequence[Document]) -> set[int]:
    """Insert what is new; give the positions of what was there already."""
    if not documents:
        return set()
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        return _only_duplicates(error)
    return set()


def upsert(collection: Any, changes: Sequence[tuple[Document, Document]]) -> set[int]:
    """Apply (condition, change) pairs, each to one document.

    Returns:
        the positions of those whose condition misses a document that is there: to it nothing happened.
    """
    if not changes:
        return set()
    operations = [UpdateOne(query, change, upsert=True) for query, change in changes]
    try:
        collection.bulk_write(operations, ordered=False)
    except BulkWriteError as error:
        return _only_duplicates(error)
    return set()


def swap(collection: Any, changes: Sequence[tuple[Document | None, Document]]) -> bool:
    """Put documents in the place of others, if those are as they were: (condition or None for a new one, document or change).

    Returns:
        whether all of it was done; else somebody was faster with one of them.
    """
    if not changes:
        return True
    operations = [_exchange(query, document) for query, document in changes]
    try:
        result = collection.bulk_write(operations, ordered=False)
    except BulkWriteError as error:
        _only_duplicates(error)
        return False
    done: int = result.matched_count + result.inserted_count
    return done == len(operations)


def _exchange(query: Document | None, document: Document) -> Any:
    if query is None:
        return InsertOne(document)
    if "$set" in document:
        return UpdateOne(query, document)
    return ReplaceOne(query, document)


def _is_of_a_document(error: PyMongoError) -> bool:
    """Say whether all that the store complains of are documents."""
    if isinstance(error, BulkWriteError):
        codes = {fault["code"] for fault in error.details["writeErrors"]}
        bad = codes - {DUPLICATE_KEY}
        concerns = error.details["writeConcernErrors"]
        return bool(bad) and bad <= FAULTS_OF_A_DOCUMENT and not concerns
    return isinstance(error, WriteError) and error.code in FAULTS_OF_A_DOCUMENT


def _only_duplicates(error: BulkWriteError) -> set[int]:
    faults = error.details["writeErrors"]
    others = any(fault["code"] != DUPLICATE_KEY for fault in faults)
    if others or error.details["writeConcernErrors"]:
        raise error
    return {fault["index"] for fault in faults}


def expire_after(db: Database[Document], name: str, field: str, seconds: float) -> None:
    """Make an index with a time limit, or move the limit of the one that is there."""
    try:
        db[name].create_index(field, expireAfterSeconds=int(seconds))
    except OperationFailure as error:
        if error.code not in INDEX_CONFLICTS:
            raise
        limit = {"keyPattern": {field: 1}, "expireAfterSeconds": int(seconds)}
        db.command("collMod", name, index=limit)
