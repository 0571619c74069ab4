"""The metric store on the real wire: what is acknowledged stays, once, and charts do not lie."""

import random
import threading

import pytest

from monitor.series import Sample
from monitor.store import MetricStore
from tests.mongo import TestDatabase
from tests.monitor.storing import (
    CPU,
    HOUR,
    MEMORY,
    NOW,
    Clock,
    known,
    samples,
    the_hour,
)


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
