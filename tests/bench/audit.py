"""The audit trail at 1,000,000 lines on SQLite, triggers in place: a write, the chain, the pages, verifying all of it."""

import itertools
import json
import resource
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import (
    get_runner,
    setup_test_environment,
    teardown_test_environment,
)
from django.utils import timezone

from accounts.models import User
from adminset import audit, audit_chain, audit_triggers
from adminset.audit_seal import SEALED_FIELDS, mac_of, seal_of
from adminset.audit_verify import Verification
from adminset.models import AuditChain, AuditEntry
from tests.bench.figures import Figure, percentile

LINES, USERS, HOSTS = 1_000_000, 200, 5_000
BATCH, ROUNDS, WRITES = 10_000, 20, 2_000
VERBS = ("host.update", "host.report", "session.start", "run.request", "host.report")
COLUMNS = (*SEALED_FIELDS, "actor_id", "mac", "position", "seal")
CHANGE = {"field": "owner", "old": "Ann", "new": "Li Wei"}


def run(folder: Path) -> list[Figure]:
    """Fill a database file and measure."""
    setup_test_environment()
    test = connection.settings_dict["TEST"]
    kept, test["NAME"] = test["NAME"], str(folder / "audit.sqlite3")
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        assert audit_triggers.missing(connection) == []
        users = _users()
        _fill(users)
        return [*_write(users[0]), *_pages(users[1]), *_verify()]
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()
        test["NAME"] = kept


def _users() -> list[User]:
    made = [User(username=f"user{n}") for n in range(USERS)]
    return User.objects.bulk_create(made)


def _lines(users: list[User]) -> Iterator[tuple[Any, ...]]:
    """Make lines of the last year, each sealed and chained."""
    begin = timezone.now() - timedelta(days=365)
    step, seal, changes = timedelta(days=364) / LINES, "", json.dumps([CHANGE])
    for n in range(1, LINES + 1):
        user, host = users[n * 7919 % USERS], n * 104_729 % HOSTS
        content = (
            begin + n * step,
            "user",
            user.username,
            VERBS[n % len(VERBS)] if n % 1000 else "role.update",
            "cmdb.host",
            str(host),
            f"host{host:05d}",
            [CHANGE],
            "",
            f"{n // 3:032x}",
            f"10.0.{host // 250}.{host % 250}",
        )
        mac = mac_of(content)
        seal = seal_of(seal, n, n, mac)
        row = [*content[:7], changes, *content[8:]]
        row[0] = connection.ops.adapt_datetimefield_value(content[0])
        yield (*row, user.pk, mac, n, seal)


def _fill(users: list[User]) -> None:
    places = ", ".join(["%s"] * len(COLUMNS))
    statement = (
        f"INSERT INTO adminset_auditentry ({', '.join(COLUMNS)}) VALUES ({places})"  # noqa: S608 - names of this file
    )
    lines = _lines(users)
    while batch := list(itertools.islice(lines, BATCH)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, batch)
    AuditChain.objects.update_or_create(
        pk=1,
        defaults={
            "position": LINES,
            "seal": AuditEntry.objects.get(position=LINES).seal,
        },
    )


def _timed(act: Callable[[], Any]) -> float:
    before = time.perf_counter()
    act()
    return (time.perf_counter() - before) * 1000


def _write(user: User) -> list[Figure]:
    """Write lines through record() and the same rows by a plain INSERT, in turn, each in a transaction that stands for the write itself."""
    insert = f"INSERT INTO adminset_auditentry ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608 - names of this file
    written, plain, sealed = [], [], []
    for number in range(WRITES):
        with transaction.atomic():
            entry: list[AuditEntry] = []
            written.append(_timed(lambda: entry.append(_record(user))))  # noqa: B023 - called at once
        values = [getattr(entry[0], name) for name in COLUMNS]
        values[0] = connection.ops.adapt_datetimefield_value(values[0])
        values[7], values[-2], values[-1] = json.dumps(values[7]), None, ""
        values[-3] = f"{number:064x}"
        with transaction.atomic(), connection.cursor() as cursor:
            plain.append(_timed(lambda: cursor.execute(insert, values)))  # noqa: B023 - called at once
            transaction.set_rollback(True)
    with transaction.atomic():
        for _number in range(WRITES):
            _record(user)
        connection.run_on_commit.clear()
    sealed = _timed(audit_chain.seal_pending) / WRITES
    label = "audit 1,000,000 lines:"
    return [
        Figure(f"{label} record() p50", percentile(written, 0.5), "ms"),
        Figure(f"{label} record() p95", percentile(written, 0.95), "ms", "1 ms"),
        Figure(
            f"{label} record() / plain INSERT",
            percentile(written, 0.5) / percentile(plain, 0.5),
            "x",
            "",
            f"plain INSERT p50 {percentile(plain, 0.5):.3f} ms",
        ),
        Figure(f"{label} chaining one line of many", sealed, "ms"),
        *_commits(user, label),
    ]


def _record(user: User) -> AuditEntry:
    return audit.record(user, "host.update", user, changes=[CHANGE])


def _commits(user: User, label: str) -> list[Figure]:
    """Time the call after a commit that wrote one line."""
    times = []
    for _number in range(200):
        with transaction.atomic():
            _record(user)
            (_sids, seal, _robust) = connection.run_on_commit.pop()
        times.append(_timed(seal))
    return [
        Figure(f"{label} chaining after a commit p50", percentile(times, 0.5), "ms"),
        Figure(f"{label} chaining after a commit p95", percentile(times, 0.95), "ms"),
    ]


def _pages(person: User) -> list[Figure]:
    client = Client()
    client.force_login(User.objects.create_superuser("bench", None))
    half = AuditEntry.objects.get(position=LINES // 2)
    pages = {
        "list": "",
        "in the middle": f"before={half.pk}",
        "by person": f"actor={person.pk}",
        "by object": f"target_type=cmdb.host&target_id={half.target_id}",
        "by kind of object": "target_type=cmdb.host",
        "by a group of actions": "verb=host.",
        "by a rare action": "verb=role.",
        "a day half a year ago": f"since={half.at:%Y-%m-%d}&until={half.at:%Y-%m-%d}",
        "by person and action": f"actor={person.pk}&verb=run.request",
        "a word that is nowhere": "q=nowhere",
        "by address": f"address={half.address}",
    }
    return [_page(client, name, query) for name, query in pages.items()]


def _page(client: Client, name: str, query: str) -> Figure:
    address = f"/accounts/audit/?{query}"
    assert client.get(address).status_code == 200
    times = [_timed(lambda: client.get(address)) for _number in range(ROUNDS)]
    return Figure(
        f"audit 1,000,000 lines: page {name} p95",
        percentile(times, 0.95),
        "ms",
        "100 ms" if name in {"list", "by person", "by object"} else "",
    )


def _verify() -> list[Figure]:
    memory = [_memory()]
    walk = Verification(progress=lambda count: memory.append(_memory()))
    begun = time.perf_counter()
    assert list(walk.findings()) == []
    seconds = time.perf_counter() - begun
    return [
        Figure("audit: verify", walk.walked / seconds, "lines/s"),
        Figure("audit: verify, more memory", max(memory) - memory[0], "MiB"),
    ]


def _memory() -> float:
    """Give what this process has in memory now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
