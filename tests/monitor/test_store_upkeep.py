"""Roll-ups go on past what cannot be done, and no unit is larger than a document may be."""

import logging
from datetime import UTC
from typing import Any

import numpy as np
import pytest

from monitor import services, units
from monitor.packed import names_in
from monitor.retention import Sweeper
from monitor.series import Sample
from monitor.store import MetricStore, StoreUnavailable
from monitor.tiers import RAW, TIERS, StoreOptions
from monitor.upkeep import PAUSE_SECONDS, Upkeep
from tests.mongo import TestDatabase
from tests.monitor.storing import (
    CPU,
    HOUR,
    Clock,
    brute_force,
    drawn,
    long_range,
    samples,
)

TOMORROW = HOUR + 2 * 86400.0


def rolled_up(store: MetricStore, clock: Clock) -> None:
    """Let enough time pass, and do all that is due."""
    clock.now = max(clock.now, TOMORROW)
    for later in (0, 3600):
        while store.roll_up(now=clock.now + later):
            pass


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make hours of host 2 fail until it is called."""
    real = Upkeep.roll_hour

    def bad_for_one(upkeep: Upkeep, marker: Any, now: float) -> None:
        if marker["h"] == 2:
            raise ValueError("what nobody thought of")
        real(upkeep, marker, now)

    monkeypatch.setattr(Upkeep, "roll_hour", bad_for_one)
    return lambda: monkeypatch.setattr(Upkeep, "roll_hour", real)


def test_an_hour_that_cannot_be_rolled_up_holds_no_other_up(
    store: MetricStore,
    raw: Any,
    clock: Clock,
    poison: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for host_id in (1, 2, 3):
        store.write(host_id, samples(20))
    clock.now = TOMORROW
    assert store.roll_up(now=clock.now)
    assert "measurements of host 2 from " in caplog.text
    assert "does not answer" not in caplog.text
    waiting = {marker["h"] for marker in raw["due_hours"].find({})}
    assert waiting == {2}
    assert store.failed_markers() == 1
    # It waits for its time; and then, mended, it is done.
    poison()
    store.roll_up(now=clock.now)
    assert raw["due_hours"].count_documents({}) == 1
    store.roll_up(now=clock.now + PAUSE_SECONDS)
    assert raw["due_hours"].count_documents({}) == 0
    assert store.failed_markers() == 0


def test_what_fails_again_and_again_is_tried_less_and_less(
    store: MetricStore, raw: Any, clock: Clock, poison: Any
) -> None:
    store.write(2, samples(20))
    clock.now = TOMORROW
    pauses = []
    for _ in range(9):
        store.roll_up(now=clock.now)
        marker = raw["due_hours"].find_one({})
        due = marker["due"].replace(tzinfo=UTC).timestamp()
        pauses.append((due - clock.now) / PAUSE_SECONDS)
        clock.now = due
    assert pauses == [1, 2, 4, 8, 16, 32, 36, 36, 36]
    assert marker["f"] == 9


def test_a_store_that_is_away_is_no_fault_of_a_marker(
    store: MetricStore, raw: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(1, samples(20))
    clock.now = TOMORROW

    def away(*_args: Any) -> None:
        store.close()
        monkeypatch.setattr("monitor.upkeep.answers", lambda _db: False)
        raise StoreUnavailable("gone")

    monkeypatch.setattr(Upkeep, "roll_hour", away)
    with pytest.raises(StoreUnavailable):
        store.roll_up(now=clock.now)
    assert "f" not in raw["due_hours"].find_one({})


def test_what_is_too_old_goes_even_where_the_roll_up_fails(
    measurements: MetricStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    swept: list[int] = []

    def broken(*_args: Any, **_named: Any) -> int:
        raise ValueError("what nobody thought of")

    monkeypatch.setattr(measurements, "roll_up", broken)
    monkeypatch.setattr(measurements, "drop_old", lambda limit: swept.append(limit))
    with caplog.at_level(logging.ERROR):
        services.roll_up()
    assert swept
    assert "what nobody thought of" in caplog.text


def test_a_host_whose_old_measurements_cannot_be_dropped_holds_no_other_up(
    store: MetricStore, raw: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for host_id in (1, 2, 3):
        store.write(host_id, samples(240))
    rolled_up(store, clock)
    store.drop_old(now=clock.now)
    drop = Sweeper._drop

    def bad_for_one(sweeper: Sweeper, host_id: int, *told: Any) -> int:
        if host_id == 2:
            raise ValueError("what nobody thought of")
        return drop(sweeper, host_id, *told)

    monkeypatch.setattr(Sweeper, "_drop", bad_for_one)
    store.drop_old(now=clock.now + 10 * 86400)
    left = {int(doc["b"][:10]) for doc in raw[RAW.table].find({}, {"b": 1})}
    assert left == {2}


def noise(names: int, times: int, first: int = 0, seed: int = 1) -> list[Sample]:
    """Make samples of numbers that nothing compresses."""
    rng = np.random.default_rng(seed)
    keys = [f"custom.n{first + n:05d}" for n in range(names)]
    step = 3600 / times
    return [
        Sample(
            round(HOUR + i * step, 3),
            dict(zip(keys, rng.random(names).tolist(), strict=True)),
        )
        for i in range(times)
    ]


@pytest.mark.timeout(300)
def test_no_document_is_larger_than_the_store_takes(
    database: TestDatabase, raw: Any, clock: Clock
) -> None:
    # Documents of many megabytes take their time where other tests run beside.
    patient = StoreOptions(reply_seconds=120)
    store = MetricStore(database.url, database.name, patient, clock)
    store.ensure_indexes()
    batch = noise(2000, 1800)
    for at in range(0, 1800, 100):
        store.write(2, batch[at : at + 100])
    store.write(1, samples(20))
    rolled_up(store, clock)
    assert raw["due_hours"].count_documents({}) == raw.chunks.count_documents({}) == 0
    parts = list(raw[RAW.table].find({"b": {"$gte": "0000000002:"}}))
    assert len(parts) > 2
    assert max(len(doc["z"]) for doc in parts) < 16_000_000
    assert parts[0]["p"] == len(parts)
    assert store.samples_of(2, HOUR, HOUR + 3600) == batch
    assert store.differences(2) == []
    store.close()


def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let five names be a part of an hour of 240 samples, and of all tiers."""
    monkeypatch.setattr(units, "PART_BYTES", 5 * (8 * 1000 + units.NAME_BYTES))


