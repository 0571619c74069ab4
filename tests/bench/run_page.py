"""The pages of a run on 1,000 hosts, with a log of 100 MB: what the server answers, how fast, how much."""

import os
import time
from collections.abc import Iterator
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
from django.utils import timezone

from accounts.models import User
from cmdb.models import Host
from tasks.kept_output import digest_of
from tasks.models import Run, RunHost
from tasks.output import Hints, OutputFile, path_of
from tasks.output import folder as folder_of
from tests.bench.figures import Figure, percentile

ROUNDS = int(os.environ.get("ADMINSET_BENCH_ROUNDS", "40"))
HOSTS = 1000
# So many have an output of their own, the others all the same.
DIFFERENT = 4
LOG_BYTES = 100 * 10**6
Row = dict[str, Any]


def run(folder: Path) -> list[Figure]:
    """Make runs of both kinds (all alike, all different) and measure through the test client."""
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    settings.RUN_DIR = folder / "runs"
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    try:
        client = Client()
        user = User.objects.create_superuser("bench", None)
        client.force_login(user)
        hosts = Host.objects.bulk_create(
            Host(hostname=f"h{n:04d}", address=f"10.9.{n >> 8}.{n & 255}")
            for n in range(HOSTS)
        )
        alike = _a_run(user, hosts, different=DIFFERENT)
        unlike = _a_run(user, hosts, different=HOSTS)
        return [
            *_page(client, alike, "outputs alike"),
            *_page(client, unlike, "all outputs different"),
            *_parts(client, alike, unlike),
            *_long_log(client, alike),
        ]
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()


def _a_run(user: User, hosts: list[Host], *, different: int) -> Run:
    now = timezone.now()
    run = Run.objects.create(
        title="uptime",
        command="uptime",
        requested_by=user,
        requested_by_name="bench",
        status=Run.Status.FAILED,
        host_count=len(hosts),
        done_count=len(hosts),
        started_at=now,
        ended_at=now,
    )
    folder_of(run.pk).mkdir(parents=True)
    rows = RunHost.objects.bulk_create(
        RunHost(run=run, host=host, host_name=host.hostname) for host in hosts
    )
    for number, row in enumerate(rows):
        said = number if number < different else 0
        path = path_of(run.pk, row.pk)
        path.write_text(f"load of {said}: 0.{said:04d}\n" + "the same line\n" * 20)
        size = path.stat().st_size
        row.output_bytes = row.stored_bytes = size
        row.output_hash = digest_of(path)
        row.status, row.exit_code = ("failed", 1) if number < 4 else ("ok", 0)
        row.started_at = row.ended_at = now
    names = ["output_bytes", "stored_bytes", "output_hash", "status", "exit_code"]
    RunHost.objects.bulk_update(rows, [*names, "started_at", "ended_at"])
    return run


def _timed(client: Client, url: str, rounds: int = ROUNDS, **more: Any) -> list[float]:
    times = []
    for _ in range(rounds):
        before = time.perf_counter()
        answer: Any = client.get(url, **more)
        if answer.streaming:
            for _part in answer.streaming_content:
                pass
        times.append((time.perf_counter() - before) * 1000)
        assert answer.status_code == 200, url
    return times


def _figure(name: str, times: list[float], goal: str = "", told: str = "") -> Figure:
    return Figure(f"{name} p95", round(percentile(times, 0.95), 1), "ms", goal, told)


def _page(client: Client, run: Run, words: str) -> Iterator[Figure]:
    url = run.get_absolute_url()
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
    told = f"{len(answer.content) / 1000:.0f} kB, {len(queries)} queries"
    name = f"result page of {HOSTS:,} hosts, {words}"
    yield _figure(name, _timed(client, url), "200 ms", told)
    htmx = {"HX-Request": "true"}
    Run.objects.filter(pk=run.pk).update(status=Run.Status.RUNNING)
    again = _timed(client, url, headers=htmx)
    yield _figure(f"{name}: read again each 2 s", again)
    Run.objects.filter(pk=run.pk).update(status=Run.Status.FAILED)


def _parts(client: Client, alike: Run, unlike: Run) -> Iterator[Figure]:
    url = alike.get_absolute_url()
    parts = {
        "page 20 of the hosts": f"{url}hosts/?page=20",
        "hosts by name": f"{url}hosts/?name=99",
        "one host's output": f"{url}panel/?host={alike.hosts.earliest('pk').pk}",
        "which hosts say it": f"{url}found/?q=0.0003",
        "comparison of two runs": f"{url}compare/?with={unlike.pk}",
    }
    for name, address in parts.items():
        yield _figure(f"run of {HOSTS:,} hosts: {name}", _timed(client, address, 10))
    times = _timed(client, f"{url}archive/", 2)
    yield _figure(f"run of {HOSTS:,} hosts: all outputs as .tar.gz", times)


def _long_log(client: Client, run: Run) -> Iterator[Figure]:
    row = run.hosts.latest("pk")
    path_of(run.pk, row.pk).unlink()
    line = (
        b"2026-01-01 12:00:00 something happened on this host, and nobody knows why\n"
    )
    # All is kept: that is what the page has to stand.
    file = OutputFile(run.pk, row.pk, [], Hints(run.pk), 2 * LOG_BYTES)
    piece, before = line * 400, time.perf_counter()
    while file.received < LOG_BYTES:
        file.write(piece)
    file.write(b"the needle\n")
    file.close()
    speed = LOG_BYTES / 1e6 / (time.perf_counter() - before)
    yield Figure("output written", round(speed), "MB/s")
    url, host = run.get_absolute_url(), f"host={row.pk}"
    told = "a log of 100 MB"
    parts = {
        "page": f"{url}?{host}",
        "a piece of the middle": f"{url}range/?{host}&at={LOG_BYTES // 2}",
        "search, one look of 32 MiB": f"{url}search/?{host}&q=needle",
    }
    for name, address in parts.items():
        goal = "200 ms" if name == "page" else ""
        yield _figure(f"{told}: {name}", _timed(client, address, 10), goal)
    answer = client.get(parts["page"])
    size = round(len(answer.content) / 1000)
    yield Figure(f"{told}: weight of the page", size, "kB")
