"""The metric store: bytes on disk, writes, roll-ups, and charts of one host and of a group of 100 from an hour to a year."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pymongo
from pymongo.collection import Collection

from monitor.history import as_samples
from monitor.packed import pack_samples
from monitor.rollups import Block
from monitor.series import Sample
from monitor.store import MetricStore
from monitor.tiers import DAY, MINUTE, TEN_MINUTES, TWO_HOURS, Tier
from monitor.upkeep import Upkeep
from tests.bench.figures import Figure, percentile
from tests.mongo import MongoServer

HOSTS, HOUR_SECONDS, DAY_SECONDS = 100, 3600, 86400
# Documents of the wide tiers hold one family each: what a year left behind is filled in for these.
OLD_FAMILIES = 2
FAMILIES = ("cpu", "memory", "disk", "net", "fs", "tcp")
NAMES = tuple(f"{family}.value_{n}" for family in FAMILIES for n in range(10))
CHART = [f"cpu.value_{n}" for n in range(5)]
SPANS = {"1 h": 1 / 24, "24 h": 1.0, "30 d": 30.0, "1 y": 365.0}
ROUNDS, GROUP_ROUNDS = 20, 8
DISK_HOURS = 1500
# Nothing here is secret.
CHANCE = random.Random(1)  # noqa: S311
DICE = np.random.default_rng(1)


class Clock:
    """Stands where the bench puts it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def run(folder: Path) -> list[Figure]:
    """Fill an embedded store with a group of hosts and measure."""
    mongo = MongoServer(folder / "mongo").start()
    clock = Clock()
    try:
        store = MetricStore(mongo.url, clock=clock)
        store.ensure_indexes()
        begin = int(time.time()) // HOUR_SECONDS * HOUR_SECONDS - HOUR_SECONDS
        return [
            *_packed(),
            *_on_disk(folder / "disk"),
            *_hours(store, clock, begin, mongo),
            *_charts(store, clock, begin + HOUR_SECONDS),
        ]
    finally:
        mongo.kill()


def _values() -> dict[str, float]:
    return {name: round(CHANCE.gauss(50, 10), 2) for name in NAMES}


def _packed() -> Iterator[Figure]:
    noise = [Sample(15.0 * i, _values()) for i in range(240)]
    yield Figure(
        "store packed hour, pure noise of 2 decimals",
        len(pack_samples(as_samples(noise))) / (len(NAMES) * 240),
        "bytes/value",
        "2",
    )
    yield Figure(
        "store packed hour, as hosts are",
        len(pack_samples(as_samples(_believable()))) / (len(NAMES) * 240),
        "bytes/value",
        "2",
    )


def _believable() -> list[Sample]:
    """An hour of a host: a third never changes, a third moves a little, a third is noise."""
    level = {name: float(CHANCE.randrange(10**6)) for name in NAMES}
    hour = []
    for i in range(240):
        for name in NAMES[20:40]:
            level[name] += CHANCE.choice((0, 0, 0, 4096, -4096, 8192))
        noisy = {name: round(CHANCE.gauss(20, 4), 3) for name in NAMES[40:]}
        hour.append(Sample(15.0 * i, level | noisy))
    return hour


def _hours(
    store: MetricStore, clock: Clock, begin: int, mongo: MongoServer
) -> Iterator[Figure]:
    """Write an hour of the group as agents send it, and roll it up; then the hour that goes on."""
    times = [
        _write(store, clock, begin + 60 * minute, _values()) for minute in range(60)
    ]
    rate = HOSTS * 4 / percentile(times, 0.5)
    yield Figure("store writes, groups of 100 hosts", rate, "samples/s")
    began = time.perf_counter()
    done = store.roll_up(now=begin + 3 * HOUR_SECONDS)
    took = time.perf_counter() - began
    yield Figure("store roll-up", done / took, "host-hours/s", "2.8 (10,000 hosts)")
    with pymongo.MongoClient(mongo.url) as client:
        held = sum(len(doc["z"]) for doc in client.adminset.tier_raw.find())
    values = HOSTS * 240 * len(NAMES)
    yield Figure("store raw tier", held / values, "bytes/value", "2")
    for minute in range(45):
        _write(store, clock, begin + HOUR_SECONDS + 60 * minute, _values())
        # As beat does each minute.
        store.roll_up(now=clock.now)


def _write(
    store: MetricStore, clock: Clock, start: float, values: dict[str, float]
) -> float:
    clock.now = start + 60
    batches = {
        host: [
            Sample(
                start + 15 * i,
                {n: round(v + host / 7 + i, 2) for n, v in values.items()},
            )
            for i in range(4)
        ]
        for host in range(1, HOSTS + 1)
    }
    began = time.perf_counter()
    store.write_many(batches)
    return time.perf_counter() - began


