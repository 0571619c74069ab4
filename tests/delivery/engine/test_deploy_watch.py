"""A canary is watched all the time: its hosts are asked again and again, and nothing is locked while values are asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from delivery.engine import people_steps
from delivery.engine.advance import advance
from delivery.models import Deploy, DeployStep
from delivery.safety import gates
from tasks.models import Run, RunHost
from tasks.services.settle import settle
from tests.delivery.engine.deploy_things import kinds
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db


def watching(paper: Paper, **way: Any) -> DeployStep:
    """A deploy that begins to watch its canary."""
    paper.way(policy="canary", canary_hosts=1, **way)
    deploy = paper.ask()
    advance(deploy.pk)
    step = deploy.steps.get(kind="watch")
    deploy.steps.filter(position__lt=step.position).update(
        status="ok", started_at=timezone.now()
    )
    deploy.hosts.filter(batch=0).update(status="ok", touched=True)
    advance(deploy.pk)
    step.refresh_from_db()
    assert step.status == "running"
    return step


def seconds_pass(step: DeployStep, seconds: int) -> None:
    """Let a watch have begun, and its hosts have been asked, earlier."""
    step.refresh_from_db()
    assert step.started_at is not None
    assert step.until is not None
    past = timedelta(seconds=seconds)
    found = dict(step.found)
    if "asked_at" in found:
        found["asked_at"] -= seconds
    DeployStep.objects.filter(pk=step.pk).update(
        started_at=step.started_at - past, until=step.until - past, found=found
    )
    advance(step.deploy_id)
    step.refresh_from_db()


def answer(
    step: DeployStep, status: str, words: str = "", code: int | None = None
) -> None:
    """Let the hosts of the question that is open answer it."""
    assert step.run is not None
    now = timezone.now()
    RunHost.objects.filter(run=step.run).update(
        status=status, explanation=words, exit_code=code, started_at=now, ended_at=now
    )
    Run.objects.filter(pk=step.run.pk).update(status="running", started_at=now)
    settle(step.run.pk)
    advance(step.deploy_id)
    step.refresh_from_db()


def questions() -> int:
    """Count the questions for health."""
    return Run.objects.filter(purpose="delivery.well").count()


def test_hosts_of_a_canary_are_asked_again_and_again_and_once_more_at_the_end(
    paper: Paper, settings: Any
) -> None:
    settings.DELIVERY_WATCH_SECONDS = 60
    health = {"health_kind": "command", "health_target": "true"}
    step = watching(paper, canary_watch_seconds=180, **health)
    seconds_pass(step, 30)
    assert (questions(), step.run, step.done) == (0, None, 30)
    seconds_pass(step, 40)
    assert (questions(), step.done, step.total) == (1, 70, 180)
    answer(step, "ok")
    assert (questions(), step.run, step.status) == (1, None, "running")
    seconds_pass(step, 70)
    assert questions() == 2
    # The end comes while they are asked: what they say then is not the last word.
    seconds_pass(step, 60)
    answer(step, "ok")
    assert (questions(), step.found["last"], step.status) == (3, True, "running")
    answer(step, "ok")
    assert step.status == "ok"


def test_the_first_host_that_is_ill_ends_the_watch(paper: Paper, settings: Any) -> None:
    settings.DELIVERY_WATCH_SECONDS = 60
    health = {"health_kind": "command", "health_target": "true"}
    step = watching(paper, canary_watch_seconds=3600, **health)
    seconds_pass(step, 61)
    answer(step, "failed", "it answers 500", 78)
    assert step.status == "failed"
    assert "it answers 500" in step.explanation
    deploy = Deploy.objects.get(pk=step.deploy_id)
    assert (deploy.status, deploy.ending) == ("running", "failed"), kinds(deploy)


@pytest.mark.parametrize(
    ("status", "code"), [("unreachable", None), ("failed", 75), ("unknown", None)]
)
def test_one_missed_answer_ends_no_watch_but_two_in_a_row_do(
    paper: Paper, settings: Any, status: str, code: int | None
) -> None:
    settings.DELIVERY_WATCH_SECONDS = 60
    health = {"health_kind": "command", "health_target": "true"}
    step = watching(paper, canary_watch_seconds=3600, **health)
    for said in (status, "ok", status):
        seconds_pass(step, 61)
        answer(step, said, "no route", code if said == status else 0)
        assert (step.status, step.run) == ("running", None)
    assert step.deploy.hosts.get(batch=0).status == "ok"
    seconds_pass(step, 61)
    answer(step, status, "no route", code)
    assert step.status == "failed"
    assert "no route" in step.explanation


def test_who_is_silent_at_the_end_is_asked_once_more(
    paper: Paper, settings: Any
) -> None:
    settings.DELIVERY_WATCH_SECONDS = 60
    health = {"health_kind": "command", "health_target": "true"}
    step = watching(paper, canary_watch_seconds=30, **health)
    seconds_pass(step, 31)
    answer(step, "unreachable")
    assert (questions(), step.status) == (2, "running")
    answer(step, "ok")
    assert (questions(), step.status) == (2, "ok")


class Values:
    """A metric store that says what it is told to, and looks whether somebody holds the deploy meanwhile."""

    def __init__(
        self, lines: dict[int, list[float]], during: Callable[[], Any]
    ) -> None:
        self.lines, self.during = lines, during
        self.in_transaction: list[bool] = []

    def __call__(self, *_given: Any) -> Any:
        """Give the values."""
        self.in_transaction.append(len(connection.savepoint_ids) > 0)
        self.during()
        return self.lines


def test_values_are_asked_while_nothing_is_locked(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Values({paper.hosts[0].pk: [1.0]}, lambda: None)
    monkeypatch.setattr(gates, "over_time", good)
    step = watching(paper, gate_metric="app.errors", gate_limit=5.0)
    advance(step.deploy_id)
    assert good.in_transaction
    assert not any(good.in_transaction)
    step.refresh_from_db()
    assert step.status == "running"


def test_what_was_measured_of_an_attempt_before_says_nothing_of_this_one(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Values({paper.hosts[0].pk: [1.0]}, lambda: None)
    monkeypatch.setattr(gates, "over_time", good)
    step = watching(paper, gate_metric="app.errors", gate_limit=5.0)

    def meanwhile() -> None:
        DeployStep.objects.filter(pk=step.pk).update(attempt=2)

    bad = Values({paper.hosts[0].pk: [9.0]}, meanwhile)
    monkeypatch.setattr(gates, "over_time", bad)
    measured = people_steps.measure(step.deploy_id)
    assert measured is not None
    assert "app.errors is 9" in measured.words
    step.refresh_from_db()
    assert people_steps.judge_watch(step, measured) is None
    bad.during = lambda: None
    advance(step.deploy_id)
    step.refresh_from_db()
    assert (step.status, step.attempt) == ("failed", 2)
