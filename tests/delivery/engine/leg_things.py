"""Deploys on paper that go on by what their hosts are made to say: no sshd, no store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from delivery.engine.advance import advance
from delivery.models import Deploy, DeployHost, DeployStep
from delivery.safety.locks import seize
from tasks.models import Run, RunHost
from tests.delivery.engine.deploy_things import running
from tests.delivery.safety.safety_things import Paper

# What a host says, by its name: its status in the leg, and key -> value.
Said = Mapping[str, tuple[str, Mapping[str, str]]]
OLD = "1-00000000"


def at_the_switch(paper: Paper, **way: Any) -> Deploy:
    """Give a deploy whose hosts have the release beside OLD, which is live; its next step is the switch."""
    paper.way(**way)
    deploy = _asked(paper)
    deploy.hosts.update(
        status="received", from_release=OLD, now_release=OLD, has_said=True
    )
    return _go_on(deploy, "activate")


def at_the_claim(paper: Paper) -> Deploy:
    """Give a deploy that takes the lock of its hosts."""
    return _go_on(_asked(paper), "claim")


def at_a_command(paper: Paper, on: str = "all", **way: Any) -> Deploy:
    """Give a deploy whose hosts have the release beside OLD, and run a command before the switch, all or the first one."""
    stages = [
        {"kind": "distribute"},
        {"kind": "command", "title": "Migrate", "command": "true", "on": on},
        {"kind": "activate"},
    ]
    paper.way(stages=stages, **way)
    deploy = _asked(paper)
    deploy.hosts.update(
        status="received", from_release=OLD, now_release=OLD, has_said=True
    )
    return _go_on(deploy, "command")


def _asked(paper: Paper) -> Deploy:
    old, new = paper.artefact(1), paper.artefact(2)
    assert old.release == OLD
    return paper.ask(artefact=new)


def _go_on(deploy: Deploy, kind: str) -> Deploy:
    """Let a deploy begin with a step, as if all before it were done."""
    rows = Deploy.objects.filter(pk=deploy.pk)
    rows.update(status="running", started_at=timezone.now())
    first = deploy.steps.filter(kind=kind).order_by("position")[0]
    # Of what their runs said nothing is kept.
    deploy.steps.filter(position__lt=first.position).update(
        status="ok", started_at=timezone.now(), total=len(deploy.hosts.all())
    )
    deploy.refresh_from_db()
    assert seize(deploy)
    advance(deploy.pk)
    return deploy


def answer(deploy: Deploy, kind: str, said: Said) -> Deploy:
    """Let the leg of the step that runs end on all hosts; those that are not named end well and say nothing."""
    step = running(deploy)
    assert step is not None
    assert step.kind == kind, (step.kind, deploy.explanation)
    end_leg(step, said)
    advance(deploy.pk)
    deploy.refresh_from_db()
    return deploy


def end_leg(step: DeployStep, said: Said) -> None:
    """End the leg of a step."""
    now = timezone.now()
    for row in RunHost.objects.filter(run=step.run_id):
        status, told = said.get(row.host_name, ("ok", {}))
        row.status, row.report = status, {"said": dict(told)}
        # What was barred was never begun.
        row.started_at = None if status == "skipped" else now
        row.ended_at = now
        row.explanation = "" if status == "ok" else f"it was {status}"
        row.save()
    Run.objects.filter(pk=step.run_id).update(status="ok", ended_at=now)


def lives(release: str, **more: str) -> tuple[str, dict[str, str]]:
    """Say that a leg ended well, and which release is live."""
    return "ok", {"live": release, **more}


def row_of(deploy: Deploy, name: str) -> DeployHost:
    """Give the row of a host."""
    return deploy.hosts.get(host_name=name)
