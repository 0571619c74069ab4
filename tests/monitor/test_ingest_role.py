"""A process that answers agents and nobody else, for real: what it answers, what it sees of others, what a kill costs."""

import http.client
import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from monitor.store import MetricStore
from tests.bench.ingest import small_portal
from tests.mongo import MongoServer

pytestmark = pytest.mark.xdist_group("intake")
# The last two are for the tests before the kill: of the others it knows every report.
AGENTS, ALL_AGENTS = 12, 14
SEEN_SECONDS = 5.0


@dataclass
class Intake:
    """A running intake: its port, its agents' tokens, its database and its store."""

    port: int
    tokens: list[str]
    process: psutil.Process
    database: Path
    store: MetricStore

    def ask(
        self, method: str, path: str, body: bytes = b"", token: str = ""
    ) -> tuple[int, dict[str, object]]:
        """Ask once, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text or b"{}")

    def report(self, token: str, *moments: float) -> int:
        """Send samples of some moments; gives the status."""
        samples = [
            {"seq": n, "time": moment, "values": {"load.1": 1.0}}
            for n, moment in enumerate(moments, 1)
        ]
        body = {"boot_id": "b", "sent_at": time.time(), "samples": samples}
        return self.ask(
            "POST", "/api/agent/v1/metrics", json.dumps(body).encode(), token
        )[0]

    def stored(self, host_id: int) -> list[float]:
        """Give the moments that the store holds of a host."""
        now = time.time()
        found = self.store.series(host_id, ["load.1"], now - 3600, now + 60)
        line = found.series.get("load.1")
        pairs = zip(found.times, line.average, strict=True) if line else ()
        return [moment for moment, value in pairs if value is not None]


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Intake]:
    """An intake as a process of its own, with a store and enrolled agents; the last test of this file kills it."""
    folder = tmp_path_factory.mktemp("intake")
    mongo = MongoServer(folder / "mongo").start()
    store = MetricStore(mongo.url)
    try:
        with small_portal(folder, mongo.url, ALL_AGENTS, "ingest") as (
            port,
            tokens,
            web,
        ):
            database = folder / "bench.sqlite3"
            yield Intake(port, tokens, web, database, store)
    finally:
        store.close()
        mongo.kill()


def test_it_takes_reports_and_shows_no_page(intake: Intake) -> None:
    assert intake.report(intake.tokens[-1], time.time()) == 200
    assert len(intake.stored(ALL_AGENTS)) == 1
    assert intake.ask("GET", "/healthz")[0] == 200
    for path in ("/", "/accounts/sign-in/", "/cmdb/hosts/", "/api/v1/hosts/", "/x"):
        status, said = intake.ask("GET", path)
        assert (status, said["error"]["code"]) == (404, "not_found"), path  # type: ignore[index]
    assert intake.ask("GET", "/api/agent/v1/metrics")[0] == 405
    # Enrolment is there, and asks for its token.
    assert intake.ask("POST", "/api/agent/v1/enroll", b"{}")[0] == 401
    # Closed unless switched on.
    assert intake.ask("POST", "/cmdb/collect", b"{}")[0] == 404


def test_a_revocation_by_another_process_is_seen_within_five_seconds(
    intake: Intake,
) -> None:
    token = intake.tokens[-2]
    assert intake.report(token, time.time()) == 200
    with sqlite3.connect(intake.database, timeout=10) as database:
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        database.execute(
            "UPDATE cmdb_agent SET revoked_at = ?, updated_at = ? WHERE public_id = ?",
            (now, now, token.partition(".")[0]),
        )
    database.close()
    until = time.monotonic() + SEEN_SECONDS
    while intake.report(token, time.time()) == 200:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert intake.report(token, time.time()) == 401
    assert intake.report(intake.tokens[-1], time.time()) == 200


def test_what_was_acknowledged_before_a_kill_is_stored_once(intake: Intake) -> None:
    acknowledged: dict[int, list[float]] = {n: [] for n in range(AGENTS)}
    first = round(time.time()) - 3000

    def send(n: int) -> None:
        for turn in range(3000):
            moment = first + turn + n / 100
            try:
                if intake.report(intake.tokens[n], moment) != 200:
                    return
            except (OSError, http.client.HTTPException, ValueError):
                return
            acknowledged[n].append(moment)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(AGENTS)]
    for each in threads:
        each.start()
    time.sleep(3)
    os.kill(intake.process.pid, signal.SIGKILL)
    for each in threads:
        each.join(60)
    assert sum(map(len, acknowledged.values())) > 100
    for n, moments in acknowledged.items():
        stored = intake.stored(n + 1)
        assert set(moments) <= {round(moment, 3) for moment in stored}
        assert len(stored) == len(set(stored))
        # One more may have been stored whose answer never came.
        assert len(stored) <= len(moments) + 1