def test_parts_of_a_unit_are_read_as_one(
    store: MetricStore, raw: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    batch = [
        Sample(
            s.time, {**s.values, **{f"custom.n{n:02d}": s.time + n for n in range(23)}}
        )
        for s in samples(240)
    ]
    store.write(1, batch)
    before = store.series(1, ["*"], HOUR, HOUR + 3600)
    rolled_up(store, clock)
    for tier in TIERS:
        assert raw[tier.table].count_documents({}) > 1, tier
    clock.now = HOUR + 7200.0
    assert store.series(1, ["*"], HOUR, HOUR + 3600) == before
    assert store.samples_of(1, HOUR, HOUR + 3600) == batch
    assert drawn(long_range(store)) == brute_force(batch)
    for name, days in (("ten_minutes", 1), ("two_hours", 20), ("day", 200)):
        found = store.series(1, ["custom.n22"], HOUR - days * 86400, HOUR + 86400)
        assert found.tier == name
        highs = [h for h in found.series["custom.n22"].high if h is not None]
        assert max(highs) == batch[-1].values["custom.n22"]
    group = store.read_many([1], "custom.n21", HOUR, HOUR + 3600)
    assert group.lines.keys() == {1}
    assert store.differences(1) == []


def test_late_names_and_repeated_samples_find_their_parts(
    store: MetricStore, raw: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    first = noise(7, 240)
    store.write(1, first[:200])
    rolled_up(store, clock)
    kept = {doc["_id"]: names_in(doc["z"]) for doc in raw[RAW.table].find({})}
    late = [
        Sample(s.time, {**s.values, **o.values})
        for s, o in zip(first[200:], noise(9, 40, first=3, seed=2), strict=True)
    ]
    assert set(store.write(1, [*first[:10], *late])) == {"duplicate", "stored"}
    rolled_up(store, clock)
    after = {doc["_id"]: names_in(doc["z"]) for doc in raw[RAW.table].find({})}
    for key, names in kept.items():
        assert set(names) <= set(after[key])
    assert store.samples_of(1, HOUR, HOUR + 3600) == [*first[:200], *late]
    assert store.differences(1) == []
    assert set(store.write(1, late)) == {"duplicate"}
    assert CPU not in store.latest([1])[1].values
    store.delete_host(1)
    assert raw[RAW.table].count_documents({}) == 0
