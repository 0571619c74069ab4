"""Errors of ours hang no deploy: not one that waits, not a cancel, not the end; and the locks come back."""

from __future__ import annotations

from typing import Any

import pytest

from adminset.errors import DomainError
from delivery.engine import advance as engine
from delivery.engine import beginning, ending, handlers
from delivery.engine.advance import advance
from delivery.engine.controlling import cancel_deploy
from delivery.models import Deploy, DeployLock, DeployStep
from delivery.safety import locks
from tests.delivery.engine.deploy_things import kinds, running
from tests.delivery.engine.leg_things import at_the_switch, end_leg
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db


def broken(*_given: Any, **_more: Any) -> Any:
    raise ValueError("a fault of ours")


def test_a_switch_that_cannot_be_judged_is_cancelled_all_the_same(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy = at_the_switch(paper)
    monkeypatch.setitem(handlers.JUDGE, "activate", broken)
    step = running(deploy)
    assert step is not None
    end_leg(step, {})
    cancel_deploy(actor=paper.user, deploy=deploy)
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.ending == "cancelled"
    # Nobody knows what came of it: the hosts are looked at, and what was switched goes back.
    assert ("look", "running") in kinds(deploy)
    assert ("switch_back", "waiting") in kinds(deploy)
    assert set(deploy.hosts.filter(batch=0).values_list("touched", flat=True)) == {True}


@pytest.mark.parametrize("error", [ValueError("secret"), DomainError("No calendar.")])
def test_a_deploy_that_cannot_begin_fails_and_holds_up_nobody(
    paper: Paper, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    deploy = paper.ask()

    def seized(of: Deploy) -> str:
        assert locks.seize(of)
        of.status = "running"
        raise error

    monkeypatch.setattr(beginning, "_stands_in_the_way", seized)
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert (deploy.status, deploy.started_at) == ("failed", None)
    assert "secret" not in deploy.explanation
    assert not DeployLock.objects.filter(deploy=deploy).exists()
    assert not deploy.steps.exclude(status="skipped").exists()


def test_votes_that_cannot_be_read_end_a_deploy(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy = paper.ask(approvals_needed=1)
    assert deploy.status == "waiting_approval"
    monkeypatch.setattr(engine, "look_at_votes", broken)
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.status == "failed"


def test_a_deploy_ends_also_where_no_words_are_found_for_its_hosts(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy = at_the_switch(paper)
    deploy.steps.update(status="ok")
    deploy.hosts.update(status="ok")
    monkeypatch.setattr(ending, "aside_words", broken)
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.status == "ok"
    assert not DeployLock.objects.filter(deploy=deploy).exists()
    assert not DeployStep.objects.filter(deploy=deploy, status="running").exists()
