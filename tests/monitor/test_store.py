"""The metric store on the real wire: what is acknowledged stays, once, and charts do not lie."""

import math
import multiprocessing
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pymongo
import pytest

from monitor import upkeep
from monitor.records import StoreOptions, hour_key
from monitor.rollups import HourBlock
from monitor.series import Sample, SeriesSet
from monitor.store import MetricStore, StoreUnavailable
from monitor.upkeep import Upkeep
from tests.mongo import MongoServer, TestDatabase, free_port, given_url

# An hour's start; the store's clock in these tests stands two hours later. Near the real
# time, because the server's own time limits go by that.
HOUR = int(time.time()) // 3600 * 3600 - 2 * 3600
NOW = HOUR + 2 * 3600.0
CPU, MEMORY = "cpu.busy_percent", "memory.used_percent"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def database(mongo_url: str) -> Iterator[TestDatabase]:
    database = TestDatabase(mongo_url)
    yield database
    database.drop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: TestDatabase, clock: Clock) -> Iterator[MetricStore]:
    store = MetricStore(database.url, database.name, clock=clock)
    store.ensure_indexes()
    yield store
    store.close()


@pytest.fixture
def raw(database: TestDatabase) -> Iterator[pymongo.database.Database]:
    with pymongo.MongoClient(database.url) as client:
        yield client[database.name]


def samples(count: int, start: float = HOUR, step: float = 15) -> list[Sample]:
    return [
        Sample(start + i * step, {CPU: float(i), MEMORY: 50.0 + i % 7})
        for i in range(count)
    ]


def known(line: list[float | None]) -> list[float]:
    return [value for value in line if value is not None]


def the_hour(store: MetricStore) -> SeriesSet:
    return store.series(1, ["*"], HOUR, HOUR + 3600)


def test_samples_come_back_as_they_were_sent(store: MetricStore) -> None:
    assert store.write(1, samples(4)) == ["stored"] * 4
    found = the_hour(store)
    assert found.times == [HOUR, HOUR + 15, HOUR + 30, HOUR + 45]
    assert found.series[CPU].average == [0.0, 1.0, 2.0, 3.0]
    assert found.series[MEMORY].high == [50.0, 51.0, 52.0, 53.0]
    assert not found.rolled_up
    assert found.newest == HOUR + 45


def test_a_batch_sent_twice_changes_nothing(store: MetricStore) -> None:
    store.write(1, samples(4))
    assert store.write(1, samples(6)) == ["duplicate"] * 4 + ["stored"] * 2
    assert store.write(1, samples(6)) == ["duplicate"] * 6
    assert len(the_hour(store).times) == 6
    assert len(store.latest([1])[1].spark.times) == 2


def test_a_doubled_sample_within_one_batch_is_stored_once(store: MetricStore) -> None:
    one = Sample(HOUR + 1, {CPU: 1.0})
    assert store.write(1, [one, one]) == ["stored", "duplicate"]


def test_the_same_moment_of_two_hosts_is_two_samples(store: MetricStore) -> None:
    found = store.write_many({1: samples(2), 11: samples(2), 3: []})
    assert found == {1: ["stored"] * 2, 11: ["stored"] * 2, 3: []}
    assert store.last_seen([1, 11, 3]) == {1: HOUR + 15, 11: HOUR + 15}


def test_reversed_order_gives_the_same_chart(store: MetricStore) -> None:
    batch = samples(40)
    store.write(1, batch[20:][::-1])
    store.write(1, batch[:20][::-1])
    assert the_hour(store).series[CPU].average == [float(i) for i in range(40)]


def test_a_replay_of_old_samples_does_not_move_latest_back(store: MetricStore) -> None:
    store.write(1, samples(10, HOUR + 1800))
    before = store.latest([1])[1]
    store.write(1, samples(10))
    assert store.latest([1])[1] == before
    assert before.time == HOUR + 1800 + 135
    assert before.values == {CPU: 9.0, MEMORY: 52.0}


