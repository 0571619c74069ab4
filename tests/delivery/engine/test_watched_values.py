"""Measured values of a canary: a bad one is heard while its hosts are asked, and values that cannot be read hang no deploy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from delivery.engine.advance import advance
from delivery.engine.controlling import cancel_deploy
from delivery.models import Deploy
from delivery.safety import gates
from monitor.mongo import RefusedDocument
from tasks.models import Run
from tests.delivery.engine.deploy_things import kinds
from tests.delivery.engine.test_deploy_watch import answer, seconds_pass, watching
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db
ASKED = {"health_kind": "command", "health_target": "true"}
GATE = {"gate_metric": "app.errors", "gate_limit": 5.0}


@dataclass
class Store:
    """A metric store that says what it is told to."""

    say: Callable[[], dict[int, Any]]
    asked: int = 0

    def __call__(self, *_given: Any) -> Any:
        """Give the values."""
        self.asked += 1
        return self.say()


@pytest.fixture
def store(paper: Paper, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Values of the canary that are good."""
    made = Store(lambda: {paper.hosts[0].pk: [1.0]})
    monkeypatch.setattr(gates, "over_time", made)
    return made


def refused() -> dict[int, Any]:
    raise RefusedDocument("OverflowError")


def test_a_bad_value_ends_the_watch_while_hosts_are_asked_for_their_health(
    paper: Paper, store: Store, settings: Any
) -> None:
    settings.DELIVERY_WATCH_SECONDS = 60
    step = watching(paper, canary_watch_seconds=3600, **ASKED, **GATE)
    seconds_pass(step, 61)
    assert step.run is not None
    store.say = lambda: {paper.hosts[0].pk: [9.0]}
    advance(step.deploy_id)
    step.refresh_from_db()
    assert (step.status, "app.errors is 9" in step.explanation) == ("failed", True)
    # Nobody waits for the hosts that are asked.
    run = Run.objects.get(pk=step.run.pk)
    assert run.cancel_requested_at or not run.is_open
    deploy = Deploy.objects.get(pk=step.deploy_id)
    assert ("look", "running") in kinds(deploy)


def test_values_that_go_away_behind_the_end_do_not_spoil_the_last_question(
    paper: Paper, store: Store
) -> None:
    step = watching(paper, canary_watch_seconds=30, **ASKED, **GATE)
    seconds_pass(step, 31)
    assert step.found["last"]
    store.say = refused
    answer(step, "ok", "", 0)
    assert step.status == "ok"


@pytest.mark.parametrize("say", [refused, lambda: {1: ["damaged"]}])
def test_values_that_cannot_be_read_hang_no_deploy(
    paper: Paper, store: Store, say: Callable[[], dict[int, Any]]
) -> None:
    store.say = say
    step = watching(paper, canary_watch_seconds=3600, **GATE)
    seconds_pass(step, 61)
    assert step.status == "running"
    seconds_pass(step, 3600)
    assert step.status == "failed"
    assert "The measured values cannot be read." in step.explanation


def test_of_a_deploy_that_is_cancelled_no_value_is_asked(
    paper: Paper, store: Store
) -> None:
    step = watching(paper, canary_watch_seconds=3600, **GATE)
    before = store.asked
    cancel_deploy(actor=paper.user, deploy=step.deploy)
    advance(step.deploy_id)
    step.refresh_from_db()
    assert (step.status, store.asked) == ("cancelled", before)
