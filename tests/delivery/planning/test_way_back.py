"""Faults that a review found: what a rollback runs, and where it goes to."""

from __future__ import annotations

import pytest

from adminset.errors import DomainError
from adminset.models import AuditEntry
from delivery.engine.rolling_back import request_rollback
from delivery.models import Artefact, Deploy, DeployLock, LiveRelease
from delivery.planning import planning
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db


def brought(paper: Paper, artefact: Artefact, **way: str) -> Deploy:
    """Make a deploy that went."""
    paper.way(**way)
    deploy = paper.ask(artefact=artefact)
    at = deploy.created_at
    rows = Deploy.objects.filter(pk=deploy.pk)
    rows.update(status="ok", started_at=at, ended_at=at)
    DeployLock.objects.all().delete()
    return deploy


def lies(paper: Paper, live: Artefact, kept: Artefact, *, good: bool) -> None:
    for host in paper.hosts:
        LiveRelease.objects.create(
            environment=paper.environment,
            host=host,
            artefact=live,
            said=live.release,
            previous=kept.release,
            kept=[{"release": kept.release, "good": good, "bad": False}],
        )


def back(paper: Paper) -> Deploy:
    return request_rollback(
        actor=paper.user, environment=paper.environment, pipeline=paper.pipeline
    )


def test_a_rollback_runs_what_brought_the_live_release(paper: Paper) -> None:
    old, live = paper.artefact(1), paper.artefact(2)
    brought(paper, live, restart="systemctl restart shop", health_kind="none")
    lies(paper, live, old, good=True)
    paper.way(restart="id > /tmp/owned", approvals_needed=2)
    deploy = back(paper)
    assert deploy.status == "waiting"
    assert deploy.way["restart"] == "systemctl restart shop"
    assert "owned" not in str(deploy.plan)
    assert [one["command"] for one in deploy.plan["commands"]] == [
        "systemctl restart shop"
    ]
    assert AuditEntry.objects.filter(verb="deploy.request").count() == 2


def test_where_nobody_brought_it_a_rollback_takes_the_approvals_of_a_deploy(
    paper: Paper,
) -> None:
    lies(paper, paper.artefact(2), paper.artefact(1), good=True)
    paper.way(restart="id > /tmp/owned", approvals_needed=1)
    deploy = back(paper)
    assert (deploy.status, deploy.approvals_needed) == ("waiting_approval", 1)


def test_a_rollback_asks_no_source(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, live = paper.artefact(1), paper.artefact(2)
    brought(paper, live)
    lies(paper, live, old, good=True)
    asked: list[object] = []
    monkeypatch.setattr(planning, "commits_between", lambda *what: asked.append(what))
    deploy = back(paper)
    assert (deploy.kind, deploy.plan["commits"]) == ("rollback", [])
    assert asked == []


def test_nobody_goes_back_to_a_release_that_never_ran_well(paper: Paper) -> None:
    old, live = paper.artefact(1), paper.artefact(2)
    brought(paper, live)
    lies(paper, live, old, good=False)
    with pytest.raises(DomainError, match="never ran well on"):
        back(paper)
    assert not Deploy.objects.filter(kind="rollback").exists()
    brought(paper, old)
    assert back(paper).artefact == old
