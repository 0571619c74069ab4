"""Faults that a review found: what changes between a yes and its deploy, and who may not deploy any more."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.errors import DomainError, Forbidden
from appconf.models import Variable
from delivery.engine import handlers
from delivery.engine.advance import advance
from delivery.engine.context import context_of
from delivery.engine.judging import ensure_owner
from delivery.models import Deploy, DeployStep
from delivery.planning.wanted import Wanted
from delivery.sources.origins import origin_of
from tests.app_factories import grant_on
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db
RIGHTS = ("appconf.deploy_environment", "delivery.add_deploy")


def moved(deploy: Deploy) -> Deploy:
    advance(deploy.pk)
    deploy.refresh_from_db()
    return deploy


def make_variable(paper: Paper, name: str, value: str) -> Variable:
    return Variable.objects.create(
        level="environment", environment=paper.environment, name=name, value=value
    )


def owned(paper: Paper) -> tuple[Deploy, User]:
    ann = make_user("ann")
    grant_on(ann, RIGHTS, paper.pipeline.project)
    return paper.ask(actor=ann), ann


def test_a_deploy_whose_variables_changed_since_the_yes_does_not_begin(
    paper: Paper,
) -> None:
    row = make_variable(paper, "MODE", "fast")
    deploy = paper.ask()
    Variable.objects.filter(pk=row.pk).update(value="$(id)")
    assert (moved(deploy).status, deploy.started_at) == ("cancelled", None)
    assert "MODE" in deploy.explanation
    assert "$(id)" not in deploy.explanation


def test_hooks_of_a_deploy_that_runs_get_no_other_values(paper: Paper) -> None:
    row = make_variable(paper, "MODE", "fast")
    deploy = moved(paper.ask())
    assert deploy.status == "running"
    step = DeployStep(deploy=deploy, kind="activate", batch=0)
    told = context_of(deploy, step).host_variables
    assert {one["MODE"] for one in told.values()} == {"fast"}
    Variable.objects.filter(pk=row.pk).update(value="slow")
    with pytest.raises(DomainError, match="changed since somebody said yes: MODE"):
        context_of(deploy, step)
    # What mends goes on.
    deploy.ending = "failed"
    assert context_of(deploy, step).host_variables


def test_the_account_is_that_of_the_plan(paper: Paper) -> None:
    project = paper.pipeline.project
    project.run_user = project.run_group = "shop"
    project.save()
    before = paper.plan().hash
    deploy = paper.ask()
    project.run_user = "root"
    project.save()
    assert paper.plan().hash != before
    deploy = Deploy.objects.get(pk=deploy.pk)
    context = context_of(deploy, DeployStep(deploy=deploy, kind="distribute"))
    assert (context.run_user, context.run_group) == ("shop", "shop")


def test_names_that_steer_programs_are_told_of_and_reach_no_hook(paper: Paper) -> None:
    for name in ("BASH_ENV", "setsid", "MODE"):
        make_variable(paper, name, "x")
    words = "Hooks do not get these variables, for their names: BASH_ENV, setsid."
    assert words in paper.plan().warnings
    deploy = paper.ask()
    told = context_of(deploy, DeployStep(deploy=deploy, kind="activate", batch=0))
    assert {name for one in told.host_variables.values() for name in one} == {"MODE"}


def test_another_source_than_that_of_the_yes_is_not_read(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wanted(*_of: Any) -> Wanted:
        return Wanted("commit", "r42", "42")

    monkeypatch.setattr("delivery.planning.planning.wanted_of", wanted)
    project = paper.pipeline.project
    project.source_address = "https://svn.example.org/shop"
    project.save()
    deploy = paper.ask(artefact=None)
    assert deploy.plan["origin"] == origin_of(project)
    first = paper.plan(artefact=None).hash
    project.source_address = "https://svn.example.com/other"
    project.save()
    assert paper.plan(artefact=None).hash != first
    assert (moved(deploy).status, deploy.started_at) == ("cancelled", None)
    assert "source of the project was changed" in deploy.explanation


@pytest.mark.parametrize("lost", [*RIGHTS, "sign in"])
def test_what_waits_does_not_begin_for_who_may_not_deploy_any_more(
    paper: Paper, lost: str
) -> None:
    deploy, ann = owned(paper)
    if lost == "sign in":
        User.objects.filter(pk=ann.pk).update(is_active=False)
    else:
        ann.grants.all().delete()
        kept = [one for one in RIGHTS if one != lost]
        grant_on(User.objects.get(pk=ann.pk), kept, paper.pipeline.project)
    assert (moved(deploy).status, deploy.started_at) == ("cancelled", None)
    assert not deploy.steps.exclude(status="skipped").exists()


def test_the_next_batch_asks_again_who_it_is_for(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy, ann = owned(paper)
    assert moved(deploy).status == "running"
    ensure_owner(Deploy.objects.get(pk=deploy.pk))
    ann.grants.all().delete()
    deploy.steps.update(status="ok")
    step = deploy.steps.get(kind="activate")
    DeployStep.objects.filter(pk=step.pk).update(status="waiting")
    with pytest.raises(Forbidden):
        ensure_owner(Deploy.objects.get(pk=deploy.pk))
    begun: list[str] = []
    monkeypatch.setattr(
        "delivery.engine.handlers.begin", lambda step: begun.append(step.kind)
    )
    moved(deploy)
    step.refresh_from_db()
    assert (step.status, "activate" in begun) == ("failed", False)
    assert "may not deploy" in step.explanation


def test_what_cannot_be_judged_fails_and_holds_nothing(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy = moved(paper.ask())
    assert deploy.status == "running"

    def broken(step: DeployStep, **_measured: object) -> None:
        if not step.deploy.ending:
            raise DomainError("The variable changed.", "Ask again.")

    monkeypatch.setattr(handlers, "judge", broken)
    assert moved(deploy).ending == "failed"
    assert "The variable changed." in deploy.explanation
