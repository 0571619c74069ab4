"""What a step costs the database does not grow with its hosts: the row of its deploy, and on SQLite everything, is locked meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cmdb.models import Host
from delivery.engine import back_steps, host_steps, switch_steps
from delivery.models import Deploy, DeployHost, DeployStep, LiveRelease
from delivery.safety import drift
from tasks.legs.reading import reports
from tasks.models import Run, RunHost
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db
Judge = Callable[[DeployStep], Any]
# Of each status one that the portal knows, and one that it does not.
FEW, MANY = 6, 30


def step_of(paper: Paper, kind: str, count: int, statuses: tuple[str, ...]) -> Any:
    """Give a step of a deploy to so many hosts, the leg of which has ended."""
    new = Host.objects.bulk_create(
        Host(hostname=f"{kind}-{count}-{number}") for number in range(count)
    )
    paper.environment.hosts.set(new)
    deploy = Deploy.objects.create(
        pipeline=paper.pipeline,
        environment=paper.environment,
        artefact=paper.artefact(count),
        status="running",
        requested_by=paper.user,
        plan={"way": paper.pipeline.way.frozen(), "path": "/srv/paper"},
    )
    DeployHost.objects.bulk_create(
        DeployHost(
            deploy=deploy,
            host=host,
            host_name=host.hostname,
            touched=kind == "switch_back",
            from_release=f"{count}{number}-00000000",
        )
        for number, host in enumerate(new)
    )
    LiveRelease.objects.bulk_create(
        LiveRelease(environment=paper.environment, host=host) for host in new[::2]
    )
    run = Run.objects.create(
        kind="deploy", title="leg", status="ok", subject=f"delivery.deploy:{deploy.pk}"
    )
    RunHost.objects.bulk_create(
        RunHost(
            run=run,
            host=host,
            host_name=host.hostname,
            status=statuses[number % len(statuses)],
            started_at=deploy.created_at,
            # Each says something else, and so names an artefact of its own.
            report={"said": {"live": f"{count}{number}-00000000", "check_disk": "ok"}},
        )
        for number, host in enumerate(new)
    )
    made = DeployStep.objects.create(
        deploy=deploy, kind=kind, position=1, status="running", run=run
    )
    return DeployStep.objects.select_related("deploy__artefact", "run").get(pk=made.pk)


@pytest.mark.parametrize(
    ("judge", "kind"),
    [
        (host_steps.judge_check, "check"),
        (host_steps.judge_read, "read"),
        (switch_steps.judge_activate, "activate"),
        (back_steps.judge_switch_back, "switch_back"),
        (host_steps.judge_finish, "finish"),
    ],
)
@pytest.mark.parametrize("statuses", [("ok",), ("ok", "failed", "unreachable")])
def test_thirty_hosts_cost_as_many_queries_as_six(
    paper: Paper, judge: Judge, kind: str, statuses: tuple[str, ...]
) -> None:
    counts = []
    for number in (FEW, MANY):
        step = step_of(paper, kind, number, statuses)
        if kind == "finish":
            step.deploy.hosts.update(status="ok")
        with CaptureQueriesContext(connection) as caught:
            judge(step)
        counts.append(len(caught))
    assert counts[0] == counts[1], counts
    assert counts[1] < 30


def test_a_look_at_thirty_hosts_costs_as_many_queries_as_one_at_six(
    paper: Paper,
) -> None:
    counts = []
    for number in (FEW, MANY):
        step = step_of(paper, "read", number, ("ok", "unreachable"))
        found = reports(step.run)
        with CaptureQueriesContext(connection) as caught:
            drift.note_reports(paper.environment, found)
        counts.append(len(caught))
        assert LiveRelease.objects.filter(host__in=list(found)).count() == number
    assert counts[0] == counts[1], counts
    assert counts[1] < 20
