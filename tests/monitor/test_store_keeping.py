"""What the store keeps of hosts and for how long: groups, lists, limits, retention, deletion, checks of itself."""

import math
import random
from typing import Any

import pytest

from monitor.series import Sample
from monitor.sizes import Fleet
from monitor.store import MetricStore
from monitor.tables_of_hosts import Table
from monitor.tiers import TIERS, Retention, StoreOptions
from tests.mongo import TestDatabase
from tests.monitor.storing import (
    CPU,
    HOUR,
    NOW,
    Clock,
    drawn,
    known,
    rolled_up,
    samples,
)

DAY = 86400.0


@pytest.mark.parametrize("rolled", [False, True])
@pytest.mark.parametrize(
    ("span", "tier", "step"),
    [(3600, "raw", 15), (86400, "ten_minutes", 600), (30 * 86400, "two_hours", 7200)],
)
def test_a_group_is_drawn_as_its_hosts_are(
    store: MetricStore, clock: Clock, span: int, tier: str, step: int, *, rolled: bool
) -> None:
    rng = random.Random(5)  # noqa: S311
    sent = {
        host: [
            Sample(HOUR + 15 * i, {CPU: rng.randrange(1000) / 10, "load.1": 1.0})
            for i in range(240)
        ]
        for host in range(1, 6)
    }
    store.write_many(sent)
    if rolled or tier == "two_hours":
        rolled_up(store, clock)
    clock.now = NOW
    found = store.read_many([*sent, 99], CPU, HOUR + 3600 - span, HOUR + 3600, 400)
    assert (found.tier, found.resolution) == (tier, step)
    assert found.lines.keys() == sent.keys()
    at = found.times.index(HOUR // step * step)
    readings = {
        host: [s.values[CPU] for s in some if s.time < HOUR + step]
        for host, some in sent.items()
    }
    means = {host: math.fsum(v) / len(v) for host, v in readings.items()}
    assert {h: line[at] for h, line in found.lines.items()} == pytest.approx(means)
    assert found.total[at] == pytest.approx(sum(means.values()))
    assert found.average[at] == pytest.approx(sum(means.values()) / 5)
    assert (found.low[at], found.high[at]) == pytest.approx(
        (min(means.values()), max(means.values()))
    )
    whole = {h: known(line) for h, line in found.lines.items()}
    ranked = sorted(whole, key=lambda h: -sum(whole[h]) / len(whole[h]))
    assert found.top(2) == ranked[:2]


def test_instances_of_a_host_add_up_or_the_highest_counts(store: MetricStore) -> None:
    name = "net.sent_bytes_per_second"
    store.write(1, [Sample(HOUR, {f"{name}|eth0": 5.0, f"{name}|eth1": 7.0})])
    for add, value in ((True, 12.0), (False, 7.0)):
        found = store.read_many([1], name, HOUR, HOUR + 600, add=add)
        assert known(found.lines[1]) == [value]


def test_lists_of_a_host_are_the_newest_ones(store: MetricStore) -> None:
    processes = Table("processes", 100.0, ("pid", "name"), [[1, "init"]], 3)
    units = Table("units", 100.0, ("name",), [["数据.service"]])
    store.keep_tables(1, [processes, units])
    later = Table("processes", 160.0, ("pid", "name"), [[2, None], [3, "x"]])
    store.keep_many_tables({1: [later], 2: [units]})
    store.keep_tables(1, [processes])
    found = store.read_tables(1)
    assert found == {"processes": later, "units": units}
    assert store.read_tables(2).keys() == {"units"}
    assert store.read_tables(3) == {}


def test_changing_labels_do_not_fill_the_store(
    database: TestDatabase, clock: Clock
) -> None:
    store = MetricStore(
        database.url, database.name, StoreOptions(custom_series=3), clock
    )
    names = [f"custom.jobs|id={n}" for n in range(6)]
    for n, name in enumerate(names):
        store.write(1, [Sample(HOUR + n, {name: 1.0, CPU: 2.0})])
    kept = {n for s in store.samples_of(1, HOUR, NOW) for n in s.values}
    assert kept == {CPU, *names[:3]}
    said = store.custom_series([1, 2])[1]
    assert (said.kept, said.left_out, said.examples[-1:]) == (3, 3, (names[5],))
    # Those that fall silent make room.
    clock.now += 3 * DAY
    store.write(1, [Sample(clock.now, {names[5]: 1.0})])
    assert names[5] in store.latest([1])[1].values
    store.close()


def test_each_tier_goes_by_its_own_time_and_its_hosts_policy(
    database: TestDatabase, raw: Any, clock: Clock
) -> None:
    short = Retention(3600, DAY, 2 * DAY, 30 * DAY)
    store = MetricStore(
        database.url,
        database.name,
        StoreOptions(retention_of=lambda ids: dict.fromkeys({1} & set(ids), short)),
        clock,
    )
    store.ensure_indexes()
    for host in (1, 2):
        store.write(host, samples(480))
    # Puts them on the list.
    rolled_up(store, clock)

    def left(host: int) -> set[str]:
        tables = (tier.table for tier in TIERS)
        mine = {"b": {"$gte": f"{host:010d}:", "$lt": f"{host:010d};"}}
        return {name for name in tables if raw[name].find_one(mine)}

    assert left(1) == left(2) == {tier.table for tier in TIERS}
    for days, gone in ((2.0, {"raw", "minute"}), (5.0, {"ten_minutes"})):
        clock.now = HOUR + days * DAY + 6 * 3600
        while store.drop_old(now=clock.now):
            pass
        assert not left(1) & {f"tier_{name}" for name in gone}
    assert left(1) == {"tier_two_hours", "tier_day"}
    assert left(2) == {tier.table for tier in TIERS} - {"tier_raw"}
    found = store.series(1, [CPU], HOUR - 20 * DAY, HOUR + DAY)
    assert drawn(found)
    store.close()


def test_one_late_sample_does_not_shrink_an_hour_whose_samples_went(
    store: MetricStore, raw: Any, clock: Clock
) -> None:
    store.write(1, samples(240))
    rolled_up(store, clock)
    before = drawn(store.series(1, [CPU], HOUR - DAY, HOUR + DAY))
    raw.tier_raw.delete_many({})
    store.write(1, [Sample(HOUR + 7, {CPU: 1e6})])
    rolled_up(store, clock)
    clock.now = NOW
    assert drawn(store.series(1, [CPU], HOUR - DAY, HOUR + DAY)) == before


def test_a_deleted_host_leaves_nothing_and_its_neighbours_everything(
    store: MetricStore, raw: Any, clock: Clock
) -> None:
    store.write_many({host: samples(240) for host in (1, 10, 2)})
    store.keep_tables(1, [Table("units", 1.0, ("name",), [])])
    rolled_up(store, clock)
    store.write_many({host: samples(20, HOUR + 7200) for host in (1, 10, 2)})
    store.delete_host(1)
    for name in raw.list_collection_names():
        keys = [str(doc["_id"]) for doc in raw[name].find({}, {"_id": 1})]
        assert not [k for k in keys if k.split(":")[0].lstrip("0") == "1"], name
    assert store.last_seen([1, 10, 2]).keys() == {10, 2}
    assert len(store.samples_of(10, HOUR, HOUR + 9000)) == 260
    assert store.write(1, samples(1)) == ["stored"]
    assert store.last_seen([1]) == {1: HOUR}


def test_history_goes_into_the_wide_tiers_and_never_over_what_is_there(
    store: MetricStore, clock: Clock
) -> None:
    store.write(1, [Sample(HOUR - 3600 + 15 * i, {CPU: 1.0}) for i in range(240)])
    rolled_up(store, clock)
    clock.now = NOW
    week = [Sample(HOUR - 7 * DAY + 300 * i, {CPU: 9.0}) for i in range(7 * 288)]
    for _ in range(2):
        store.write_history(1, week)
    found = store.series(1, [CPU], HOUR - 7 * DAY, HOUR)
    line = found.series[CPU].average
    assert known(line)[0] == 9.0
    assert known(line)[-1] == 1.0
    assert found.coverage == pytest.approx(1.0, abs=0.02)
    # A short range of the past has no finer tier: it is drawn from what there is.
    short = store.series(1, [CPU], HOUR - 3 * DAY, HOUR - 3 * DAY + 7200)
    assert (short.tier, known(short.series[CPU].average)) == ("ten_minutes", [9.0] * 12)


def test_a_tier_that_says_other_than_its_samples_is_told(
    store: MetricStore, raw: Any, clock: Clock
) -> None:
    clock.now = HOUR + DAY
    store.write(1, samples(2000, HOUR))
    assert store.differences(1) == []
    for later in (0, 86400):
        while store.roll_up(now=clock.now + later):
            pass
    assert store.differences(1) == []
    other = MetricStore(store._door._url, f"{raw.name}_other", clock=clock)
    other.write(1, [*samples(100, HOUR)[:-1], Sample(HOUR + 1485, {CPU: 1e6})])
    while other.roll_up(now=clock.now + 3600):
        pass
    wrong = raw.client[f"{raw.name}_other"].tier_minute.find_one({})
    raw.tier_minute.replace_one({"_id": wrong["_id"]}, wrong)
    raw.client.drop_database(f"{raw.name}_other")
    other.close()
    found = store.differences(1)
    assert {d.tier for d in found} == {"minute"}
    assert {d.field for d in found} >= {"count", "high", "sum"}
    highest = next(d for d in found if d.field == "high" and d.metric == CPU)
    assert (highest.stored, highest.time) == (1e6, HOUR + 1440)


def test_the_size_is_said_and_forecast(store: MetricStore, clock: Clock) -> None:
    store.write(1, samples(480))
    rolled_up(store, clock)
    found = {s.tier: s for s in store.sizes(Fleet(10_000, 60, 15))}
    assert found["raw"].documents == 2
    assert 0 < found["raw"].cell_bytes < 3
    assert found["raw"].bytes > 0
    numbers = 10_000 * 60 * 4 * 60 * 48
    assert found["raw"].forecast > numbers * found["raw"].cell_bytes
