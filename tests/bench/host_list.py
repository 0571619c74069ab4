"""The host list with 10,000 hosts: time on the server and queries, for the plain list and for what people do with it."""

import time
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import (
    CaptureQueriesContext,
    get_runner,
    setup_test_environment,
    teardown_test_environment,
)

from accounts.models import User
from cmdb.models import Host
from tests.bench.figures import Figure, percentile
from tests.factories import make_group, make_idc

HOSTS, ROUNDS = 10_000, 20
PAGES = {
    "list": "",
    "list, 200 rows": "?per_page=200",
    "search": "?q=host99",
    "sorted by address": "?sort=-address",
    "last page": "?page=200",
}


def run(folder: Path) -> list[Figure]:
    """Measure each page `ROUNDS` times through the test client: middleware, permission, queries and templates included."""
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        _fill()
        client = Client()
        client.force_login(User.objects.create_superuser("bench", None))
        return [
            figure
            for name, query in PAGES.items()
            for figure in _measure(client, name, query)
        ]
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()


def _fill() -> None:
    idcs, groups = [make_idc() for _ in range(3)], [make_group() for _ in range(20)]
    hosts = Host.objects.bulk_create(
        Host(
            hostname=f"host{n:05d}",
            address=f"10.{n // 65536}.{n // 256 % 256}.{n % 256}",
            idc=idcs[n % 3],
            cpu_threads=8,
            memory_bytes=2**34,
            os_name="Debian GNU/Linux",
            serial=f"S{n}",
        )
        for n in range(HOSTS)
    )
    through = Host.groups.through
    through.objects.bulk_create(
        through(host_id=host.pk, hostgroup_id=groups[n % 20].pk)
        for n, host in enumerate(hosts)
    )


def _measure(client: Client, name: str, query: str) -> list[Figure]:
    address = f"/cmdb/hosts/{query}"
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    asked = len(queries)
    times = []
    for _ in range(ROUNDS):
        before = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - before) * 1000)
    label = f"hosts 10,000: {name}"
    return [
        Figure(f"{label} p50", percentile(times, 0.5), "ms"),
        Figure(
            f"{label} p95",
            percentile(times, 0.95),
            "ms",
            "100 ms at 100,000 (issue 4)" if not query else "",
        ),
        Figure(f"{label} queries", asked, "queries", "15 (issue 4)"),
    ]
