"""The metric store when it is away, hangs or is killed: a sentence soon, and nothing acknowledged is lost."""

import multiprocessing
import signal
import threading
import time
from pathlib import Path

import pymongo
import pytest

from monitor.store import MetricStore, StoreUnavailable
from monitor.tiers import StoreOptions
from tests.mongo import MongoServer, free_port, given_url
from tests.monitor.storing import HOUR, NOW, samples, the_hour


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
            shapes = client.adminset.shapes.count_documents({})
            marked = client.adminset.due_hours.count_documents({})
        kept = store.samples_of(1, HOUR, HOUR + 86400)
        found = [sample.milliseconds for sample in kept]
        assert set(acknowledged) <= set(found)
        assert len(found) == len(set(found))
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
