"""From a commit to an artefact: the stages run in a clean room, the rules choose, the artefact is recorded once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from adminset.errors import DomainError
from adminset.models import AuditEntry
from appconf.models import Project
from delivery.artefacts import store
from delivery.building import log, rooms, tidying
from delivery.building.recording import record
from delivery.building.work import build, fetch
from delivery.models import Artefact, Build, Deploy
from tests.delivery.building.conftest import Hand, Lost, build_of
from tests.delivery.factories import make_step
from tests.tasks.library_things import Repository

pytestmark = pytest.mark.django_db

UPPER = {"kind": "build", "title": "Make it loud", "command": "tr a-z A-Z <word >loud"}


def both(hand: Hand) -> dict[str, Any]:
    first = Hand(make_step(hand.step.deploy, "fetch", "running"), hand.lose)
    fetch(first)
    return build(hand)


def room_of(hand: Hand) -> Path:
    return rooms.room_of(f"deploy-{hand.step.deploy_id}", 0).root


def test_a_commit_becomes_an_artefact_by_its_stages_and_rules(
    hand_for: Callable[..., Hand], repository: Repository, admin: User
) -> None:
    check = {
        "kind": "check",
        "command": 'test "$(cat loud)" = ONE; echo "$ADMINSET_COMMIT"',
    }
    hand = hand_for(UPPER, check, exclude="*.md\nword\n")
    found = both(hand)
    artefact = Artefact.objects.get(pk=found["artefact"])
    assert set(store.manifest(artefact.sha256).files) == {"loud"}
    assert (artefact.number, artefact.branch, artefact.size) == (1, "main", 3)
    assert artefact.commit == repository.git("rev-parse", "HEAD")
    assert (artefact.author, artefact.subject, artefact.built_by) == (
        "t",
        "change",
        admin,
    )
    deploy = Deploy.objects.get()
    assert deploy.artefact == artefact
    made = Build.objects.get()
    assert (made.status, made.artefact, made.exit_code) == ("ok", artefact, 0)
    assert deploy.steps.filter(build=made).count() == 2
    text = log.read(made.pk, 0).text
    assert "# Make it loud\n" in text
    assert f"{artefact.commit}\n" in text
    assert made.log_size == log.size(made.pk) == len(text.encode())
    assert AuditEntry.objects.get(verb="artefact.add").actor == admin
    assert not room_of(hand).exists()
    assert hand.told[-1] == (2, 3)


def test_the_same_bytes_of_a_commit_are_one_artefact(
    hand_for: Callable[..., Hand], project: Project
) -> None:
    first, second = both(hand_for(UPPER)), both(hand_for(UPPER))
    assert first["artefact"] == second["artefact"]
    Artefact.objects.update(bad=True)
    third = Artefact.objects.get(pk=both(hand_for(UPPER))["artefact"])
    assert (third.number, third.bad) == (2, False)
    assert AuditEntry.objects.filter(verb="artefact.add").count() == 2


def test_an_artefact_is_given_in_the_order_in_which_the_engine_locks(
    hand_for: Callable[..., Hand], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand, seen = hand_for(UPPER), []
    monkeypatch.setattr(hand, "look", lambda: seen.append("step"))

    def recorded(**about: Any) -> Artefact:
        seen.append("project")
        return record(**about)

    def asks(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("SELECT") and 'FROM "delivery_deploy" WHERE' in sql:
            seen.append("deploy")
        return execute(sql, *rest)

    monkeypatch.setattr("delivery.building.work.record", recorded)
    with connection.execute_wrapper(asks):
        both(hand)
    assert seen[seen.index("project") - 2 :][:3] == ["deploy", "step", "project"]


def test_a_stage_that_fails_makes_no_artefact_and_says_why(
    hand_for: Callable[..., Hand],
) -> None:
    hand = hand_for({"kind": "check", "title": "Tests", "command": "echo bad; exit 3"})
    with pytest.raises(DomainError, match="Tests ended with exit code 3"):
        both(hand)
    made = build_of(hand)
    assert (made.status, made.exit_code, made.stage) == ("failed", 3, "Tests")
    assert "Tests ended with exit code 3." in made.explanation
    assert "bad\n" in log.read(made.pk, 0).text
    assert Artefact.objects.count() == 0
    assert Deploy.objects.get().artefact is None


def test_a_stage_has_its_time(hand_for: Callable[..., Hand]) -> None:
    hand = hand_for({"kind": "build", "command": "sleep 9186", "timeout": 1})
    with pytest.raises(DomainError, match="longer than 1 s"):
        both(hand)
    slow = hand_for({"kind": "build", "command": "sleep 9186"}, build_timeout_seconds=1)
    with pytest.raises(DomainError, match="longer than 1 s"):
        both(slow)


def test_a_source_that_is_not_there_is_told_in_the_build(
    hand_for: Callable[..., Hand], project: Project
) -> None:
    project.source_address = "file:///nowhere"
    project.save()
    hand = hand_for(UPPER)
    with pytest.raises(DomainError, match="git could not read it"):
        both(hand)
    assert build_of(hand).status == "failed"


def test_a_link_out_of_the_tree_is_not_delivered(hand_for: Callable[..., Hand]) -> None:
    hand = hand_for({"kind": "build", "command": "ln -s /etc/passwd leak"})
    with pytest.raises(DomainError, match="leads out"):
        both(hand)
    assert Artefact.objects.count() == 0
    fine = hand_for(
        {"kind": "build", "command": "ln -s /etc/passwd leak"}, exclude="leak"
    )
    both(fine)
    assert Artefact.objects.count() == 1


def test_a_second_attempt_begins_with_clean_files(
    hand_for: Callable[..., Hand], repository: Repository
) -> None:
    hand = hand_for(
        {"kind": "build", "command": "test ! -e dirty; touch dirty; exit 1"}
    )
    for _attempt in range(2):
        with pytest.raises(DomainError, match="exit code 1"):
            build(hand)
    assert log.read(build_of(hand).pk, 0).text.count("Reading main") == 1
    assert Build.objects.count() == 2


def test_a_step_that_is_lost_ends_its_command_and_writes_no_end(
    hand_for: Callable[..., Hand],
) -> None:
    hand = hand_for({"kind": "build", "command": "touch begun; sleep 9187"})
    begun = room_of(hand) / "source" / "begun"
    hand.lose = begun.exists
    with pytest.raises(Lost):
        build(hand)
    made = build_of(hand)
    assert (made.status, made.attempt) == ("running", 1)
    hand.lose = lambda: False
    Deploy.objects.update(plan={"way": {"stages": [UPPER]}})
    hand.step.deploy.refresh_from_db()
    build(hand)
    made.refresh_from_db()
    assert (made.status, made.attempt) == ("ok", 2)


def test_a_cancelled_deploys_build_is_closed(hand_for: Callable[..., Hand]) -> None:
    hand = hand_for({"kind": "build", "command": "touch begun; sleep 9188"})
    begun = room_of(hand) / "source" / "begun"

    def lose() -> bool:
        if begun.exists():
            Deploy.objects.update(cancel_requested_at="2026-01-01T00:00:00Z")
        return begun.exists()

    hand.lose = lose
    with pytest.raises(Lost):
        build(hand)
    assert build_of(hand).status == "cancelled"
    assert Artefact.objects.count() == 0


def test_what_an_earlier_worker_writes_too_late_does_not_count(
    hand_for: Callable[..., Hand],
) -> None:
    hand = hand_for(
        {
            "kind": "build",
            "command": "touch begun; while [ ! -e go ]; do sleep 0.1; done; exit 4",
        }
    )
    begun = room_of(hand) / "source" / "begun"
    taken = threading.Event()

    def lose() -> bool:
        if begun.exists() and not taken.is_set():
            taken.set()
            Build.objects.update(attempt=7, stage="the other worker's")
            (begun.parent / "go").touch()
        return False

    hand.lose = lose
    with pytest.raises(DomainError):
        build(hand)
    made = build_of(hand)
    assert (made.status, made.stage) == ("running", "the other worker's")


def test_the_night_closes_and_clears_what_is_left(
    hand_for: Callable[..., Hand], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = hand_for(UPPER)
    fetch(hand)
    monkeypatch.setattr(tidying, "ROOM_SECONDS", -1)
    assert tidying.tidy()["rooms"] == 0
    assert build_of(hand).status == "running"
    Deploy.objects.update(status="failed")
    done = tidying.tidy()
    assert (done["rooms"], done["builds"]) == (1, 1)
    assert build_of(hand).status == "failed"
    assert not room_of(hand).exists()