def _size(folder: Path) -> int:
    """Give the bytes of the server's own files, without its journal and its log for replicas."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sum(
        path.stat().st_size
        for path in files
        if "Log." not in path.name and "oplog" not in path.name
    )


def _on_disk(folder: Path) -> Iterator[Figure]:
    """Keep packed hours in a server of their own, stop it, and look at its files."""
    mongo = MongoServer(folder).start()
    empty = _stopped(mongo)
    blobs = [pack_samples(as_samples(_believable())) for _ in range(50)]
    mongo.start()
    with pymongo.MongoClient(mongo.url) as client:
        table = client["adminset"]["tier_raw"]
        table.create_index("b")
        for host in range(0, DISK_HOURS, 50):
            keys = [f"{host + i:010d}:0000001:" for i in range(50)]
            pairs = zip(keys, blobs, strict=True)
            table.insert_many([{"_id": k, "b": k, "z": z, "r": 1} for k, z in pairs])
    size = _stopped(mongo) - empty
    values = DISK_HOURS * 240 * len(NAMES)
    packed = sum(map(len, blobs)) * DISK_HOURS / 50 / values
    name = "store on disk, packed hours as hosts are, with index"
    told = f"{packed:.3f} packed"
    yield Figure(name, size / values, "bytes/value", "2", told)


def _stopped(mongo: MongoServer) -> int:
    mongo.stop()
    return _size(mongo.folder)


def _fill(store: MetricStore, end: int) -> None:
    """Write what a year has left behind in the tiers."""
    days = {MINUTE: 1, TEN_MINUTES: 3, TWO_HOURS: 366, DAY: 366}
    with store._door.open() as db:
        upkeep = Upkeep(db, store._shapes, store.options)
        for host in range(1, HOSTS + 1):
            for tier, span in days.items():
                if tier is MINUTE and host > ROUNDS:
                    continue
                start = end - span * DAY_SECONDS
                first = start // DAY_SECONDS * DAY_SECONDS if tier is DAY else start
                first = first // tier.seconds * tier.seconds
                upkeep.keep(
                    host, tier, _block(first, tier, (end - first) // tier.seconds)
                )


def _block(start: int, tier: Tier, slots: int) -> Block:
    names = NAMES if tier is MINUTE else NAMES[: 10 * OLD_FAMILIES]
    shape = (len(names), slots)
    count = max(tier.seconds // 15, 1)
    lows = np.round(DICE.normal(40, 5, shape), 2)
    highs = lows + np.round(DICE.uniform(0, 20, shape), 2)
    sums = np.round((lows + highs) / 2 * count, 2)
    counts = np.full(shape, count, np.int64)
    return Block(start, tier.seconds, names, sums, lows, highs, highs, counts)


def _charts(store: MetricStore, clock: Clock, hour: int) -> Iterator[Figure]:
    _fill(store, hour - 7200)
    clock.now = now = hour + 45 * 60
    hosts = list(range(1, HOSTS + 1))
    for name, days in SPANS.items():
        start = now - days * DAY_SECONDS

        def one(turn: int, start: float = start) -> int:
            found = store.series(hosts[turn], CHART, start, now)
            return len(found.times) * len(found.series)

        def group(turn: int, start: float = start) -> int:
            found = store.read_many(hosts, CHART[turn % 5], start, now)
            return len(found.lines)

        yield _timed(f"store one host, {name}", one, ROUNDS, "150")
        yield _timed(f"store group of 100, {name}", group, GROUP_ROUNDS, "500")


def _timed(name: str, ask: Callable[[int], int], rounds: int, goal: str) -> Figure:
    plain = _plain(lambda: ask(0))
    times, yardstick = [], []
    for turn in range(rounds):
        began = time.perf_counter()
        ask(turn)
        between = time.perf_counter()
        plain()
        times.append((between - began) * 1000)
        yardstick.append((time.perf_counter() - between) * 1000)
    told = f"{percentile(yardstick, 0.95):.1f} ms: the same finds alone"
    return Figure(f"{name} p95", round(percentile(times, 0.95), 1), "ms", goal, told)


def _plain(ask: Callable[[], int]) -> Callable[[], None]:
    """Give what asks the store the same things, and does nothing with the answers."""
    asked: list[tuple[Any, ...]] = []
    find = Collection.find

    def noted(self: Any, *args: Any) -> Any:
        asked.append((self, *args))
        return find(self, *args)

    with mock.patch.object(Collection, "find", noted):
        assert ask()

    def again() -> None:
        for each in asked:
            list(find(*each))

    return again
