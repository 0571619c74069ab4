"""Lists at 100,000 hosts: every filter, order and page; deep pages beside the first; all that match changed at once, with history."""

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
from django.urls import get_resolver

from accounts.models import User
from adminset.crud import bulk_work
from adminset.crud.resource import resource_of
from adminset.models import AuditEntry
from cmdb.models import Host
from tests.bench.figures import Figure, percentile
from tests.factories import make_group, make_idc

HOSTS, GROUPS, EDITED, ROUNDS = 100_000, 100, 10_000, 20
LIST = "/cmdb/hosts/"
PAGES = {
    "first page": "",
    "200 rows": "?per_page=200",
    "page 1,000": "?page=1000",
    "page 2,000": "?page=2000",
    "quick filter": "?q=host0999",
    "by address": "?sort=-address",
    "by address, page 1,900": "?sort=-address&page=1900",
    "by IDC": "?sort=idc",
    "of an IDC": "?idc=1",
    "owner is": "?f.owner.is=o7",
    "owner is not": "?f.owner.not=o7",
    "name contains": "?f.hostname.has=99",
    "older than 30 days": "?f.updated_at.older=30",
}


def run(folder: Path) -> list[Figure]:
    """Measure through the test client: middleware, permission, queries and templates included."""
    runner = get_runner(settings)(verbosity=0, interactive=False)
    setup_test_environment()
    databases = runner.setup_databases()
    try:
        _fill()
        user = User.objects.create_superuser("bench", None)
        client = Client()
        client.force_login(user)
        first = _page(client, "first page", PAGES["first page"])
        figures = [f for n, q in PAGES.items() for f in _page(client, n, q)]
        deep = next(f for f in figures if f.name == "lists: page 2,000 p50")
        ratio = round(deep.value / first[0].value, 2)
        figures.append(Figure("lists: page 2,000 to the first", ratio, "ratio", "<= 2"))
        return [*figures, *_bulk(user)]
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()


def _fill() -> None:
    idcs, groups = [make_idc() for _ in range(3)], [make_group() for _ in range(GROUPS)]
    hosts = Host.objects.bulk_create(
        (
            Host(
                hostname=f"host{n * 7919 % HOSTS:06d}",
                address=f"10.{n // 65536}.{n // 256 % 256}.{n % 256}",
                idc=idcs[n % 3],
                owner=f"o{n % 50}",
                cpu_threads=8,
                memory_bytes=2**34,
                serial=f"S{n}",
            )
            for n in range(HOSTS)
        ),
        batch_size=5000,
    )
    through = Host.groups.through
    through.objects.bulk_create(
        (
            through(host_id=host.pk, hostgroup_id=groups[n % GROUPS].pk)
            for n, host in enumerate(hosts)
        ),
        batch_size=5000,
    )
    with connection.cursor() as cursor:
        # As autovacuum would have done by now.
        cursor.execute(
            "VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE"
        )


def _page(client: Client, name: str, query: str) -> list[Figure]:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(LIST + query).status_code == 200
    asked, times = len(queries), []
    for _ in range(ROUNDS):
        before = time.perf_counter()
        client.get(LIST + query)
        times.append((time.perf_counter() - before) * 1000)
    goal = "150 ms" if "200" in name else "100 ms"
    return [
        Figure(f"lists: {name} p50", percentile(times, 0.5), "ms"),
        Figure(f"lists: {name} p95", percentile(times, 0.95), "ms", goal),
        Figure(f"lists: {name} queries", asked, "queries", "<= 15"),
    ]


def _bulk(user: User) -> list[Figure]:
    get_resolver().url_patterns  # noqa: B018 - the resource is known once the urls are
    resource = resource_of("cmdb.host")
    assert resource is not None
    keys = Host.objects.order_by("pk").values_list("pk", flat=True)[:EDITED]
    rows = Host.objects.filter(pk__in=list(keys))
    figures = []
    for name, values, goal in (
        (
            "owner and warranty",
            {"owner": "x", "warranty_until": "2030-01-01"},
            "<= 30 s",
        ),
        ("kind, through each form (1,000)", {"kind": "virtual"}, ""),
    ):
        some = rows if goal else rows.filter(pk__in=list(keys[:1000]))
        lines = AuditEntry.objects.count()
        before = time.perf_counter()
        assert not bulk_work.edit(
            actor=user, resource=resource, rows=some, values=values
        )
        took = time.perf_counter() - before
        written = AuditEntry.objects.count() - lines
        figures.append(
            Figure(
                f"lists: bulk edit of {written:,}, {name}", round(took, 1), "s", goal
            )
        )
    return figures
