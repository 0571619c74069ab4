"""Leases of work at the portal are judged by the clock that they are written by, whatever the machine thinks it is."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from adminset.clock import DatabaseNow
from delivery.engine import local_steps, local_work, moves
from delivery.engine.advance import advance
from delivery.engine.making import WORK
from delivery.models import DeployStep
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db


def in_hand(paper: Paper, seconds: int) -> DeployStep:
    """A step that a worker has in hand; its lease ends in so many seconds."""
    deploy = paper.ask()
    advance(deploy.pk)
    step = deploy.steps.get(kind="pack")
    moves.begin_step(step)
    end = DatabaseNow() + timedelta(seconds=seconds)
    DeployStep.objects.filter(pk=step.pk).update(lease_until=end, worker="w1")
    step.refresh_from_db()
    return step


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_machine_whose_clock_is_wrong_takes_no_step_from_its_worker(
    paper: Paper, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    step = in_hand(paper, 20)
    wrong = timezone.now() + timedelta(hours=hours)
    clock = SimpleNamespace(now=lambda: wrong)
    monkeypatch.setattr(local_steps, "timezone", clock)
    assert local_steps.judge_local(step) is None
    step.refresh_from_db()
    assert (step.losses, step.fence) == (0, 0)
    assert step.lease_until is not None


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_worker_that_gives_no_sign_is_lost_whatever_the_machine_thinks(
    paper: Paper, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    step = in_hand(paper, -1)
    wrong = timezone.now() + timedelta(hours=hours)
    clock = SimpleNamespace(now=lambda: wrong)
    monkeypatch.setattr(local_steps, "timezone", clock)
    assert local_steps.judge_local(step) is None
    step.refresh_from_db()
    assert (step.losses, step.fence, step.lease_until) == (1, 1, None)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_went_away_under_the_work_is_no_end_of_it(
    paper: Paper, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    step = in_hand(paper, -1)

    def work(_hand: local_work.Hand) -> dict[str, object]:
        raise error("deadlock detected")

    monkeypatch.setitem(WORK, step.kind, work)
    assert local_work.do_step(pk=step.pk, worker="w2", threaded=False) is None
    step.refresh_from_db()
    assert (step.status, step.found, step.worker) == ("running", {}, "w2")
    late = DatabaseNow() - timedelta(seconds=1)
    DeployStep.objects.filter(pk=step.pk).update(lease_until=late)
    step.refresh_from_db()
    assert local_steps.judge_local(step) is None
    step.refresh_from_db()
    assert (step.status, step.losses, step.lease_until) == ("running", 1, None)
    monkeypatch.setitem(WORK, step.kind, lambda _hand: {})
    assert local_work.do_step(pk=step.pk, worker="w3", threaded=False)