def test_the_spark_line_keeps_sixty_points_a_minute_apart(store: MetricStore) -> None:
    batch = samples(400)
    for start in range(0, 400, 7):
        store.write(1, batch[start : start + 7])
    spark = store.latest([1])[1].spark
    assert len(spark.times) == 60
    assert spark.times == [HOUR + 60.0 * i for i in range(40, 100)]
    assert spark.cpu == [4.0 * i for i in range(40, 100)]
    assert spark.load == [None] * 60


def test_two_processes_that_write_one_host_keep_latest_right(
    database: TestDatabase, store: MetricStore, clock: Clock
) -> None:
    other = MetricStore(database.url, database.name, clock=clock)
    batch = samples(60)
    halves = [
        threading.Thread(target=lambda s=s, k=k: [s.write(1, [x]) for x in batch[k::2]])
        for k, s in enumerate((store, other))
    ]
    for thread in halves:
        thread.start()
    for thread in halves:
        thread.join()
    other.close()
    latest = store.latest([1])[1]
    assert latest.time == batch[-1].time
    assert latest.values[CPU] == 59.0
    minutes = [t // 60 for t in latest.spark.times]
    assert minutes == sorted(set(minutes))


def test_a_fleet_is_read_in_one_query(store: MetricStore) -> None:
    for start in range(0, 1000, 250):
        store.write_many({h: samples(1) for h in range(start, start + 250)})
    found = store.latest(range(1000))
    assert len(found) == 1000
    assert found[999].values[MEMORY] == 50.0


def test_odd_mount_names_survive(store: MetricStore) -> None:
    names = ["/", "/mnt/a.b", "/$where", "/数据 盘", "/a|b", "/*", "/ends.with.dot."]
    values = {f"fs.used_percent|{name}": float(i) for i, name in enumerate(names)}
    store.write(1, [Sample(HOUR + 1, values)])
    assert store.latest([1])[1].values == values
    store.roll_up(now=NOW + 600)
    found = store.series(1, ["fs.used_percent|*"], HOUR - 86400, NOW)
    assert {n: known(s.average) for n, s in found.series.items()} == {
        name: [value] for name, value in values.items()
    }


def test_patterns_choose_exact_names_and_prefixes(store: MetricStore) -> None:
    values = {
        "cpu.busy_percent": 1.0,
        "cpu.busy": 2.0,
        "net.x|eth0": 3.0,
        "load.1": 4.0,
    }
    store.write(1, [Sample(HOUR, values)])
    found = store.series(1, ["cpu.busy", "net.*"], HOUR, NOW)
    assert sorted(found.series) == ["cpu.busy", "net.x|eth0"]


def test_missing_samples_are_a_gap_and_never_zero(store: MetricStore) -> None:
    store.write(1, samples(8) + samples(8, HOUR + 600))
    found = the_hour(store)
    line = found.series[CPU].average
    assert len(found.times) == 17
    assert line[8] is None
    assert 0 < found.times[8] - found.times[7] <= 60
    assert known(line) == [float(i) for i in range(8)] * 2
    assert found.coverage == pytest.approx(16 * 15 / 3600)


def test_slight_jitter_is_no_gap(store: MetricStore) -> None:
    rng = random.Random(1)  # noqa: S311
    batch = [
        Sample(HOUR + i * 15 + rng.uniform(-4, 4) + 5, {CPU: 1.0}) for i in range(230)
    ]
    store.write(1, batch)
    assert None not in the_hour(store).series[CPU].average


def test_a_metric_that_comes_and_goes_has_holes_of_its_own(store: MetricStore) -> None:
    batch = samples(4)
    store.write(1, [*batch[:2], Sample(HOUR + 30, {CPU: 9.0}), batch[3]])
    found = the_hour(store)
    assert found.series[MEMORY].average == [50.0, 51.0, None, 53.0]
    assert None not in found.series[CPU].average


def test_too_many_samples_are_drawn_in_buckets(store: MetricStore) -> None:
    store.write(1, samples(240))
    found = store.series(1, [CPU], HOUR, HOUR + 3600, max_points=61)
    assert len(found.times) <= 61
    assert found.resolution == 60
    line = found.series[CPU]
    assert line.average[0] == pytest.approx(1.5)
    assert (line.low[0], line.high[0]) == (0.0, 3.0)
    assert found.coverage == pytest.approx(1.0)
    assert None not in line.average


def test_a_host_that_never_sent_has_an_empty_chart(store: MetricStore) -> None:
    found = the_hour(store)
    assert (found.times, found.series, found.coverage) == ([], {}, 0.0)
    assert found.newest is None
    assert store.latest([1]) == {}


def brute_force(batch: list[Sample]) -> dict[float, tuple[float, float, float]]:
    slots = defaultdict(list)
    for sample in batch:
        slots[sample.time // 300 * 300].append(sample.values[CPU])
    return {slot: (math.fsum(v) / len(v), min(v), max(v)) for slot, v in slots.items()}


def drawn(found: SeriesSet) -> dict[float, tuple[float, float, float]]:
    line = found.series[CPU]
    points = zip(found.times, line.average, line.low, line.high, strict=True)
    return {t: (a, low, high) for t, a, low, high in points if a is not None}


def test_a_long_range_equals_brute_force_before_and_after_the_roll_up(
    store: MetricStore,
) -> None:
    rng = random.Random(7)  # noqa: S311
    batch = [
        Sample(HOUR + rng.uniform(0, 7100), {CPU: rng.uniform(0, 100)})
        for _ in range(400)
    ]
    wanted = brute_force(batch)
    store.write(1, batch)

    def long_range() -> SeriesSet:
        return store.series(1, [CPU], HOUR - 86400, NOW)

    for key, value in drawn(long_range()).items():
        assert value == pytest.approx(wanted[key])
    assert store.roll_up(now=NOW + 600) == 2
    after = long_range()
    assert after.rolled_up
    assert drawn(after).keys() == wanted.keys()
    for key, value in drawn(after).items():
        assert value == pytest.approx(wanted[key], rel=1e-15)
    assert store.roll_up(now=NOW + 600) == 0


def test_a_roll_up_waits_until_the_hour_is_over_and_quiet(
    store: MetricStore, clock: Clock
) -> None:
    clock.now = HOUR + 60.0
    store.write(1, samples(4))
    assert store.roll_up(now=HOUR + 3599) == 0
    clock.now = HOUR + 3600 + 300.0
    store.write(1, samples(4, HOUR + 3000))
    assert store.roll_up(now=clock.now + 300) == 0
    assert store.roll_up(now=clock.now + 400) == 1


def test_late_data_is_rolled_up_again_exactly(store: MetricStore, clock: Clock) -> None:
    batch = samples(240)
    store.write(1, batch[::2])
    store.roll_up(now=NOW + 600)
    clock.now = NOW + 3600
    store.write(1, batch[1::2])
    assert store.roll_up(now=NOW + 3600 + 600) == 1
    found = store.series(1, [CPU], HOUR - 86400, HOUR + 3600)
    assert drawn(found) == brute_force(batch)


def test_a_crash_between_any_two_steps_of_a_roll_up_is_mended(
    store: MetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = samples(240)
    store.write(1, batch)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Upkeep, "keep", dies)
        with pytest.raises(KeyboardInterrupt):
            store.roll_up(now=NOW + 600)
    with monkeypatch.context() as patch:
        patch.setattr("monitor.upkeep._unchanged", dies)
        with pytest.raises(KeyboardInterrupt):
            store.roll_up(now=NOW + 600)
    assert store.roll_up(now=NOW + 600) == 1
    found = store.series(1, [CPU], HOUR - 86400, HOUR + 3600)
    assert drawn(found) == brute_force(batch)


def test_samples_that_arrive_during_a_roll_up_keep_their_marker(
    store: MetricStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = samples(240)
    store.write(1, batch[:200])
    keep = Upkeep.keep

    def slow_keep(self: Upkeep, host_id: int, block: HourBlock) -> None:
        clock.now = NOW + 600
        store.write(1, batch[200:])
        keep(self, host_id, block)

    with monkeypatch.context() as patch:
        patch.setattr(Upkeep, "keep", slow_keep)
        store.roll_up(now=NOW + 600)
    assert store.roll_up(now=NOW + 1200) == 1
    found = store.series(1, [CPU], HOUR - 86400, HOUR + 3600)
    assert drawn(found) == brute_force(batch)


def test_expired_samples_go_only_after_their_roll_up(
    store: MetricStore, raw: pymongo.database.Database
) -> None:
    store.write(1, samples(240))
    much_later = NOW + 30 * 86400
    store.roll_up(now=much_later)
    assert raw.samples.count_documents({}) == 240
    store.roll_up(now=much_later + 47 * 3600)
    assert raw.samples.count_documents({}) == 240
    store.roll_up(now=much_later + 49 * 3600)
    assert raw.samples.count_documents({}) == 0
    assert raw.raw_hours.count_documents({}) == 0
    found = the_hour(store)
    assert found.rolled_up
    assert drawn(found) == brute_force(samples(240))


def test_one_late_sample_does_not_shrink_an_hour_whose_samples_expired(
    store: MetricStore, clock: Clock
) -> None:
    store.write(1, samples(240))
    store.roll_up(now=NOW + 600)
    store.roll_up(now=NOW + 600 + 49 * 3600)
    clock.now = NOW + 50 * 3600
    store.write(1, [Sample(HOUR + 7, {CPU: 9999.0, "load.1": 1.0})])
    for found in (the_hour(store), store.series(1, ["*"], HOUR - 86400, NOW)):
        assert max(known(found.series[CPU].high)) == 239.0
    store.roll_up(now=clock.now + 600)
    found = the_hour(store)
    assert drawn(found) == brute_force(samples(240))
    assert known(found.series["load.1"].average) == [1.0]


def test_a_sample_that_comes_while_old_ones_are_dropped_is_kept(
    store: MetricStore,
    clock: Clock,
    raw: pymongo.database.Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.write(1, samples(8))
    store.roll_up(now=NOW + 600)
    clock.now = NOW + 50 * 3600
    late = Sample(HOUR + 1000, {CPU: 5.0})
    real = upkeep._unchanged
    calls = iter([True])

    def unchanged(marker: dict) -> dict:
        if next(calls, False):
            store.write(1, [late])
        return real(marker)

    monkeypatch.setattr(upkeep, "_unchanged", unchanged)
    store.roll_up(now=clock.now)
    assert raw.samples.find_one({"_id": f"1:{late.milliseconds}"})
    monkeypatch.undo()
    store.roll_up(now=clock.now + 600)
    assert HOUR + 900 in drawn(store.series(1, [CPU], HOUR - 86400, NOW))


def test_two_roll_ups_at_once_agree(database: TestDatabase, store: MetricStore) -> None:
    store.write_many({host: samples(240) for host in range(5)})
    other = MetricStore(database.url, database.name)
    runs = [
        threading.Thread(target=s.roll_up, kwargs={"now": NOW + 600})
        for s in (store, other)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    other.close()
    for host in range(5):
        found = store.series(host, [CPU], HOUR - 86400, HOUR + 3600)
        assert drawn(found) == brute_force(samples(240))


def test_a_deleted_host_leaves_nothing_and_its_neighbours_everything(
    store: MetricStore, raw: pymongo.database.Database
) -> None:
    store.write_many({host: samples(240) for host in (1, 10, 2)})
    store.roll_up(now=NOW + 600)
    store.delete_host(1)
    assert the_hour(store).times == []
    assert store.last_seen([1, 10, 2]).keys() == {10, 2}
    assert raw.samples.count_documents({}) == 480
    assert raw.hours.count_documents({"b": hour_key(1, HOUR)}) == 0
    assert store.write(1, samples(1)) == ["stored"]
    assert store.last_seen([1]) == {1: HOUR}


def test_history_is_written_in_bulk_and_never_over_what_is_there(
    store: MetricStore,
) -> None:
    hours = [
        HourBlock.from_points(HOUR + 3600 * i, {CPU: [float(i)] * 11 + [None]})
        for i in range(-168, 0)
    ]
    assert store.write_history(1, hours) == 168
    assert store.write_history(1, hours) == 0
    found = store.series(1, [CPU], HOUR - 7 * 86400, HOUR)
    assert len(found.times) <= 1000
    assert found.coverage == pytest.approx(11 / 12)
    assert known(found.series[CPU].average)[-1] == -1.0
    short = store.series(1, [CPU], HOUR - 7200, HOUR)
    assert short.rolled_up
    assert known(short.series[CPU].average) == [-2.0] * 11 + [-1.0] * 11


def test_retention_can_be_changed(database: TestDatabase, store: MetricStore) -> None:
    options = StoreOptions(rollup_seconds=3600)
    again = MetricStore(database.url, database.name, options)
    again.ensure_indexes()
    again.ensure_indexes()
    again.close()
    with pymongo.MongoClient(database.url) as client:
        indexes = client[database.name].hours.index_information()
    assert indexes["t_1"]["expireAfterSeconds"] == 3600


def test_a_forked_worker_gets_a_client_of_its_own(store: MetricStore) -> None:
    store.write(1, samples(1))
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=lambda: store.write(2, samples(1)))
    child.start()
    child.join(10)
    assert child.exitcode == 0
    assert store.last_seen([1, 2]).keys() == {1, 2}


def test_a_store_that_was_never_there_says_so_quickly() -> None:
    store = MetricStore(f"mongodb://127.0.0.1:{free_port()}")
    begin = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        store.write(1, samples(1))
    assert time.monotonic() - begin < 5
    assert (caught.value.status, caught.value.code) == (503, "store_unavailable")
    assert "MONGO_URL" in caught.value.hint
    begin = time.monotonic()
    assert store.ping().ok is False
    assert time.monotonic() - begin < 0.5, (
        "a page with many cards waits once, not often"
    )
    store.close()


def test_a_wrong_address_is_a_sentence_too() -> None:
    assert MetricStore("mongodb://:wrong").ping().message.endswith(".")


@pytest.mark.skipif(bool(given_url()), reason="needs a server of our own to kill")
def test_what_was_acknowledged_survives_kill_nine(tmp_path: Path) -> None:
    server = MongoServer(tmp_path).start()
    try:
        store = MetricStore(server.url, clock=lambda: NOW)
        store.ensure_indexes()
        acknowledged: list[int] = []

        def write() -> None:
            for sample in samples(2000):
                try:
                    store.write(1, [sample])
                except StoreUnavailable:
                    return
                acknowledged.append(sample.milliseconds)

        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(1.0)
        server.kill()
        writer.join(10)
        with pytest.raises(StoreUnavailable):
            the_hour(store)
        server.start()
        end = time.monotonic() + 5
        while not store.ping().ok and time.monotonic() < end:
            time.sleep(0.1)
        assert len(acknowledged) > 20
        with pymongo.MongoClient(server.url) as client:
            found = {doc["_id"] for doc in client.adminset.samples.find({}, {"_id": 1})}
            shapes = client.adminset.shapes.count_documents({})
            marked = client.adminset.raw_hours.count_documents({"dirty": True})
        assert {f"1:{ms}" for ms in acknowledged} <= found
        assert shapes == 1
        assert marked >= 1
        again = store.write(
            1, [s for s in samples(2000) if s.milliseconds in acknowledged]
        )
        assert set(again) == {"duplicate"}
        store.close()
    finally:
        server.kill()


@pytest.mark.skipif(bool(given_url()), reason="needs a server of our own to stop")
def test_a_store_that_hangs_is_given_up(tmp_path: Path) -> None:
    server = MongoServer(tmp_path).start()
    try:
        store = MetricStore(server.url, options=StoreOptions(reply_seconds=0.5))
        store.ensure_indexes()
        server.signal(signal.SIGSTOP)
        begin = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.write(1, samples(1))
        assert time.monotonic() - begin < 8
        server.signal(signal.SIGCONT)
        time.sleep(1.2)
        assert store.write(1, samples(1))[0] in {"stored", "duplicate"}
        store.close()
    finally:
        server.signal(signal.SIGCONT)
        server.kill()


def test_a_closed_store_opens_again_by_itself(store: MetricStore) -> None:
    assert store.ping().ok
    assert store.ping().version
    store.close()
    assert store.write(1, samples(1)) == ["stored"]
