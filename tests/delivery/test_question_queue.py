"""Who answers pages: questions have a queue of their own, so that no build stands before them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from accounts.models import User
from adminset.celery import app
from adminset.launch import programs
from delivery.asked import asking
from delivery.engine import calls
from delivery.triggers import wishing
from tests.launch.places import make_place


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Task -> queue that it was sent to."""
    told: dict[str, str] = {}

    def send(name: str, *_args: Any, **options: Any) -> None:
        told[name] = options["queue"]

    monkeypatch.setattr(app, "send_task", send)
    return told


@pytest.mark.django_db
def test_questions_and_requests_for_deploys_do_not_wait_behind_builds(
    queues: dict[str, str], admin: User, django_capture_on_commit_callbacks: Any
) -> None:
    asking.ask(admin, "refs", {})
    wishing.call_for(1, "deploy")
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        calls.call_step(1)
    assert queues[asking.ANSWER] == settings.QUESTION_QUEUE
    assert queues[wishing.MAKE] == settings.QUESTION_QUEUE
    assert queues[calls.DO_STEP] == settings.DELIVERY_QUEUE


def test_only_the_builder_takes_builds_and_only_the_planner_questions(
    tmp_path: Path,
) -> None:
    listens = {
        program.name: program.command[program.command.index("--queues") + 1].split(",")
        for program in programs.portal(make_place(tmp_path), 4)
        if "--queues" in program.command
    }
    assert [n for n, q in listens.items() if settings.DELIVERY_QUEUE in q] == [
        "builder"
    ]
    assert listens["builder"] == [settings.DELIVERY_QUEUE]
    assert listens["planner"] == [settings.QUESTION_QUEUE]
