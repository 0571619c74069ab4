"""The metric store: all that the portal asks of it and tells it; others see dataclasses and StoreUnavailable."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from monitor import indexes
from monitor.checking import Difference, differences
from monitor.copying import Copier, forget
from monitor.custom_series import CustomSeries, read_custom, read_overflows
from monitor.drawing import Columns, draw
from monitor.fleet_reading import read_newest
from monitor.group_reading import ManySeries, no_lines, read_many
from monitor.history import keep_history
from monitor.latest import Latest
from monitor.migrating import Migration, Moved
from monitor.mongo import Door, RefusedDocument, StoreUnavailable
from monitor.reading import Reader, Span, last_seen, read_latest
from monitor.records import (
    Clock,
    StoreState,
)
from monitor.retention import Sweeper
from monitor.series import Sample, Selection, SeriesSet, Window
from monitor.shapes import Shapes
from monitor.sizes import Fleet, TierSize, sizes
from monitor.table_keeping import TableKeeper, read_tables
from monitor.tables_of_hosts import Table
from monitor.tier_choice import columns_of_hosts
from monitor.tiers import Retention, StoreOptions
from monitor.upkeep import Upkeep, count_failed
from monitor.writing import Status, Writer

__all__ = ["MetricStore", "RefusedDocument", "Status", "StoreUnavailable"]


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
        self._clock = clock
        self._shapes = Shapes(clock)
        self._writer = Writer(self._shapes, clock, self.options)
        self._lists = TableKeeper()
        self._migrated = False
        self._door = Door(url, database, self.options, self._forget)

    def _forget(self) -> None:
        self._shapes.forget()
        self._writer.forget()
        self._lists.forget()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._door.close()

    def ping(self) -> StoreState:
        """Ask whether the store answers; never raises."""
        return self._door.ping()

    def ensure_indexes(self) -> None:
        """Make the indexes, and move time limits that were changed in the settings."""
        with self._door.open() as db:
            indexes.ensure(db, self.options.retention)

    def write(self, host_id: int, samples: Sequence[Sample]) -> list[Status]:
        """Store samples of one host durably; see write_many."""
        return self.write_many({host_id: samples})[host_id]

    def write_many(
        self,
        batches: Mapping[int, Sequence[Sample]],
        left_out: Counter[str] | None = None,
    ) -> dict[int, list[Status]]:
        """Store samples durably; on return they survive a crash of the store.

        Args:
            batches: host id -> its samples in any order; late and repeated ones are welcome.
            left_out: here the values are counted that are not kept, by the status that says so.

        Returns:
            host id -> a status for each sample in the order given; "duplicate" where this host
            has a sample of that millisecond, which is kept as it is; "left_out" where all its
            series are too many, "hour_full" where its hour has too many samples: those are not kept.
        """
        with self._door.open() as db:
            return self._writer.write(db, batches, left_out)

    def write_history(self, host_id: int, samples: Sequence[Sample]) -> None:
        """Store slots of ten minutes and wider of old samples, as demo data are, and not the samples."""
        with self._door.open() as db:
            keep_history(Upkeep(db, self._shapes, self.options), host_id, samples)

    def delete_host(self, host_id: int) -> None:
        """Forget all measurements of a host, with indexes behind every step."""
        with self._door.open() as db:
            forget(db, host_id)
        self._writer.forget_host(host_id)
        self._lists.forget_host(host_id)

    def copy_host(self, source: int, target: int) -> None:
        """Give a host the measurements of another too; see monitor/copying.py."""
        with self._door.open() as db:
            reader = Reader(db, self._shapes, self.options)
            upkeep = Upkeep(db, self._shapes, self.options)
            Copier(db, reader, self._writer, upkeep).copy(source, target)

    def latest(self, host_ids: Iterable[int]) -> dict[int, Latest]:
        """Give the newest sample and spark line of many hosts at once; silent ones are missing."""
        with self._door.open() as db:
            return read_latest(db, self._shapes, host_ids)

    def newest_values(
        self, metrics: Collection[str]
    ) -> tuple[dict[int, float], dict[str, dict[int, float]]]:
        """Give the newest values of some metrics on all hosts; see monitor/fleet_reading.py."""
        with self._door.open() as db:
            return read_newest(db, self._shapes, metrics)

    def last_seen(self, host_ids: Iterable[int]) -> dict[int, float]:
        """Give host id -> Unix seconds of its newest sample; hosts that never sent are missing."""
        with self._door.open() as db:
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

        The finest tier is taken that needs few enough points and reaches back far enough; what is not
        rolled up yet is computed on the fly.

        Args:
            patterns: exact names, or prefixes that end in "*".
            start, end: Unix seconds, `end` exclusive.
            max_points: points at most on the time axis.
        """
        found = self.columns([host_id], patterns, start, end, max_points)
        return draw(found[host_id], self.last_seen([host_id]).get(host_id))

    def columns(
        self,
        host_ids: Sequence[int],
        patterns: Iterable[str],
        start: float,
        end: float,
        max_points: int,
    ) -> dict[int, Columns]:
        """Read metrics of many hosts, each as `series` does, but not yet drawn on an axis; silent hosts have no points."""
        expected = self.options.sample_seconds
        window = Window(start, end, max_points, expected, self._clock())
        with self._door.open() as db:
            reader = Reader(db, self._shapes, self.options)
            return columns_of_hosts(reader, host_ids, window, Selection(patterns))

    def read_many(
        self,
        host_ids: Collection[int],
        metric: str,
        start: float,
        end: float,
        max_points: int = 300,
        *,
        add: bool = False,
    ) -> ManySeries:
        """Draw one metric of many hosts on one time axis.

        Args:
            metric: a name; all its instances of a host are taken.
            start, end: Unix seconds, `end` exclusive.
            max_points: points at most on the time axis.
            add: whether a host's instances (interfaces, disks) add up; else the highest of them counts.
        """
        expected = self.options.sample_seconds
        window = Window(start, end, max_points, expected, self._clock())
        if not host_ids:
            return no_lines(window, self.options)
        with self._door.open() as db:
            reader = Reader(db, self._shapes, self.options)
            return read_many(reader, host_ids, metric, window, add=add)

    def samples_of(self, host_id: int, start: float, end: float) -> list[Sample]:
        """Give the single samples of a host that are kept, each once, ascending; `end` exclusive."""
        with self._door.open() as db:
            reader = Reader(db, self._shapes, self.options)
            return reader.samples(host_id, Span(start, end)).listed(start, end)

    def keep_tables(self, host_id: int, tables: Sequence[Table]) -> None:
        """Keep the newest state of lists of a host; see keep_many_tables."""
        self.keep_many_tables({host_id: tables})

    def keep_many_tables(self, reported: Mapping[int, Sequence[Table]]) -> None:
        """Keep the newest state of lists of many hosts at once; a list that is older than the one that is there changes nothing."""
        with self._door.open() as db:
            self._lists.keep(db, reported)

    def custom_series(self, host_ids: Iterable[int]) -> dict[int, CustomSeries]:
        """Say how many custom series hosts have, and how many were left out; those without any are missing."""
        with self._door.open() as db:
            return read_custom(db, host_ids)

    def custom_overflows(
        self, since: float, limit: int = 10_000
    ) -> dict[int, CustomSeries]:
        """Give the hosts of which custom series were left out since a moment (Unix seconds)."""
        with self._door.open() as db:
            return read_overflows(db, since, limit)

    def read_tables(self, host_id: int) -> dict[str, Table]:
        """Give the newest state of a host's lists by name."""
        with self._door.open() as db:
            return read_tables(db, host_id)

    def differences(self, host_id: int) -> list[Difference]:
        """Compare the tiers of a host with its samples, where both are kept."""
        retention = self._retention(host_id)
        with self._door.open() as db:
            reader = Reader(db, self._shapes, self.options)
            return list(differences(reader, host_id, retention, self._clock()))

    def _retention(self, host_id: int) -> Retention:
        own = self.options.retention_of([host_id])
        return own.get(host_id, self.options.retention)

    def sizes(self, fleet: Fleet) -> list[TierSize]:
        """Say how large each tier is, and will be."""
        with self._door.open() as db:
            return sizes(db, fleet, self.options.retention)

    def hosts(self) -> list[int]:
        """Give the hosts that ever sent a sample."""
        with self._door.open() as db:
            return sorted(doc["_id"] for doc in db["latest"].find({}, {"_id": 1}))

    def roll_up(self, limit: int = 1000, now: float | None = None) -> int:
        """Do what is due: pack and roll up finished or late hours, then days.

        Safe to repeat, to kill and to run twice at once.

        Args:
            limit: host-hours and host-days to look at.
            now: Unix seconds; the clock's if None.

        Returns:
            how many were due; as many as `limit` says that more may be waiting.
        """
        moment = self._clock() if now is None else now
        with self._door.open() as db:
            return Upkeep(db, self._shapes, self.options).run(limit, moment)

    def migrate(self) -> Moved:
        """Bring over a few hours of what a version before the tiers has stored; counts nothing where nothing is left."""
        if self._migrated:
            return Moved()
        with self._door.open() as db:
            upkeep = Upkeep(db, self._shapes, self.options)
            parts = (self._shapes, self._writer, upkeep, self._clock())
            migration = Migration(db, *parts)
            self._migrated = migration.is_done()
            return Moved() if self._migrated else migration.step()

    def failed_markers(self) -> int:
        """Say how many host-hours and host-days could not be worked off when they were last tried."""
        with self._door.open() as db:
            return count_failed(db)

    def drop_old(self, limit: int = 500, now: float | None = None) -> int:
        """Drop what is older than its tier's retention, of the hosts whose turn it is; give how many documents went."""
        moment = self._clock() if now is None else now
        with self._door.open() as db:
            return Sweeper(db, self.options).run(limit, moment)
