"""Packs that are made again: how often, why, and what the page says where nothing could be sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from delivery.engine import send_steps
from delivery.engine.pausing import begin_again
from delivery.models import DeployStep
from tasks.models import Run, RunHost
from tests.delivery.engine.leg_things import at_the_switch
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db
GONE = "Its packs are not there any more."


@dataclass(frozen=True)
class Fake:
    """A pack that nobody reads."""

    size: int = 10


def sending(paper: Paper, **fields: Any) -> DeployStep:
    """Give the step that sends, as one that runs."""
    step = at_the_switch(paper).steps.get(kind="distribute")
    fields |= {"status": "running", "started_at": timezone.now()}
    DeployStep.objects.filter(pk=step.pk).update(**fields)
    return DeployStep.objects.get(pk=step.pk)


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pack is at hand."""
    monkeypatch.setattr(send_steps, "at_hand", lambda *_of: None)


@pytest.mark.usefixtures("gone")
def test_retries_by_hand_do_not_use_up_how_often_packs_are_made_again(
    paper: Paper,
) -> None:
    step = sending(paper, attempt=9)
    assert send_steps.begin_distribute(step) is None
    step.refresh_from_db()
    assert (step.status, step.attempt, step.found["packings"]) == ("waiting", 10, 1)


@pytest.mark.usefixtures("gone")
def test_by_itself_a_step_has_its_packs_made_again_a_few_times_only(
    paper: Paper,
) -> None:
    step = sending(paper, found={"packings": send_steps.MOST_PACKINGS})
    outcome = send_steps.begin_distribute(step)
    assert outcome is not None
    assert (outcome.status, outcome.words) == ("failed", GONE)
    begin_again(step)
    assert send_steps.begin_distribute(step) is None


def test_where_nobody_may_be_sent_to_the_page_says_why(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_steps, "at_hand", lambda *_of: Fake())
    step = sending(paper)
    paper.environment.hosts.clear()
    outcome = send_steps.begin_distribute(step)
    assert outcome is not None
    assert outcome.words.startswith("There is no host on which it may work. paper0")
    assert "it left the environment" in outcome.words


@pytest.mark.parametrize(
    ("found", "words"),
    [({}, ""), ({"packings": 1}, "It was packed anew. web1: broken")],
)
def test_only_a_step_whose_packs_were_made_again_says_so(
    paper: Paper, found: dict[str, Any], words: str
) -> None:
    past = [
        {"attempt": 1, "status": "failed", "run": None, "explanation": "web1: broken"}
    ]
    step = sending(paper, found=found, past=past, attempt=2)
    now = timezone.now()
    run = Run.objects.create(kind="deploy", title="leg", status="ok", ended_at=now)
    for host in paper.hosts:
        RunHost.objects.create(
            run=run, host=host, host_name=host.hostname, status="ok", started_at=now
        )
    step.run = run
    outcome = send_steps.judge_distribute(step)
    assert outcome is not None
    assert (outcome.status, outcome.words) == ("ok", words)
