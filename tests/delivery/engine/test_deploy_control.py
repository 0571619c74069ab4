"""People at a deploy: cancel in the middle, pause, confirm, one after the other, back in one click."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adminset.errors import Conflict, DomainError
from adminset.models import AuditEntry
from delivery.engine import advance as engine
from delivery.engine.controlling import cancel_deploy, pause_deploy, resume_deploy
from delivery.engine.rolling_back import request_rollback
from delivery.models import Deploy, DeployLock
from delivery.safety.locks import break_lock, take_lock
from tasks.services.claim import Watch
from tests.delivery.engine.deploy_things import Stage, kinds, statuses

pytestmark = pytest.mark.django_db


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Do something once, when a moment has come while a run goes on."""
    real = Watch._ask

    def arrange(has_come: Callable[[], bool], act: Callable[[], Any]) -> None:
        done: list[bool] = []

        def asked(self: Watch, now: float) -> None:
            if not done and has_come():
                done.append(True)
                act()
            real(self, now)

        monkeypatch.setattr(Watch, "_ask", asked)

    return arrange


def test_cancelled_in_the_middle_of_the_switch_it_goes_back(
    stage: Stage, meanwhile: Callable[..., None]
) -> None:
    stage.deploy(stage.artefact("one"))
    slow = 'test "$ADMINSET_ROLLBACK" = 1 || { touch ../../begun; sleep 61.5; }'
    stage.way(restart=slow, policy="batches", batches="2")
    deploy = stage.ask(stage.artefact("two"))
    root = stage.roots[stage.hosts[0].pk]

    def cancel() -> None:
        cancel_deploy(actor=stage.user, deploy=deploy, reason="wrong one")
        engine.advance(deploy.pk)

    meanwhile((root / "begun").exists, cancel)
    deploy = stage.drive(deploy)
    assert deploy.status == "cancelled", (deploy.explanation, kinds(deploy))
    assert stage.live() == ["one", "one", "one"]
    assert deploy.explanation.startswith("Cancelled by admin.")
    assert set(statuses(deploy).values()) <= {"rolled_back", "left", "failed"}
    assert not any(stage.locked())
    assert AuditEntry.objects.get(verb="deploy.cancel").reason == "wrong one"
    assert ("switch_back", "ok") in kinds(deploy)


def test_cancelled_before_its_turn_nothing_was_done(stage: Stage) -> None:
    deploy = stage.ask(stage.artefact("one"))
    cancel_deploy(actor=stage.user, deploy=deploy)
    deploy = stage.drive(deploy)
    assert (deploy.status, stage.live()) == ("cancelled", ["", "", ""])
    assert {status for _kind, status in kinds(deploy)} == {"skipped"}
    with pytest.raises(Conflict, match="has ended"):
        cancel_deploy(actor=stage.user, deploy=deploy)


def test_a_pause_lets_the_batch_end_and_resuming_goes_on(stage: Stage) -> None:
    stage.way(policy="batches", batches="1", pause_after="always")
    deploy = stage.deploy(stage.artefact("one"))
    assert (deploy.status, stage.live()) == ("paused", ["one", "", ""])
    resume_deploy(actor=stage.user, deploy=deploy)
    deploy = stage.drive(deploy)
    assert (deploy.status, stage.live()) == ("paused", ["one", "one", ""])
    resume_deploy(actor=stage.user, deploy=deploy)
    stage.during["activate"] = lambda step: pause_deploy(
        actor=stage.user, deploy=step.deploy
    )
    deploy = stage.drive(deploy)
    assert (deploy.status, stage.live()) == ("paused", ["one", "one", "one"])
    stage.during.clear()
    resume_deploy(actor=stage.user, deploy=deploy)
    assert stage.drive(deploy).status == "ok"


def test_of_two_deploys_one_waits_and_says_who_holds_the_environment(
    stage: Stage,
) -> None:
    stage.way(policy="batches", batches="1", pause_after="always")
    first = stage.deploy(stage.artefact("one"))
    assert first.status == "paused"
    second = stage.drive(stage.ask(stage.artefact("two")))
    assert second.status == "waiting"
    assert f"deploy #{first.pk} of admin" in second.waiting_for
    with pytest.raises(Conflict, match=f"deploy #{first.pk} of admin") as refused:
        stage.ask(stage.artefact("three"), wait=False)
    assert refused.value.code == "locked"
    assert Deploy.objects.count() == 2
    with pytest.raises(Conflict, match="is still running and holds it"):
        break_lock(actor=stage.user, lock=DeployLock.objects.get(), reason="I want it")
    cancel_deploy(actor=stage.user, deploy=first)
    stage.drive(first)
    stage.way(pause_after="never")
    second = stage.drive(second)
    assert DeployLock.objects.get().deploy == second
    assert stage.live()[0] == "two"


def test_a_lock_by_hand_holds_up_deploys_until_it_is_broken(stage: Stage) -> None:
    lock = take_lock(
        actor=stage.user, environment=stage.environment, reason="we measure"
    )
    deploy = stage.drive(stage.ask(stage.artefact("one")))
    assert deploy.status == "waiting"
    assert "we measure" in deploy.waiting_for
    with pytest.raises(DomainError, match="Say why"):
        break_lock(actor=stage.user, lock=lock, reason=" ")
    break_lock(actor=stage.user, lock=lock, reason="they went home")
    assert AuditEntry.objects.get(verb="deploylock.break").reason == "they went home"
    assert stage.drive(deploy).status == "ok"


def test_back_in_one_click_is_only_the_switch(stage: Stage) -> None:
    first, second = stage.artefact("one"), stage.artefact("two")
    stage.deploy(first)
    stage.deploy(second)
    back = request_rollback(
        actor=stage.user, environment=stage.environment, pipeline=stage.pipeline
    )
    back = stage.drive(back)
    assert back.status == "ok", (back.explanation, kinds(back))
    assert back.artefact == first
    assert [kind for kind, _status in kinds(back)] == [
        "claim",
        "activate",
        "finish",
    ]
    assert stage.live() == ["one", "one", "one"]
    forth = stage.drive(
        request_rollback(
            actor=stage.user,
            environment=stage.environment,
            pipeline=stage.pipeline,
            to_artefact=second,
        )
    )
    assert (forth.status, stage.live()) == ("ok", ["two", "two", "two"])


def test_there_is_no_way_back_to_a_release_that_no_host_keeps(stage: Stage) -> None:
    stage.deploy(stage.artefact("one"))
    with pytest.raises(Conflict, match="no release before"):
        request_rollback(
            actor=stage.user, environment=stage.environment, pipeline=stage.pipeline
        )
    with pytest.raises(DomainError, match="is not kept on host0"):
        request_rollback(
            actor=stage.user,
            environment=stage.environment,
            pipeline=stage.pipeline,
            to_artefact=stage.artefact("never"),
        )
