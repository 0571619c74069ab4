"""Pages of monitoring: a host's 24 hours with all charts (server, bytes, first draw in Chromium), and a fleet of 10,000 hosts."""

import json
import os
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import (
    CaptureQueriesContext,
    get_runner,
    setup_test_environment,
    teardown_test_environment,
)
from django.urls import reverse

from accounts.models import User
from cmdb.models import Host
from monitor import current, metric_store
from monitor.metrics import CATALOGUE
from monitor.prometheus import query
from monitor.prometheus.selection import Steps
from monitor.series import Sample
from monitor.store import MetricStore
from tests.bench import browser_draw
from tests.bench.figures import Figure, percentile
from tests.factories import make_group, make_host
from tests.mongo import MongoServer

ROUNDS = 20
DAY, SAMPLE, BATCH = 86400, 15, 240
FLEET = int(os.environ.get("ADMINSET_BENCH_FLEET", "10000"))
GROUP = 100
# The metrics of an agent with two disks, two mounts, two interfaces, four cores.
PLAIN = [name for name, metric in CATALOGUE.items() if not metric.instance][:45]
MANY = {
    "fs.used_percent": "/ /srv",
    "fs.inodes_used_percent": "/ /srv",
    "disk.read_bytes_per_second": "sda sdb",
    "disk.write_bytes_per_second": "sda sdb",
    "disk.busy_percent": "sda sdb",
    "disk.read_await_milliseconds": "sda sdb",
    "disk.write_await_milliseconds": "sda sdb",
    "net.received_bytes_per_second": "eth0 eth1",
    "net.sent_bytes_per_second": "eth0 eth1",
    "cpu.core_busy_percent": "0 1 2 3",
}
NAMES = [*PLAIN, *(f"{name}|{i}" for name, all_ in MANY.items() for i in all_.split())]
PAGES = {
    "list": "",
    "sorted by CPU": "?sort=-cpu",
    "filtered by a value": "?metric=cpu.iowait_percent&least=50&sort=-value",
    "last page": f"?page={FLEET // 50}",
}


def run(folder: Path) -> list[Figure]:
    """Fill a store with a day of one host and of a group, and with a fleet's newest samples; measure through the test client."""
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    mongo = MongoServer(folder / "mongo").start()
    settings.MONGO_URL = mongo.url
    metric_store.store.cache_clear()
    try:
        client = Client()
        client.force_login(User.objects.create_superuser("bench", None))
        store = metric_store.store()
        store.ensure_indexes()
        return [*_host(client, store), *_fleet(client, store)]
    finally:
        metric_store.store().close()
        metric_store.store.cache_clear()
        mongo.kill()
        runner.teardown_databases(databases)
        teardown_test_environment()


def _values(dice: random.Random) -> dict[str, float]:
    return {
        name: round(dice.uniform(0, 100 if "percent" in name else 1e9), 3)
        for name in NAMES
    }


