"""Roll-ups in the store: exact for late data and in any order, resumable wherever they were killed."""

import contextlib
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.collection import Collection

from monitor.series import Sample
from monitor.store import MetricStore
from monitor.tiers import TIERS
from monitor.upkeep import Upkeep
from monitor.writing import SETTLE_SECONDS
from tests.mongo import TestDatabase
from tests.monitor.storing import (
    CPU,
    HOUR,
    NOW,
    Cells,
    Clock,
    brute_force,
    drawn,
    long_range,
    samples,
    the_hour,
)

WRITES = (
    *("insert_many", "bulk_write", "update_one", "delete_many", "delete_one"),
    *("find", "find_one"),
)
TOMORROW = HOUR + 2 * 86400.0


class Killed(BaseException):
    """What a process that is killed does not survive."""


def rolled_up(store: MetricStore, clock: Clock) -> None:
    """Let enough time pass, and do all that is due."""
    clock.now = max(clock.now, TOMORROW)
    # First the hours, and later the days that they have changed.
    for later in (0, 2 * SETTLE_SECONDS):
        while store.roll_up(now=clock.now + later):
            pass


def assert_close(found: Cells, wanted: Cells) -> None:
    """The same slots; sums of numbers that are no decimals depend on the order of adding in their last digits."""
    assert found.keys() == wanted.keys()
    for slot, cell in found.items():
        assert cell == pytest.approx(wanted[slot], rel=1e-14)


def everything(raw: Any) -> dict[str, list[Any]]:
    """What all tiers hold, versions apart."""
    return {
        tier.table: sorted(
            (doc["_id"], doc["z"]) for doc in raw[tier.table].find({}, {"r": 0})
        )
        for tier in TIERS
    }


def test_a_long_range_equals_brute_force_before_and_after_the_roll_up(
    store: MetricStore, clock: Clock
) -> None:
    rng = random.Random(7)  # noqa: S311
    batch = [
        Sample(HOUR + rng.uniform(0, 7100), {CPU: rng.uniform(0, 100)})
        for _ in range(400)
    ]
    wanted = brute_force(batch)
    store.write(1, batch)
    for tier in ("ten_minutes", "two_hours", "day"):
        days = {"ten_minutes": 1, "two_hours": 20, "day": 200}[tier]
        found = store.series(1, [CPU], HOUR - days * 86400, HOUR + 86400)
        assert found.tier == tier
        assert max(s for _a, _l, s in drawn(found).values()) == max(
            high for _a, _l, high in wanted.values()
        )
    assert_close(drawn(long_range(store)), wanted)
    assert store.roll_up(now=NOW + 600) == 2
    assert long_range(store).rolled_up
    assert_close(drawn(long_range(store)), wanted)
    assert store.roll_up(now=NOW + 600) == 0
    rolled_up(store, clock)
    assert_close(drawn(long_range(store)), wanted)


@pytest.mark.parametrize(
    ("days", "tier", "seconds"), [(20, "two_hours", 7200), (200, "day", 86400)]
)
def test_wide_tiers_are_exact_too(
    store: MetricStore, clock: Clock, days: int, tier: str, seconds: int
) -> None:
    batch = samples(1500)
    store.write(1, batch)
    rolled_up(store, clock)
    found = store.series(1, [CPU], HOUR - days * 86400, HOUR + 86400)
    assert (found.tier, found.resolution) == (tier, seconds)
    assert drawn(found) == brute_force(batch, seconds)


def test_a_closed_hour_is_packed_and_reads_as_before(
    store: MetricStore, raw: Any, clock: Clock
) -> None:
    store.write(1, samples(240))
    before = the_hour(store)
    rolled_up(store, clock)
    assert raw.chunks.count_documents({}) == 0
    assert raw.due_hours.count_documents({}) == raw.due_days.count_documents({}) == 0
    clock.now = NOW
    assert the_hour(store) == before
    assert store.samples_of(1, HOUR, HOUR + 3600) == samples(240)


def test_a_batch_sent_again_after_its_hour_was_packed_changes_nothing(
    store: MetricStore, raw: Any, clock: Clock
) -> None:
    store.write(1, samples(240))
    rolled_up(store, clock)
    before = everything(raw)
    again = MetricStore(store._door._url, raw.name, clock=clock)
    assert set(again.write(1, samples(240)[100:140])) == {"duplicate"}
    again.close()
    rolled_up(store, clock)
    assert everything(raw) == before


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
    assert set(store.write(1, batch)) == {"stored", "duplicate"}
    assert store.roll_up(now=NOW + 3600 + 600) == 1
    assert drawn(long_range(store)) == brute_force(batch)
    rolled_up(store, clock)
    later = batch + samples(40, HOUR + 3600)
    store.write(1, later[::-1])
    rolled_up(store, clock)
    found = store.series(1, [CPU], HOUR - 20 * 86400, HOUR + 86400)
    assert drawn(found) == brute_force(later, 7200)


def dying(original: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    """Make a call of the driver before which its process is killed when the countdown is over."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return original(self, *args, **kwargs)

    return call


def test_a_roll_up_that_is_killed_at_any_step_is_taken_up_again_and_counts_nothing_twice(
    store: MetricStore,
    raw: Any,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = samples(60, step=100)
    store.write(2, batch)
    rolled_up(store, clock)
    wanted = {name: [z for _, z in docs] for name, docs in everything(raw).items()}
    for step in range(1, 1000):
        for name in raw.list_collection_names():
            raw[name].delete_many({})
        store._forget()
        clock.now = NOW
        store.write(1, batch[::2])
        clock.now = NOW + 600
        store.roll_up(now=clock.now)
        store.write(1, batch[1::2])
        left = [step]
        with monkeypatch.context() as patch:
            for name in WRITES:
                patch.setattr(Collection, name, dying(getattr(Collection, name), left))
            with contextlib.suppress(Killed):
                rolled_up(store, clock)
        # Whatever was done until then, charts are right, and so is what comes of it.
        clock.now = TOMORROW
        assert drawn(long_range(store)) == brute_force(batch)
        rolled_up(store, clock)
        found = {name: [z for _, z in docs] for name, docs in everything(raw).items()}
        assert found == wanted, step
        assert raw.chunks.count_documents({}) == 0
        if left[0] > 0:
            break
    assert 30 < step < 999


def test_samples_that_arrive_during_a_roll_up_keep_their_marker(
    store: MetricStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = samples(240)
    store.write(1, batch[:200])
    keep = Upkeep.keep

    def slow_keep(self: Upkeep, *args: Any) -> bool:
        clock.now = NOW + 600
        store.write(1, batch[200:])
        return keep(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Upkeep, "keep", slow_keep)
        store.roll_up(now=NOW + 600)
    assert store.roll_up(now=NOW + 1200) == 1
    assert drawn(long_range(store)) == brute_force(batch)


def test_two_roll_ups_at_once_agree(database: TestDatabase, store: MetricStore) -> None:
    store.write_many({host: samples(240) for host in range(1, 6)})
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
    for host in range(1, 6):
        found = store.series(host, [CPU], HOUR - 86400, HOUR + 86400)
        assert drawn(found) == brute_force(samples(240))
        assert store.differences(host) == []
