"""What failed before the switch waits for a person, and is done once more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.errors import Conflict
from adminset.models import AuditEntry
from delivery.engine import moves
from delivery.engine.advance import advance
from delivery.engine.controlling import (
    cancel_deploy,
    resume_deploy,
    retry_deploy,
)
from delivery.engine.rolling_back import request_rollback
from delivery.models import Artefact, Deploy, DeployLock, DeployStep, LiveRelease
from delivery.safety.giving_way import gives_way
from tests.delivery.engine.deploy_things import kinds, running
from tests.delivery.engine.leg_things import answer, at_a_command
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def at(deploy: Deploy, kind: str) -> DeployStep:
    """Bring a deploy to the step of a kind, which runs; nothing of it was done."""
    advance(deploy.pk)
    step = deploy.steps.get(kind=kind)
    deploy.steps.filter(position__lt=step.position).update(status="ok", run=None)
    deploy.steps.filter(kind="check").update(started_at=None)
    moves.begin_step(step)
    return step


def fails(step: DeployStep, words: str) -> Deploy:
    """Let the work of a local step fail."""
    told = {"status": "failed", "words": words, "attempt": step.attempt}
    DeployStep.objects.filter(pk=step.pk).update(found={"outcome": told})
    advance(step.deploy_id)
    return Deploy.objects.get(pk=step.deploy_id)


def test_a_pack_that_failed_waits_for_a_person_and_is_made_once_more(
    paper: Paper,
) -> None:
    paper.way(pause_after="failure")
    deploy = paper.ask()
    step = at(deploy, "pack")
    deploy = fails(step, "the disk is full")
    assert deploy.status == "paused", kinds(deploy)
    assert deploy.waiting_for == (
        "the disk is full Nothing was switched. Retry the stage, or cancel."
    )
    assert DeployLock.objects.get().deploy == deploy
    line = AuditEntry.objects.get(verb="deploy.paused")
    assert line.reason == f"{step.words}: the disk is full"
    with pytest.raises(Conflict, match="A stage failed") as refused:
        resume_deploy(actor=paper.user, deploy=deploy)
    assert refused.value.code == "stage_failed"
    retry_deploy(actor=paper.user, deploy=deploy, what="stage")
    advance(deploy.pk)
    now = running(deploy)
    assert now is not None
    assert (now.kind, now.attempt) == ("pack", 2)
    deploy = fails(now, "still full")
    assert deploy.status == "paused"
    cancel_deploy(actor=paper.user, deploy=deploy)
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.status == "cancelled"
    assert not DeployLock.objects.exists()


def test_where_nobody_is_asked_a_stage_that_failed_ends_the_deploy(
    paper: Paper,
) -> None:
    deploy = paper.ask()
    deploy = fails(at(deploy, "pack"), "the disk is full")
    assert deploy.status == "failed"
    assert not DeployLock.objects.exists()


def test_what_failed_behind_the_switch_is_taken_back_and_not_waited_with(
    paper: Paper,
) -> None:
    paper.way(pause_after="failure")
    deploy = paper.ask()
    step = at(deploy, "pack")
    deploy.hosts.update(touched=True)
    deploy.steps.filter(kind="claim").update(started_at=deploy.created_at)
    deploy = fails(step, "the disk is full")
    assert (deploy.status, deploy.ending) == ("running", "failed")
    now = running(deploy)
    assert now is not None
    assert now.kind == "look"


def ran_on(deploy: Deploy) -> set[str]:
    """Name the hosts on which the step that goes on works."""
    step = running(deploy)
    assert step is not None
    assert step.run is not None
    return set(step.run.hosts.values_list("host_name", flat=True))


def test_a_command_is_run_once_more_on_the_hosts_where_it_failed(paper: Paper) -> None:
    deploy = at_a_command(paper, pause_after="failure")
    everyone = {host.hostname for host in paper.hosts}
    assert ran_on(deploy) == everyone
    deploy = answer(deploy, "command", {"paper1": ("failed", {})})
    assert deploy.status == "paused", deploy.explanation
    assert deploy.hosts.get(host_name="paper1").status == "failed"
    retry_deploy(actor=paper.user, deploy=deploy, what="failed")
    advance(deploy.pk)
    assert ran_on(deploy) == {"paper1"}
    deploy = answer(deploy, "command", {"paper1": ("failed", {})})
    assert deploy.status == "paused", deploy.explanation
    told = dict(deploy.hosts.values_list("host_name", "status"))
    assert told == dict.fromkeys(everyone, "received") | {"paper1": "failed"}
    # A try that never began marks no host: those that failed before are still meant.
    retry_deploy(actor=paper.user, deploy=deploy, what="failed")
    deploy.steps.filter(kind="command").update(status="failed")
    Deploy.objects.filter(pk=deploy.pk).update(status="paused")
    deploy.refresh_from_db()
    retry_deploy(actor=paper.user, deploy=deploy, what="failed")
    advance(deploy.pk)
    assert ran_on(deploy) == {"paper1"}
    line = AuditEntry.objects.filter(verb="deploy.retry").latest("pk")
    assert {"field": "what", "old": None, "new": "failed"} in line.changes
    deploy = answer(deploy, "command", {"paper1": ("failed", {})})
    # The whole stage means all of them, also after a try that did not.
    retry_deploy(actor=paper.user, deploy=deploy, what="stage")
    advance(deploy.pk)
    assert ran_on(deploy) == everyone
    deploy = answer(deploy, "command", {})
    now = running(deploy)
    assert now is not None
    assert now.kind == "activate"


def paused(paper: Paper) -> Deploy:
    """A deploy that holds the environment and waits for a person; all hosts run release 2 and keep release 1."""
    old, live = paper.artefact(1), paper.artefact(2)
    for host in paper.hosts:
        LiveRelease.objects.create(
            environment=paper.environment,
            host=host,
            artefact=live,
            said=live.release,
            previous=old.release,
            kept=[{"release": old.release, "good": True, "bad": False}],
        )
    paper.way(pause_after="failure")
    return fails(at(paper.ask(artefact=paper.artefact(3)), "pack"), "the disk is full")


def back(paper: Paper) -> Deploy:
    """Roll back, as far as it goes at once."""
    deploy = request_rollback(
        actor=paper.user, environment=paper.environment, pipeline=paper.pipeline
    )
    advance(deploy.pk)
    deploy.refresh_from_db()
    return deploy


def test_a_rollback_cancels_a_deploy_that_is_paused_with_nothing_switched(
    paper: Paper,
) -> None:
    waits = paused(paper)
    deploy = back(paper)
    told = f"{waits} is paused and switched nothing: the rollback cancels it."
    assert told in deploy.plan["warnings"]
    assert deploy.waiting_for == (
        f"{waits} was paused with nothing switched: it is being cancelled."
    )
    line = AuditEntry.objects.get(verb="deploy.cancel")
    assert (line.actor_name, line.target_id) == (paper.user.username, str(waits.pk))
    assert f"{deploy} goes back" in line.reason
    advance(deploy.pk)
    assert AuditEntry.objects.filter(verb="deploy.cancel").count() == 1
    advance(waits.pk)
    waits.refresh_from_db()
    assert (waits.status, waits.cancelled_by_name) == ("cancelled", "admin")
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.started_at is not None
    assert DeployLock.objects.get().deploy == deploy


def test_the_page_that_asks_for_a_rollback_names_what_it_cancels(
    paper: Paper, client_of: Callable[[User], Client]
) -> None:
    browser = client_of(paper.user)
    page = reverse("delivery:environment_rollback", args=[paper.environment.pk])
    assert "the rollback cancels it" not in browser.get(page).content.decode()
    waits = paused(paper)
    words = f"{waits} is paused and switched nothing: the rollback cancels it."
    assert words in browser.get(page).content.decode()


def test_a_rollback_waits_for_a_deploy_that_switched_a_host_or_goes_on(
    paper: Paper,
) -> None:
    holds = paused(paper)
    holds.hosts.filter(host=paper.hosts[0]).update(touched=True)
    deploy = back(paper)
    assert f"deploy #{holds.pk} of admin" in deploy.waiting_for
    holds.hosts.update(touched=False)
    Deploy.objects.filter(pk=holds.pk).update(status="running")
    advance(deploy.pk)
    holds.refresh_from_db()
    assert (holds.cancel_requested_at, deploy.started_at) == (None, None)
    assert not AuditEntry.objects.filter(verb="deploy.cancel").exists()


def test_a_deploy_waits_behind_one_that_is_paused(paper: Paper) -> None:
    holds = paused(paper)
    deploy = paper.ask(artefact=paper.artefact(4))
    advance(deploy.pk)
    holds.refresh_from_db()
    assert (holds.status, holds.cancel_requested_at) == ("paused", None)


def test_a_rollback_that_may_not_begin_cancels_nothing(paper: Paper) -> None:
    holds = paused(paper)
    deploy = request_rollback(
        actor=paper.user, environment=paper.environment, pipeline=paper.pipeline
    )
    Artefact.objects.filter(pk=deploy.artefact_id).update(bad=True)
    Deploy.objects.filter(pk=deploy.pk).update(requested_by=make_user("gone"))
    advance(deploy.pk)
    holds.refresh_from_db()
    assert (holds.status, holds.cancel_requested_at) == ("paused", None)
    assert not AuditEntry.objects.filter(verb="deploy.cancel").exists()


def test_a_deploy_whose_last_step_has_begun_gives_way_to_no_rollback(
    paper: Paper,
) -> None:
    holds = paused(paper)
    assert list(gives_way(paper.environment)) == [holds]
    holds.steps.filter(kind="finish").update(status="ok")
    assert not gives_way(paper.environment).exists()
