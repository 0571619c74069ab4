"""What is too old goes: host by host, a few documents at a time, so that nobody waits."""

import logging
from typing import Any

from monitor.mongo import answers, upsert
from monitor.records import between, delete_ids, moment_of
from monitor.table_keeping import drop_unsaid
from monitor.tiers import TIERS, Retention, StoreOptions, Tier

logger = logging.getLogger(__name__)
# Each host's tiers are looked through so often; hosts are spread over the time by their number.
SWEEP_SECONDS = 6 * 3600
# Documents of one tier that go in one sweep of a host; more wait for the next turn.
MOST_AT_ONCE = 500


def enlist(db: Any, host_id: int, now: float) -> None:
    """Put a host on the list of those whose turn comes, unless it is on it.

    Done with each of its hours: to look for all hosts at once makes everybody wait where there are many.
    """
    due = moment_of(now + host_id * 61 % SWEEP_SECONDS)
    upsert(db["sweeps"], [({"_id": host_id}, {"$setOnInsert": {"due": due}})])


class Sweeper:
    """Drops what a host's retention no longer covers."""

    def __init__(self, db: Any, options: StoreOptions) -> None:
        self._db, self._options = db, options

    def run(self, limit: int, now: float) -> int:
        """Sweep up to `limit` hosts whose turn it is; give how many documents went."""
        due = {"$gte": moment_of(0), "$lte": moment_of(now)}
        query = self._db["sweeps"].find({"due": due}).sort("due", 1).limit(limit)
        hosts = [doc["_id"] for doc in query]
        own = self._options.retention_of(hosts)
        dropped = 0
        for host_id in hosts:
            retention = own.get(host_id, self._options.retention)
            gone = self._sweep(host_id, retention, now)
            dropped += sum(gone)
            wait = 0 if max(gone) >= MOST_AT_ONCE else SWEEP_SECONDS
            due_again = {"$set": {"due": moment_of(now + wait)}}
            self._db["sweeps"].update_one({"_id": host_id}, due_again)
        return dropped

    def _sweep(self, host_id: int, retention: Retention, now: float) -> list[int]:
        """Drop what is too old of a host, tier by tier; where that fails its next turn comes, and the others go on."""
        try:
            drop_unsaid(self._db, host_id)
            return [self._drop(host_id, t, retention, now) for t in TIERS]
        except Exception:
            if not answers(self._db):
                raise
            logger.exception("what is too old of host %d cannot be dropped", host_id)
            return [0]

    def _drop(self, host_id: int, tier: Tier, retention: Retention, now: float) -> int:
        # A unit goes when all of it is too old.
        last = tier.unit_of(now - retention.of(tier)) - tier.unit
        if last < 0:
            return 0
        table = self._db[tier.table]
        old = {"b": between(host_id, 0, last)}
        ids = [doc["_id"] for doc in table.find(old, {"_id": 1}).limit(MOST_AT_ONCE)]
        delete_ids(table, ids)
        return len(ids)
