"""A lane without connections, for tests of the engine: hosts end as they are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from tasks.models import Run, RunHost, RunPart
from tasks.services.execute import execute_run
from tasks.services.jobs import Ended, Job
from tasks.services.launch import RunSpec, request_run
from tests.factories import make_host


class FakeLane:
    """Does one host after the other; `during` is called while a host is in hand."""

    def __init__(self) -> None:
        self.ends: dict[str, str] = {}
        self.begun: list[str] = []
        self.during: Callable[[Job, RunHost], None] = lambda job, row: None

    def __call__(self, job: Job) -> str:
        for row in job.rows:
            if job.watch.look() or not job.begin([row]):
                break
            self.begun.append(row.host_name)
            self.during(job, row)
            status = self.ends.get(row.host_name, "ok")
            if job.watch.stopping:
                status = "cancelled"
            words = f"{status} on {row.host_name}. So it was."
            job.record([Ended(row.pk, status, words, 0 if status == "ok" else None)])
        return ""


def a_run(actor: User, count: int = 3, **wanted: Any) -> Run:
    """Ask for a run on new hosts h1, h2, ..."""
    hosts = [make_host(f"h{number}") for number in range(1, count + 1)]
    spec = {"command": "true", "host_ids": tuple(host.pk for host in hosts)} | wanted
    return request_run(actor=actor, spec=RunSpec(**spec))


def go_on(run: Run) -> Run:
    """Do what may be done of a run now."""
    execute_run(pk=run.pk, worker="test")
    run.refresh_from_db()
    return run


def statuses(run: Run) -> dict[str, str]:
    """Give host name -> status."""
    return dict(run.hosts.values_list("host_name", "status"))


def words_of(run: Run) -> dict[str, str]:
    """Give host name -> explanation."""
    return dict(run.hosts.values_list("host_name", "explanation"))


def lose(run: Run) -> None:
    """Let the leases of a run be over."""
    late = timezone.now() - timedelta(seconds=1)
    RunPart.objects.filter(run=run).update(lease_until=late)


def time_is_over(job: Job) -> None:
    """Let the time of the batch, or of the run, be over."""
    past = timezone.now() - timedelta(hours=1)
    Run.objects.filter(pk=job.run.pk).update(batch_started_at=past, started_at=past)
    job.watch.turn_to(Run.objects.get(pk=job.run.pk))
    job.watch.look()
