"""The hour that goes on: its small documents become few, and nobody notices."""

import contextlib
from typing import Any

import pytest
from pymongo.collection import Collection

from monitor import folding
from monitor.folding import FOLD_SECONDS
from monitor.store import MetricStore
from tests.monitor.storing import HOUR, Clock, samples
from tests.monitor.test_store_rollups import WRITES, Killed, dying

BATCH = samples(120)


def written(store: MetricStore, clock: Clock) -> None:
    """Send half an hour, a minute at a time."""
    for start in range(0, len(BATCH), 4):
        clock.now = HOUR + 15.0 * (start + 4)
        store.write(1, BATCH[start : start + 4])


def test_small_documents_are_put_together_and_nothing_changes(
    store: MetricStore, raw: Any, clock: Clock
) -> None:
    written(store, clock)
    before = store.series(1, ["*"], HOUR, HOUR + 3600)
    assert raw.chunks.count_documents({}) == 30
    assert store.roll_up(now=clock.now) == 0
    assert raw.chunks.count_documents({}) == 1
    assert store.series(1, ["*"], HOUR, HOUR + 3600) == before
    again = MetricStore(store._door._url, raw.name, clock=clock)
    assert set(again.write(1, BATCH[7:12])) == {"duplicate"}
    again.close()
    clock.now += FOLD_SECONDS
    store.write(1, samples(2, clock.now))
    store.roll_up(now=clock.now)
    assert raw.chunks.count_documents({}) == 2, "the large one is left alone"
    while store.roll_up(now=HOUR + 9000):
        pass
    assert raw.chunks.count_documents({}) == 0
    assert store.samples_of(1, HOUR, HOUR + 1800) == BATCH


def test_one_that_is_killed_at_any_step_loses_and_doubles_nothing(
    store: MetricStore, raw: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = 0
    left = [0]
    while left[0] <= 0:
        step += 1
        for name in raw.list_collection_names():
            raw[name].delete_many({})
        store._forget()
        written(store, clock)
        left = [step]
        with monkeypatch.context() as patch:
            for name in WRITES:
                patch.setattr(Collection, name, dying(getattr(Collection, name), left))
            with contextlib.suppress(Killed):
                store.roll_up(now=clock.now)
        assert store.samples_of(1, HOUR, HOUR + 3600) == BATCH
        while store.roll_up(now=HOUR + 9000):
            pass
        assert raw.chunks.count_documents({}) == 0
        assert store.samples_of(1, HOUR, HOUR + 3600) == BATCH
    assert 4 < step < 20


def test_what_is_put_together_is_no_larger_than_a_document_may_be(
    store: MetricStore, raw: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "MOST_BYTES", 5 * 4 * 2 * 8)
    written(store, clock)
    assert store.roll_up(now=clock.now) == 0
    # Five reports of four samples of two numbers each.
    assert raw.chunks.count_documents({}) == 6
    assert store.samples_of(1, HOUR, HOUR + 3600) == BATCH
