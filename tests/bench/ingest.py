"""Intake: reports through HTTP into the metric store, against plain insert_many into the same store in the same run."""

import gzip
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pymongo

from tests import services
from tests.bench.figures import Figure, percentile
from tests.mongo import MongoServer

ROOT = Path(__file__).resolve().parents[2]
AGENTS, SAMPLES_A_REPORT, VALUES_A_SAMPLE = 50, 4, 60
SECONDS, CLIENTS, WARM_UP_SECONDS = 15, 4, 3
PLAIN_DOCUMENTS, PLAIN_BATCH = 20_000, 1000

# Makes the agents in the bench's own database and prints their tokens.
MAKE_AGENTS = """
import json, sys
from accounts.models import User
from cmdb.services import agents
admin = User.objects.create_superuser("bench", None)
token = agents.create_enrolment_token(actor=admin, name="bench", use_limit={count})[1]
made = []
for n in range({count}):
    identity = {{"machine_id": f"{{n:064x}}", "product_uuid": None, "serial": None, "macs": []}}
    agent, secret = agents.enrol(plain_token=token, identity=identity, facts={{"hostname": f"bench{{n}}"}}, boot_id="b", address="127.0.0.1")
    made.append(f"{{agent.public_id}}.{{secret}}")
sys.stdout.write(json.dumps(made))
"""


def run(folder: Path) -> list[Figure]:
    """Measure for a quarter of a minute with a few clients that send as fast as they are answered."""
    mongo = MongoServer(folder / "mongo").start()
    try:
        with small_portal(folder, mongo.url) as (port, tokens, process):
            plain = _plain_inserts(mongo.url)
            latencies = _drive(port, tokens)
            memory = process.memory_info().rss
            plain = (plain + _plain_inserts(mongo.url)) / 2
    finally:
        mongo.kill()
    reports = len(latencies) / SECONDS
    samples = reports * SAMPLES_A_REPORT
    yardstick = f"{plain:,.0f} documents/s by plain insert_many of {PLAIN_BATCH}, same store, same run"
    return [
        Figure("ingest reports/s", reports, "reports/s"),
        Figure("ingest samples/s", samples, "samples/s", yardstick=yardstick),
        Figure(
            "ingest share of insert_many",
            samples / plain,
            "x",
            "0.5 (issue 5)",
            "samples/s over documents/s",
        ),
        Figure("ingest p50", percentile(latencies, 0.5) * 1000, "ms"),
        Figure("ingest p99", percentile(latencies, 0.99) * 1000, "ms"),
        Figure("ingest web process", memory / 2**20, "MiB"),
    ]


@contextmanager
def small_portal(
    folder: Path, mongo_url: str, agents: int = AGENTS
) -> Iterator[tuple[int, list[str], psutil.Process]]:
    """Run a web process with agents enrolled: gives (port, their tokens, the process)."""
    port = services.free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "adminset.settings",
        "ADMINSET_DATA_DIR": str(folder / "data"),
        "DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}",
        "MONGO_URL": mongo_url,
        "REDIS_URL": services.redis_url(),
        "LOG_LEVEL": "WARNING",
    }
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    made = subprocess.run(
        [*manage, "shell", "-v0", "-c", MAKE_AGENTS.format(count=agents)],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "adminset.asgi:application",
        "--port",
        str(port),
        "--no-access-log",
    ]
    web = subprocess.Popen(
        [*command, "--log-level", "warning"], cwd=ROOT, env=environment
    )
    try:
        services.wait_for_port(port, web, 30)  # type: ignore[arg-type]
        yield port, json.loads(made.stdout), psutil.Process(web.pid)
    finally:
        web.terminate()
        web.wait(10)


def _drive(port: int, tokens: list[str]) -> list[float]:
    latencies: list[float] = []
    start = time.monotonic()
    counted_from, end = start + WARM_UP_SECONDS, start + WARM_UP_SECONDS + SECONDS
    clients = [
        threading.Thread(
            target=_client,
            args=(port, tokens[i::CLIENTS], counted_from, end, latencies),
        )
        for i in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return latencies


def _client(
    port: int,
    tokens: list[str],
    counted_from: float,
    end: float,
    latencies: list[float],
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    turn = 0
    while time.monotonic() < end:
        token = tokens[turn % len(tokens)]
        # Each round is a minute later in the life of an agent, from two hours ago on.
        body = _report(turn // len(tokens))
        turn += 1
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        before = time.monotonic()
        connection.request("POST", "/api/agent/v1/metrics", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {text[:300]!r}")
        if before >= counted_from:
            latencies.append(time.monotonic() - before)


def _values() -> dict[str, float]:
    return {
        f"bench.metric_{n}|instance{n % 5}": round(random.gauss(50, 10), 2)
        for n in range(VALUES_A_SAMPLE)
    }


def _report(minute: int) -> bytes:
    now = time.time()
    first = now - 40 * 3600 + minute * 60
    samples = [
        {
            "seq": minute * SAMPLES_A_REPORT + i + 1,
            "time": round(first + 15 * i, 3),
            "values": _values(),
        }
        for i in range(SAMPLES_A_REPORT)
    ]
    return gzip.compress(
        json.dumps({"boot_id": "b", "sent_at": now, "samples": samples}).encode(), 1
    )


def _plain_inserts(url: str) -> float:
    """Documents a second of plain batched insert_many, one document a sample."""
    with pymongo.MongoClient(url) as client:
        collection = client["bench"]["plain"]
        collection.drop()
        documents = [
            {"h": n % 50, "t": float(n), "v": _values()} for n in range(PLAIN_DOCUMENTS)
        ]
        before = time.monotonic()
        for start in range(0, PLAIN_DOCUMENTS, PLAIN_BATCH):
            collection.insert_many(documents[start : start + PLAIN_BATCH])
        return PLAIN_DOCUMENTS / (time.monotonic() - before)
