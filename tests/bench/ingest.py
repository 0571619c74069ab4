"""Intake: reports through HTTP into the metric store, with its yardsticks in the same run.

Yardsticks: plain insert_many of one document a sample into the same store, and AdminSet's own way. The generator, the
portal and the embedded store share this machine's cores, as they do in the figures of others that are named in the docs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import psutil
import pymongo

from tests import services, template
from tests.bench import reports
from tests.bench.figures import Figure, percentile
from tests.bench.load import Outcome, drive
from tests.bench.old_way import TOKEN
from tests.mongo import MongoServer

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = "adminset.settings"
AGENTS, FACTS_AGENTS = 500, 2000
SECONDS, WARM_UP_SECONDS, CONNECTIONS = 15, 3, 64
MOST_REPORTS = 40_000
PLAIN_DOCUMENTS, PLAIN_BATCH = 10_000, 1000
OLD_WAY_REPORTS, OLD_WAY_SECONDS = 3000, 5

# Makes the agents in the bench's own database and prints their tokens.
MAKE_AGENTS = """
import json, sys
from adminset.crypto import digest
from cmdb.models import Agent, Host
Host.objects.bulk_create([Host(hostname=f"bench{{n}}", address=f"10.{{n >> 16 & 255}}.{{n >> 8 & 255}}.{{n & 255}}") for n in range({count})])
hosts = list(Host.objects.filter(hostname__startswith="bench").order_by("pk"))
agents = [Agent(host=host, boot_id="b", secret_hash=digest(f"secret{{n}}"), identity={{"machine_id": f"{{n:064x}}"}}) for n, host in enumerate(hosts)]
Agent.objects.bulk_create(agents)
sys.stdout.write(json.dumps([f"{{agent.public_id}}.secret{{n}}" for n, agent in enumerate(agents)]))
"""


def run(folder: Path) -> list[Figure]:
    """Measure the intake, the yardsticks, and facts that do not change."""
    mongo = MongoServer(folder / "mongo").start()
    try:
        before = _plain_inserts(mongo.url)
        old = _old_way(folder, mongo.url)
        with small_portal(folder, mongo.url, FACTS_AGENTS) as (port, tokens, process):
            found = _metrics(port, tokens[:AGENTS])
            memory = process.memory_info().rss
            facts = _facts(port, tokens)
        plain = (before + _plain_inserts(mongo.url)) / 2
    finally:
        mongo.kill()
    return [*_figures(found, plain, old, memory), *_facts_figures(facts)]


def _metrics(port: int, tokens: list[str]) -> Outcome:
    ready = reports.metrics(tokens, MOST_REPORTS // len(tokens))
    return drive(
        port,
        ready,
        connections=CONNECTIONS,
        warm_up=WARM_UP_SECONDS,
        seconds=SECONDS,
    )


def _facts(port: int, tokens: list[str]) -> Outcome:
    # The first round says something new of each host.
    ready = iter(list(reports.facts(tokens, 5)))
    first = (next(ready) for _ in tokens)
    drive(port, first, connections=8, warm_up=0, seconds=120)
    return drive(port, ready, connections=CONNECTIONS, warm_up=0, seconds=60)


def _figures(found: Outcome, plain: float, old: float, memory: int) -> Iterator[Figure]:
    if found.refused:
        raise RuntimeError(f"{found.refused}: {found.words[:300]!r}")
    a_second = len(found.latencies) / found.seconds
    samples = a_second * reports.SAMPLES_A_REPORT
    yield Figure("ingest reports/s", a_second, "reports/s")
    yield Figure("ingest samples/s", samples, "samples/s")
    words = f"{plain:,.0f} documents/s by plain insert_many of {PLAIN_BATCH}, same store, same run"
    yield Figure(
        "ingest share of insert_many", samples / plain, "x", "0.5 (issue 5)", words
    )
    words = f"{old:,.0f} samples/s by AdminSet's own way, same store, same run"
    yield Figure(
        "ingest over AdminSet's way", samples / old, "x", "20 (issue 5)", words
    )
    yield Figure("ingest p50", percentile(found.latencies, 0.5) * 1000, "ms")
    yield Figure("ingest p99", percentile(found.latencies, 0.99) * 1000, "ms")
    yield Figure("ingest web process", memory / 2**20, "MiB")


def _facts_figures(found: Outcome) -> Iterator[Figure]:
    if found.refused:
        raise RuntimeError(f"{found.refused}: {found.words[:300]!r}")
    a_second = len(found.latencies) / found.seconds
    yield Figure("facts without a change", a_second, "reports/s", "500 (issue 4)")
    yield Figure("facts p99", percentile(found.latencies, 0.99) * 1000, "ms")


@contextmanager
def small_portal(
    folder: Path, mongo_url: str, agents: int = AGENTS, role: str = "portal"
) -> Iterator[tuple[int, list[str], psutil.Process]]:
    """Run a web process with agents enrolled: gives (port, their tokens, the process)."""
    port = services.free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "ADMINSET_DATA_DIR": str(folder / "data"),
        "ADMINSET_ROLE": role,
        # Reports are made before they are sent: nobody's clock is off.
        "ADMINSET_AGENT_CLOCK_TOLERANCE_SECONDS": "3600",
        "DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}",
        "MONGO_URL": mongo_url,
        "REDIS_URL": services.redis_url(),
        "LOG_LEVEL": "WARNING",
    }
    manage = [sys.executable, "manage.py"]
    template.copy_to(folder / "bench.sqlite3")
    made = subprocess.run(
        [*manage, "shell", "-v0", "-c", MAKE_AGENTS.format(count=agents)],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    web = _serve("adminset.asgi:application", port, environment)
    try:
        services.wait_for_port(port, web, 30)
        yield port, json.loads(made.stdout), psutil.Process(web.pid)
    finally:
        web.terminate()
        web.wait(10)


def _serve(
    application: str, port: int, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    words = ["-m", "uvicorn", application, "--port", str(port), "--lifespan", "off"]
    quiet = ["--no-access-log", "--no-proxy-headers", "--log-level", "warning"]
    return subprocess.Popen([sys.executable, *words, *quiet], cwd=ROOT, env=environment)


def _old_way(folder: Path, mongo_url: str) -> float:
    """Samples a second of AdminSet's own way."""
    config = folder / "adminset.conf"
    config.write_text(f"[token]\ntoken = {TOKEN}\n")
    port = services.free_port()
    environment = os.environ | {
        "OLD_WAY_CONFIG": str(config),
        "OLD_WAY_MONGO": mongo_url,
        "DJANGO_SETTINGS_MODULE": "",
    }
    web = _serve("tests.bench.old_way:application", port, environment)
    try:
        services.wait_for_port(port, web, 30)
        ready = iter(list(reports.old_way(OLD_WAY_REPORTS)))
        found = drive(port, ready, connections=8, warm_up=1, seconds=OLD_WAY_SECONDS)
    finally:
        web.terminate()
        web.wait(10)
    if found.refused or not found.latencies:
        raise RuntimeError(f"{found.refused}: {found.words[:300]!r}")
    return len(found.latencies) / found.seconds


def _plain_inserts(url: str) -> float:
    """Documents a second of plain batched insert_many, one document a sample."""
    with pymongo.MongoClient(url) as client:
        collection = client["bench"]["plain"]
        collection.drop()
        documents = [
            {"h": n % 50, "t": float(n), "v": reports.values()}
            for n in range(PLAIN_DOCUMENTS)
        ]
        before = monotonic()
        for start in range(0, PLAIN_DOCUMENTS, PLAIN_BATCH):
            collection.insert_many(documents[start : start + PLAIN_BATCH])
        return PLAIN_DOCUMENTS / (monotonic() - before)
