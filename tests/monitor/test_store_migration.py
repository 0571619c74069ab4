"""Measurements that a version before the tiers has stored: brought over whole, once, whoever dies meanwhile; and their owner is told."""

import logging
from typing import Any

import pymongo
import pytest
from django.core.management import CommandError, call_command

from monitor import metric_store, services
from monitor.shapes import Shapes
from monitor.store import MetricStore
from monitor.upkeep import Upkeep
from monitor.writing import Writer
from tests.monitor.old_store import roll_old, write_old
from tests.monitor.storing import (
    CPU,
    HOUR,
    MEMORY,
    NOW,
    Clock,
    brute_force,
    drawn,
    known,
    samples,
)

DAY = 86400
# Rolled up long ago, and dropped by the old store: only its slots of five minutes are left.
LONG_AGO = samples(480, HOUR - 5 * DAY)
RECENT = samples(480, HOUR - 7200)


@pytest.fixture
def old(raw: Any, clock: Clock) -> Any:
    """A store as the version before has left it, of two hosts."""
    shapes = Shapes(clock)
    for host_id in (1, 2):
        roll_old(raw, shapes, host_id, [*LONG_AGO, *RECENT])
        write_old(raw, shapes, host_id, RECENT)
    return raw


def _migrate(store: MetricStore) -> tuple[int, int, int]:
    done = [0, 0, 0]
    while moved := store.migrate():
        done = [
            a + b
            for a, b in zip(done, (moved.samples, moved.hours, moved.lost), strict=True)
        ]
    return done[0], done[1], done[2]


def _settled(store: MetricStore, clock: Clock) -> None:
    """Roll up all that is due, and look at it from the day after."""
    clock.now = NOW + DAY
    for later in (0, DAY):
        while store.roll_up(now=clock.now + later):
            pass


def _left(raw: Any) -> int:
    return sum(
        raw[name].count_documents({}) for name in ("samples", "hours", "raw_hours")
    )


def test_samples_and_roll_ups_are_brought_over_and_drawn_as_before(
    store: MetricStore, old: Any, clock: Clock
) -> None:
    assert _migrate(store) == (960, 8, 0)
    assert _left(old) == 0
    for host_id in (1, 2):
        kept = store.samples_of(host_id, HOUR - 7200, HOUR)
        assert [(s.time, dict(s.values)) for s in kept] == [
            (s.time, dict(s.values)) for s in RECENT
        ]
    _settled(store, clock)
    assert store.differences(1) == []
    begin = HOUR - 5 * DAY
    found = drawn(store.series(1, [CPU], begin, begin + 7200))
    assert found == brute_force(LONG_AGO)
    wide = store.series(2, [CPU, MEMORY], HOUR - 60 * DAY, HOUR + DAY)
    assert wide.tier == "two_hours"
    slots = brute_force(LONG_AGO, 7200) | brute_force(RECENT, 7200)
    assert drawn(wide) == slots
    assert known(wide.series[MEMORY].high) == [56.0, 56.0]


def test_it_may_be_done_again_and_new_samples_may_come_meanwhile(
    store: MetricStore, old: Any, clock: Clock
) -> None:
    assert store.write(1, [RECENT[5]]) == ["stored"]
    assert store.migrate()
    assert store.write(1, samples(4, HOUR)) == ["stored"] * 4
    assert _migrate(store)[0] == 960
    assert _migrate(store) == (0, 0, 0)
    # As somebody does who restores a backup of the old database over this one.
    shapes = Shapes(clock)
    roll_old(old, shapes, 1, RECENT)
    write_old(old, shapes, 1, RECENT)
    again = MetricStore(store._door._url, old.name, clock=clock)
    assert _migrate(again) == (480, 2, 0)
    again.close()
    kept = store.samples_of(1, HOUR - 7200, HOUR + 60)
    assert len(kept) == len({s.milliseconds for s in kept}) == 484
    _settled(store, clock)
    assert store.differences(1) == []


class Killed(BaseException):
    """Nobody catches it."""


@pytest.mark.parametrize("after", [1, 4, 8, 9, 12])
def test_one_that_is_killed_is_taken_up_where_it_was(
    store: MetricStore,
    old: Any,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    left = [after]

    def dying(work: Any) -> Any:
        def does(*told: Any) -> Any:
            done = work(*told)
            left[0] -= 1
            if not left[0]:
                raise Killed
            return done

        return does

    # 8 hours of slots first, then 4 of samples: killed between what is written and what goes.
    monkeypatch.setattr(Upkeep, "keep", dying(Upkeep.keep))
    monkeypatch.setattr(Writer, "write", dying(Writer.write))
    with pytest.raises(Killed):
        _migrate(store)
    monkeypatch.undo()
    assert _left(old) > 0
    fresh = MetricStore(store._door._url, old.name, clock=clock)
    _migrate(fresh)
    assert _left(old) == 0
    _settled(fresh, clock)
    for host_id in (1, 2):
        assert len(fresh.samples_of(host_id, HOUR - 7200, HOUR)) == 480
        assert fresh.differences(host_id) == []
    long_ago = HOUR - 5 * DAY
    found = drawn(fresh.series(2, [CPU], long_ago, long_ago + 7200))
    assert found == brute_force(LONG_AGO)
    fresh.close()


def test_what_nobody_can_read_any_more_is_counted_and_stops_nothing(
    store: MetricStore, old: Any
) -> None:
    old.samples.update_one({"_id": f"1:{RECENT[3].milliseconds}"}, {"$set": {"s": "x"}})
    old.samples.update_one(
        {"_id": f"1:{RECENT[4].milliseconds}"}, {"$set": {"v": b"abc"}}
    )
    hour = old.hours.find_one({})
    old.hours.update_one({"_id": hour["_id"]}, {"$set": {"z": b"no zlib"}})
    assert _migrate(store) == (958, 7, 3)
    assert _left(old) == 0


def test_a_host_that_is_deleted_meanwhile_does_not_come_back(
    store: MetricStore, old: Any
) -> None:
    store.delete_host(1)
    assert _migrate(store) == (480, 4, 0)
    assert store.hosts() == [2]
    assert store.samples_of(1, HOUR - 7200, HOUR) == []


@pytest.fixture
def upgraded(measurements: MetricStore) -> Any:
    """The portal's own store, with what the version before has left there."""
    with pymongo.MongoClient(measurements._door._url) as client:
        db, shapes = client[measurements._door._name], Shapes(Clock())
        roll_old(db, shapes, 1, LONG_AGO)
        write_old(db, shapes, 1, RECENT)
        yield db


@pytest.mark.django_db
def test_upkeep_does_it_by_itself_and_says_so(
    upgraded: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "monitor.services"):
        services.roll_up()
    assert "480 samples and 2 hours brought over, 0 documents" in caplog.text
    assert _left(upgraded) == 0
    caplog.clear()
    services.roll_up()
    assert "brought over" not in caplog.text


def test_the_command_does_it_at_once(
    upgraded: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    upgraded.hours.update_one({}, {"$set": {"z": b"no zlib"}})
    with pytest.raises(CommandError, match="1 documents cannot be read"):
        call_command("metrics_migrate")
    assert "480 samples and 1 hours" in capsys.readouterr().out
    call_command("metrics_migrate")
    assert "no measurements of an older version" in capsys.readouterr().out
    assert len(metric_store.store().samples_of(1, HOUR - 7200, HOUR)) == 480
