"""The whole fleet: 100,000 hosts, 1,000,000 interfaces and addresses, 1,000,000 lines of history; pages, search, export, inventory.

Against PostgreSQL: `DATABASE_URL=postgres://... make bench fleet`. ADMINSET_BENCH_HOSTS makes it smaller.
"""

import os
import time
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, models
from django.test import Client
from django.test.utils import (
    CaptureQueriesContext,
    get_runner,
    setup_test_environment,
    teardown_test_environment,
)

from accounts.models import User
from adminset.models import AuditEntry
from cmdb import addresses
from cmdb.models import AssetStatus, Host, HostGroup, IpAddress, Nic
from tests.bench.figures import Figure, percentile
from tests.factories import make_group, make_idc

HOSTS = int(os.environ.get("ADMINSET_BENCH_HOSTS", "100000"))
PARTS = 10
ROUNDS = 12
LIST = "/cmdb/hosts/"
DEEP = HOSTS // 50
PAGES = {
    "list": ("", "100 ms"),
    "list, 200 rows": ("?per_page=200", "150 ms"),
    "filtered by IDC and status": ("?idc=1&status=1", "100 ms"),
    "sorted by address, downwards": ("?sort=-address", "100 ms"),
    "quick search": ("?q=host09999", "100 ms"),
    f"page {DEEP:,}": (f"?page={DEEP}", "2 x the first"),
}
SEARCHES = ("host099999", "host0999", "10.1.3", "02:00:00:01:86", "S99999", "nowhere")


def run(folder: Path) -> list[Figure]:
    """Fill a database and measure through the test client."""
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        _fill()
        client = Client()
        client.force_login(User.objects.create_superuser("bench", None))
        return [*_pages(client), *_searches(client), *_whole(client)]
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()


def _many(model: type[models.Model], rows: Iterator[models.Model]) -> None:
    # The plain queryset: that of audit lines refuses to write many.
    table: models.QuerySet = models.QuerySet(model)
    while batch := list(islice(rows, 5000)):
        table.bulk_create(batch)


def _fill() -> None:
    idcs = [make_idc() for _ in range(4)]
    groups = [make_group() for _ in range(50)]
    statuses = [AssetStatus.objects.create(name=f"status {n}") for n in range(3)]
    _many(Host, (_host(n, idcs, statuses) for n in range(HOSTS)))
    keys = list(Host.objects.order_by("pk").values_list("pk", flat=True))
    through = Host.groups.through
    _many(
        through,
        (
            through(host_id=key, hostgroup_id=groups[n % 50].pk)
            for n, key in enumerate(keys)
        ),
    )
    _many(Nic, (_nic(n, keys[n // PARTS]) for n in range(len(keys) * PARTS)))
    _many(IpAddress, (_address(n, keys[n // PARTS]) for n in range(len(keys) * PARTS)))
    _many(AuditEntry, (_line(n, keys) for n in range(len(keys) * PARTS)))
    call_command("rebuild_search", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _host(n: int, idcs: list[Any], statuses: list[AssetStatus]) -> Host:
    return Host(
        hostname=f"host{n:06d}",
        address=str(addresses.address_at(4, 0x0A000000 + n)),
        idc=idcs[n % 4],
        status=statuses[n % 3],
        cpu_threads=8,
        memory_bytes=2**34,
        os_name="Debian GNU/Linux",
        serial=f"S{n:06d}",
        owner=f"owner {n % 97}",
    )


def _nic(n: int, host: int) -> Nic:
    mac = ":".join(f"{n:010x}"[at : at + 2] for at in range(0, 10, 2))
    return Nic(host_id=host, name=f"eth{n % PARTS}", mac=f"02:{mac}")


def _address(n: int, host: int) -> IpAddress:
    found = addresses.address_at(4, 0x0A000000 + n)
    return IpAddress(
        address=str(found), key=addresses.key_of(found), host_id=host, subnet=None
    )


def _line(n: int, keys: list[int]) -> AuditEntry:
    return AuditEntry(
        actor_name="bench",
        verb="host.update",
        target_type="cmdb.host",
        target_id=str(keys[n % len(keys)]),
        target_name=f"host{n % len(keys):06d}",
        changes=[{"field": "notes", "old": "a", "new": "b"}],
    )


def _timed(ask: Callable[[], Any]) -> list[float]:
    ask()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return times


def _name(what: str) -> str:
    return f"fleet {HOSTS:,} ({connection.vendor}): {what}"


def _pages(client: Client) -> Iterator[Figure]:
    for name, (query, goal) in PAGES.items():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST + query).status_code == 200
        # The next request forgets what was captured.
        asked = len(queries)
        times = _timed(lambda query=query: client.get(LIST + query))
        yield Figure(_name(f"{name} p50"), round(percentile(times, 0.5), 1), "ms")
        yield Figure(
            _name(f"{name} p95"), round(percentile(times, 0.95), 1), "ms", goal
        )
        yield Figure(_name(f"{name} queries"), asked, "queries", "15")


def _searches(client: Client) -> Iterator[Figure]:
    for word in SEARCHES:
        times = _timed(lambda word=word: client.get("/search/", {"q": word}))
        yield Figure(
            _name(f"search {word} p95"), round(percentile(times, 0.95), 1), "ms", "150"
        )


def _whole(client: Client) -> Iterator[Figure]:
    yield from _streamed(client, "export as CSV", f"{LIST}?export=csv", "20 s", 200)
    yield from _streamed(
        client, "Ansible inventory", "/api/v1/inventory/ansible/", "5 s", None
    )
    answer = client.get("/api/v1/inventory/ansible/")
    tag = answer.headers.get("ETag", "")
    body(answer)
    times = _timed(
        lambda: client.get("/api/v1/inventory/ansible/", headers={"If-None-Match": tag})
    )
    yield Figure(
        _name("Ansible inventory unchanged p95"),
        round(percentile(times, 0.95), 1),
        "ms",
        "20",
    )
    group = HostGroup.objects.order_by("pk")[0]
    yield from _streamed(
        client,
        "Prometheus HTTP SD of 1 group",
        f"/api/v1/inventory/prometheus/?group={group.name}",
        "1 s for 10,000",
        None,
    )


def body(answer: Any) -> int:
    """Read an answer to its end; give its size in bytes."""
    parts = answer.streaming_content if answer.streaming else [answer.content]
    return sum(len(part) for part in parts)


def _streamed(
    client: Client, name: str, address: str, goal: str, most_mib: int | None
) -> Iterator[Figure]:
    began = time.perf_counter()
    answer = client.get(address)
    size = body(answer)
    took = time.perf_counter() - began
    yield Figure(
        _name(name), round(took, 2), "s", goal, f"{answer.status_code}, {size:,} bytes"
    )
    if most_mib:
        tracemalloc.start()
        body(client.get(address))
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        yield Figure(_name(f"{name}, memory"), round(peak, 1), "MiB", f"{most_mib}")
