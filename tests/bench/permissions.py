"""What permissions cost: the host list of a user scoped to 30 groups beside the administrator's, at 100,000 hosts; queries whatever the
number of grants."""

import statistics
import time
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import (
    CaptureQueriesContext,
    get_runner,
    setup_test_environment,
    teardown_test_environment,
)

from accounts.models import Grant, GrantScope, Role, User
from cmdb.models import HOST_GROUP_SCOPE, Host, HostGroup
from tests.bench.figures import Figure
from tests.factories import make_group, make_idc, make_user

HOSTS, GROUPS, SCOPED, ROUNDS = 100_000, 100, 30, 15
LIST = "/cmdb/hosts/"


def run(folder: Path) -> list[Figure]:
    """Measure through the test client, the two readers in turn, so that both see the same machine."""
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        groups = _fill()
        admin = User.objects.create_superuser("bench", None)
        scoped = _scoped(groups[:SCOPED])
        return [*_lists(admin, scoped), *_queries(groups)]
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()


def _fill() -> list[HostGroup]:
    idc = make_idc()
    groups = [make_group() for _ in range(GROUPS)]
    hosts = Host.objects.bulk_create(
        (
            Host(
                hostname=f"host{n:06d}",
                address=f"10.{n // 65536}.{n // 256 % 256}.{n % 256}",
                idc=idc,
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
    return groups


def _scoped(groups: list[HostGroup], grants: int = 1) -> User:
    """Make a user who may do what the operator's role allows, on these groups, by so many grants."""
    user = make_user(perms=["cmdb.view_host"], groups=groups[:1])
    role = Role.objects.latest("pk")
    role.permissions.add(
        *_permissions("view_hostgroup", "view_idc", "change_host", "run_host")
    )
    for number in range(1, grants):
        made = Grant.objects.create(user=user, role=role)
        made.scopes.create(
            kind=HOST_GROUP_SCOPE, object_id=groups[number % len(groups)].pk
        )
    first = user.grants.first()
    GrantScope.objects.bulk_create(
        GrantScope(grant=first, kind=HOST_GROUP_SCOPE, object_id=group.pk)
        for group in groups[1:]
    )
    return user


def _permissions(*names: str) -> list[object]:
    return list(Permission.objects.filter(codename__in=names))


def _browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.get(LIST)
    return client


def _lists(admin: User, scoped: User) -> list[Figure]:
    readers = {"administrator": _browser(admin), "30 groups": _browser(scoped)}
    figures = []
    for name, query in {"list": "", "search": "?q=host0999"}.items():
        took: dict[str, list[float]] = {reader: [] for reader in readers}
        for _round in range(ROUNDS):
            for reader, client in readers.items():
                began = time.perf_counter()
                assert client.get(LIST + query).status_code == 200
                took[reader].append(time.perf_counter() - began)
        whole = statistics.median(took["administrator"])
        part = statistics.median(took["30 groups"])
        figures += [
            Figure(
                f"permissions: {name} of 100,000 hosts, scoped to 30 groups",
                round(part * 1000, 1),
                "ms",
            ),
            Figure(
                f"permissions: {name}, scoped to administrator",
                round(part / whole, 2),
                "ratio",
                "<= 1.3",
                f"administrator {whole * 1000:.0f} ms",
            ),
        ]
    return figures


def _queries(groups: list[HostGroup]) -> list[Figure]:
    figures = []
    for grants in (1, 100, 1000):
        user = User.objects.get(pk=_scoped(groups[:SCOPED], grants).pk)
        with CaptureQueriesContext(connection) as asked:
            began = time.perf_counter()
            for permission in ("cmdb.view_host", "cmdb.run_host", "cmdb.view_idc"):
                user.has_perm(permission)
            took = time.perf_counter() - began
        figures += [
            Figure(
                f"permissions: queries with {grants} grants",
                len(asked),
                "queries",
                "<= 2",
            ),
            Figure(
                f"permissions: time with {grants} grants", round(took * 1000, 2), "ms"
            ),
        ]
    return figures
