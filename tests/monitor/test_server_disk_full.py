"""A real small disk under the server's store, or under its database, that fills up: agents are told to wait, and what was there is there afterwards.

What the embedded store acknowledges in the very moment in which its disk fills up is not looked at: it may lose that
(docs/monitoring.md); MongoDB ends itself instead.
"""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from monitor.series import Sample
from monitor.store import MetricStore, StoreUnavailable
from tests.e2e.conftest import wait_until
from tests.mongo import MongoServer
from tests.monitor.storing import HOUR
from tests.simulation.servers import BareServer
from tests.small_disk import fill, small_disk

pytestmark = [pytest.mark.xdist_group("portal"), pytest.mark.timeout(240)]
MEBIBYTE = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "300m") as mounted:
        yield mounted


def _hour_of_much(number: int) -> list[Sample]:
    """Give samples of an hour of their own that do not compress: about 3 MB."""
    dice = random.Random(number)  # noqa: S311
    start = HOUR - number * 3600
    return [
        Sample(start + i, {f"custom.m{n}": dice.random() for n in range(400)})
        for i in range(1000)
    ]


def test_a_store_whose_disk_is_full_is_said_to_be_away_and_keeps_what_it_had(
    disk: Path,
) -> None:
    server = MongoServer(disk / "mongo").start()
    store = MetricStore(server.url)
    before, refused = 3, 0
    try:
        store.ensure_indexes()
        for number in range(80):
            if number == before:
                fill(disk)
            try:
                store.write(1, _hour_of_much(number))
            except StoreUnavailable:
                refused += 1
            if refused > 2:
                break
        assert refused > 2
        # It is said to be away, though its process runs and answers pings.
        assert store.ping().ok is False
        (disk / "ballast").unlink()
        server.kill()
        server.start()
        wait_until("the store", lambda: store.ping().ok)
        for earlier in range(before):
            begin = HOUR - earlier * 3600
            assert len(store.samples_of(1, begin, begin + 3600)) == 1000
        # What was refused may be there in part: sent again it is there once.
        store.write(1, _hour_of_much(number))
        begin = HOUR - number * 3600
        assert len(store.samples_of(1, begin, begin + 3600)) == 1000
    finally:
        store.close()
        server.kill()


def _report(first: int) -> dict[str, Any]:
    dice, now = random.Random(first), time.time()  # noqa: S311
    wanted = [
        {
            "seq": first + n,
            "time": round(now - 100 + n + first / 1e6, 3),
            "values": {f"custom.m{m}": dice.random() for m in range(100)},
        }
        for n in range(100)
    ]
    return {"boot_id": "b", "sent_at": now, "samples": wanted}


def test_a_portal_whose_disk_is_full_tells_agents_to_wait_and_goes_on_afterwards(
    disk: Path,
) -> None:
    server = BareServer(disk / "portal")
    acknowledged: list[int] = []
    try:
        ((host_id, token),) = server.prepare(1)
        url = f"http://127.0.0.1:{server.ports['portal']}/api/agent/v1/metrics"
        head = {"Authorization": f"Bearer {token}"}

        def post(first: int) -> requests.Response:
            body = _report(first)
            answer = requests.post(url, json=body, headers=head, timeout=30)
            if answer.status_code == 200:
                told = {each["status"] for each in answer.json()["results"]}
                assert told <= {"stored", "duplicate"}
                acknowledged.extend(round(s["time"] * 1000) for s in body["samples"])
            return answer

        assert post(1).status_code == 200
        before = set(acknowledged)
        fill(disk)
        answers = [post(1 + 1000 * n) for n in range(1, 60)]
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) <= {200, 503}
        refused = [answer for answer in answers if answer.status_code == 503]
        assert refused, "the disk was never full"
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        assert statuses[-1] == 503
        (disk / "ballast").unlink()
        server.kill("store")
        server.start("store")
        wait_until("a report is taken", lambda: post(900_000).status_code == 200)
        store = MetricStore(server.mongo_url)
        kept = store.samples_of(host_id, time.time() - 3600, time.time() + 60)
        store.close()
        moments = [sample.milliseconds for sample in kept]
        assert before <= set(moments)
        assert len(moments) == len(set(moments))
    finally:
        server.stop()
