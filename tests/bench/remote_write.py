"""Prometheus' remote write through HTTP into the metric store, and its query API out of it again."""

import http.client
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import cramjam
import pymongo

from monitor.prometheus.wire import MESSAGES
from monitor.store import MetricStore
from tests import services
from tests.bench.figures import Figure, percentile
from tests.bench.ingest import ROOT, SETTINGS, small_portal
from tests.bench.load import drive, request
from tests.mongo import MongoServer

HOSTS, SERIES_A_HOST, HOSTS_A_REQUEST = 100, 500, 4
SAMPLES_A_REQUEST = SERIES_A_HOST * HOSTS_A_REQUEST
SCRAPES, SCRAPE_SECONDS = 20, 15
SECONDS, CONNECTIONS = 12, 4
PLAIN_DOCUMENTS, PLAIN_BATCH = 20_000, 1000
QUESTIONS = 10

# Makes a token that may write and look, in the bench's own database, and prints it.
MAKE_TOKEN = """
import sys
from accounts.models import User
from accounts.services import tokens
admin = User.objects.create_superuser("bench", None)
sys.stdout.write(tokens.create_token(actor=admin, user=admin, name="bench", can_write=True)[1])
"""


def run(folder: Path) -> list[Figure]:
    """Write scrapes of many hosts from some minutes ago on, then ask for them."""
    mongo = MongoServer(folder / "mongo").start()
    try:
        plain = _plain_inserts(mongo.url)
        # The scheduler's first minute does this.
        MetricStore(mongo.url).ensure_indexes()
        with small_portal(folder, mongo.url, HOSTS) as (port, _tokens, process):
            token = _token(folder, mongo.url)
            first = round(time.time()) - SCRAPES * SCRAPE_SECONDS
            requests = iter(list(_requests(token, first)))
            # The first scrape makes the series known; afterwards they are as usual.
            scrape = (next(requests) for _ in range(HOSTS // HOSTS_A_REQUEST))
            known = drive(port, scrape, connections=CONNECTIONS, warm_up=0, seconds=120)
            found = drive(
                port, requests, connections=CONNECTIONS, warm_up=0, seconds=SECONDS
            )
            memory = process.memory_info().rss
            one = _ask(port, token, 'node_metric_7{host="bench7"}', first)
            all_hosts = _ask(port, token, "sum(rate(node_metric_7[1m]))", first)
    finally:
        mongo.kill()
    if found.refused or not found.latencies:
        raise RuntimeError(f"{found.refused}: {found.words[:300]!r}")
    # Where all was written before the time was over, the clock stopped with it.
    samples = len(found.latencies) * SAMPLES_A_REQUEST / found.seconds
    new = len(known.latencies) * SAMPLES_A_REQUEST / known.seconds
    yardstick = f"{plain:,.0f} documents/s by plain insert_many of {PLAIN_BATCH}, a sample each, same store"
    return [
        Figure("remote write samples/s", samples, "samples/s", yardstick=yardstick),
        Figure("remote write share of insert_many", samples / plain, "x"),
        Figure("remote write of new series", new, "samples/s"),
        Figure("remote write p99", percentile(found.latencies, 0.99) * 1000, "ms"),
        Figure("remote write web process", memory / 2**20, "MiB"),
        Figure("query_range of one series, p95", one * 1000, "ms", "150 (issue 5)"),
        Figure(
            "sum(rate()) of 100 hosts, p95", all_hosts * 1000, "ms", "500 (issue 5)"
        ),
    ]


def _token(folder: Path, mongo_url: str) -> str:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "ADMINSET_DATA_DIR": str(folder / "data"),
        "DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}",
        "MONGO_URL": mongo_url,
        "REDIS_URL": services.redis_url(),
    }
    words = [sys.executable, "manage.py", "shell", "-v0", "-c", MAKE_TOKEN]
    made = subprocess.run(
        words, cwd=ROOT, env=environment, check=True, capture_output=True
    )
    return made.stdout.decode().strip()


def _requests(token: str, first: int) -> Iterator[bytes]:
    """Make the requests of all scrapes: some hosts each, in the order of their series."""
    labels = [[_labels(host, n) for n in range(SERIES_A_HOST)] for host in range(HOSTS)]
    for scrape in range(SCRAPES):
        at = (first + scrape * SCRAPE_SECONDS) * 1000
        for start in range(0, HOSTS, HOSTS_A_REQUEST):
            message = MESSAGES["WriteRequest"]()
            chosen = labels[start : start + HOSTS_A_REQUEST]
            for n, packed in enumerate(itertools.chain.from_iterable(chosen)):
                series = MESSAGES["TimeSeries"](labels=packed)
                series.samples.add(timestamp=at, value=float(n * scrape))
                message.timeseries.append(series.SerializeToString())
            body = bytes(cramjam.snappy.compress_raw(message.SerializeToString()))
            yield request("/api/prom/write", body, token, "snappy")


def _labels(host: int, n: int) -> list[bytes]:
    """Pack the labels of a series as an exporter has them."""
    pairs = {
        "__name__": f"node_metric_{n // 5}",
        "cpu": str(n % 5),
        "instance": f"bench{host}:9100",
        "job": "node",
        "mode": "user",
    }
    return [
        MESSAGES["Label"](name=k.encode(), value=v.encode()).SerializeToString()
        for k, v in pairs.items()
    ]


def _ask(port: int, token: str, query: str, first: int) -> float:
    """Give the 95th percentile of some equal questions over the time that was written, in seconds."""
    asked = {"query": query, "start": first, "end": first + 300, "step": 15}
    path = f"/api/prom/api/v1/query_range?{urlencode(asked)}"
    took = []
    for _ in range(QUESTIONS):
        before = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        told = json.loads(answer.read())
        if answer.status != 200 or not told["data"]["result"]:
            raise RuntimeError(f"{answer.status}: {told}")
        took.append(time.monotonic() - before)
        connection.close()
    return percentile(took, 0.95)


def _plain_inserts(url: str) -> float:
    """Documents a second of plain batched insert_many, one document a sample of one series."""
    with pymongo.MongoClient(url) as client:
        collection = client["bench"]["plain_series"]
        documents = [
            {"s": n % 500, "t": float(n), "v": n * 0.5} for n in range(PLAIN_DOCUMENTS)
        ]
        before = time.monotonic()
        for start in range(0, PLAIN_DOCUMENTS, PLAIN_BATCH):
            collection.insert_many(documents[start : start + PLAIN_BATCH])
        return PLAIN_DOCUMENTS / (time.monotonic() - before)