def _fill(store: MetricStore, host: Host, step: int) -> None:
    """Write a day of a host, and roll it up as the worker does."""
    dice, now = random.Random(host.pk), time.time()  # noqa: S311 - a bench
    moments = [now - DAY + i * step for i in range(DAY // step)]
    for start in range(0, len(moments), BATCH):
        some = moments[start : start + BATCH]
        store.write(host.pk, [Sample(moment, _values(dice)) for moment in some])


def _timed(client: Client, url: str, rounds: int = ROUNDS) -> list[float]:
    times = []
    for _ in range(rounds):
        before = time.perf_counter()
        assert client.get(url).status_code == 200, url
        times.append((time.perf_counter() - before) * 1000)
    return times


def _cpu(client: Client, url: str) -> float:
    """Give what a request costs this process: the same on a machine that has much else to do."""
    began = time.process_time()
    for _ in range(ROUNDS):
        client.get(url)
    return round((time.process_time() - began) / ROUNDS * 1000, 1)


def _host(client: Client, store: MetricStore) -> Iterator[Figure]:
    group = make_group("bench")
    host = make_host("bench", groups=[group])
    _fill(store, host, SAMPLE)
    while store.roll_up(500, time.time() + 600):
        pass
    page = reverse("monitor:host", args=[host.pk])
    data = reverse("monitor:host_charts", args=[host.pk])
    for key in ("1h", "24h", "7d", "30d"):
        times = _timed(client, f"{data}?range={key}")
        goal = "150 ms" if key == "24h" else ""
        name = f"host page, {key}: data of all charts"
        yield Figure(f"{name} p50", round(percentile(times, 0.5), 1), "ms")
        yield Figure(f"{name} p95", round(percentile(times, 0.95), 1), "ms", goal)
    yield Figure(
        "host page, 24h: CPU of the portal", _cpu(client, f"{data}?range=24h"), "ms"
    )
    html = _timed(client, f"{page}?range=24h")
    yield Figure(
        "host page, 24h: HTML p95", round(percentile(html, 0.95), 1), "ms", "150 ms"
    )
    yield from _weight(client, page, data, percentile(html, 0.5))


def _weight(client: Client, page: str, data: str, served: float) -> Iterator[Figure]:
    html = client.get(f"{page}?range=24h").content
    answer = client.get(f"{data}?range=24h").content
    charts = json.loads(answer)["charts"]
    lines = sum(len(chart["series"]) for chart in charts.values())
    told = f"{len(charts)} charts, {lines} lines"
    size = (len(html) + len(answer)) / 1000
    yield Figure("host page, 24h: page and data", round(size, 1), "kB", "200 kB", told)
    scripts = browser_draw.script_bytes() / 1000
    yield Figure("chart scripts before compression", round(scripts), "kB", "400 kB")
    drawn = browser_draw.seconds(f"{page}?range=24h", html, answer, served / 1000)
    if drawn is not None:
        yield Figure("host page, 24h: first draw", round(drawn, 2), "s", "1 s", told)


def _fleet(client: Client, store: MetricStore) -> Iterator[Figure]:
    groups = [make_group() for _ in range(50)]
    hosts = Host.objects.bulk_create(
        Host(hostname=f"h{n:05d}", address=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
        for n in range(FLEET)
    )
    through = Host.groups.through
    through.objects.bulk_create(
        through(host_id=host.pk, hostgroup_id=groups[n % 50].pk)
        for n, host in enumerate(hosts)
    )
    dice, now = random.Random(1), time.time()  # noqa: S311 - a bench
    for start in range(0, FLEET, 500):
        some = hosts[start : start + 500]
        store.write_many({host.pk: [Sample(now, _values(dice))] for host in some})
    yield from _fleet_pages(client)
    for host in hosts[: GROUP * 50 : 50]:
        _fill(store, host, 300)
    yield from _group_page(client, groups[0].pk)
    yield _prometheus(groups[0].name)


def _fleet_pages(client: Client) -> Iterator[Figure]:
    settings.FLEET_SECONDS = 300
    base = reverse("monitor:fleet")
    urls: Mapping[str, str] = {name: base + query for name, query in PAGES.items()}
    urls = {**urls, "heat map": reverse("monitor:fleet_map")}
    for name, url in urls.items():
        current.forget()
        cold = _timed(client, url, 1)[0]
        with CaptureQueriesContext(connection) as queries:
            answer: Any = client.get(url)
        asked, size = len(queries), len(answer.content)
        label = f"fleet page of {FLEET:,} hosts, {name}"
        times = _timed(client, url)
        told = (
            f"{size / 1000:.0f} kB; {cold:.0f} ms when the newest values are read anew"
        )
        yield Figure(f"{label} p95", round(percentile(times, 0.95), 1), "ms", "", told)
        yield Figure(f"{label} queries", asked, "queries", "15")


def _prometheus(group: str) -> Figure:
    """Measure a rate over all hosts of a group, as Grafana asks for it."""
    asker, now = User.objects.get(username="bench"), time.time()
    text = f'sum(rate(adminset_net_received_bytes_per_second{{group="{group}"}}[15m]))'
    times = []
    for _ in range(6):
        before = time.perf_counter()
        found = query.over_time(asker, text, Steps(now - 3600, now, 15))
        assert found["result"]
        times.append((time.perf_counter() - before) * 1000)
    name = f"Prometheus API, {GROUP} hosts, 1h: sum of rates p95"
    return Figure(name, round(percentile(times[1:], 0.95), 1), "ms", "500 ms")


def _group_page(client: Client, group: int) -> Iterator[Figure]:
    url = reverse("monitor:hostgroup_lines", args=[group])
    for key in ("1h", "24h"):
        settings.GROUP_CHART_HOSTS = GROUP
        times = _timed(client, f"{url}?range={key}", 5)
        name = f"group of {GROUP} hosts, {key}: sum, average, highest, top"
        yield Figure(f"{name} p95", round(percentile(times, 0.95), 1), "ms", "500 ms")
