"""Approvals of deploys: n people's yes to one plan, never that of who asked; a no ends it, and so does the time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Grant, GrantScope, Role
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from delivery.engine.advance import advance
from delivery.models import Deploy
from delivery.pages.approving import waiting_for
from delivery.safety.approvals import decide, standing, why_not
from tests.app_factories import make_project
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db
MAY = ("delivery.view_deploy", "delivery.decide_deploy")


def test_two_people_say_yes_and_then_it_waits_for_its_turn(paper: Paper) -> None:
    deploy = paper.ask(approvals_needed=2)
    assert deploy.status == "waiting_approval"
    advance(deploy.pk)
    ann, bob = make_user("ann", perms=MAY), make_user("bob", perms=MAY)
    decide(actor=ann, deploy=deploy, yes=True, plan_hash=deploy.plan_hash)
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert (deploy.status, standing(deploy).yes) == ("waiting_approval", 1)
    assert deploy.waiting_for == "1 approval is missing."
    with pytest.raises(Forbidden, match="decided already"):
        decide(actor=ann, deploy=deploy, yes=True)
    decide(actor=bob, deploy=deploy, yes=True)
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.status == "running"
    lines = AuditEntry.objects.filter(verb="deploy.approve")
    assert {line.actor_name for line in lines} == {"ann", "bob"}


def test_nobody_approves_what_he_asked_for(paper: Paper) -> None:
    deploy = paper.ask(approvals_needed=1)
    with pytest.raises(Forbidden, match="asked for a deploy does not approve"):
        decide(actor=paper.user, deploy=deploy, yes=True)
    assert not deploy.votes.exists()


def test_who_has_none_of_the_named_roles_does_not_count(paper: Paper) -> None:
    deploy = paper.ask(approvals_needed=1)
    paper.pipeline.approve_groups.add(Role.objects.create(name="release managers"))
    ann = make_user("ann", perms=MAY)
    assert "none of the roles" in why_not(ann, deploy)
    with pytest.raises(Forbidden):
        decide(actor=ann, deploy=deploy, yes=True)
    paper.pipeline.approve_groups.add(ann.grants.get().role)
    decide(actor=ann, deploy=deploy, yes=True)
    assert standing(deploy).is_enough


def test_a_named_role_counts_only_where_it_is_held(paper: Paper) -> None:
    deploy = paper.ask(approvals_needed=1)
    named = Role.objects.create(name="release managers")
    paper.pipeline.approve_groups.add(named)
    ann = make_user("ann", perms=MAY)
    grant = Grant.objects.create(user=ann, role=named)
    other = make_project("elsewhere")
    at = GrantScope.objects.create(
        grant=grant, kind="appconf.project", object_id=other.pk
    )
    assert "none of the roles" in why_not(ann, deploy)
    assert not waiting_for(ann).exists()
    with pytest.raises(Forbidden):
        decide(actor=ann, deploy=deploy, yes=True)
    assert not AuditEntry.objects.filter(verb="deploy.approve").exists()
    at.object_id = paper.pipeline.project_id
    at.save()
    assert waiting_for(ann).get() == deploy
    decide(actor=ann, deploy=deploy, yes=True)
    assert standing(deploy).is_enough
    # Taken away before it begins, the role takes the yes with it.
    at.object_id = other.pk
    at.save()
    assert not standing(deploy).is_enough


def test_a_no_says_why_and_ends_it(paper: Paper) -> None:
    deploy = paper.ask(approvals_needed=1)
    ann = make_user("ann", perms=MAY)
    with pytest.raises(DomainError, match="Say why"):
        decide(actor=ann, deploy=deploy, yes=False)
    decide(actor=ann, deploy=deploy, yes=False, reason="not on a Friday")
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.status == "cancelled"
    assert deploy.explanation == "Refused by ann: not on a Friday"
    assert deploy.started_at is None


def test_a_word_on_another_plan_does_not_count(paper: Paper) -> None:
    deploy = paper.ask(approvals_needed=1)
    ann = make_user("ann", perms=MAY)
    with pytest.raises(Conflict, match="not the one that you saw"):
        decide(actor=ann, deploy=deploy, yes=True, plan_hash="0" * 64)
    decide(actor=ann, deploy=deploy, yes=True)
    Deploy.objects.filter(pk=deploy.pk).update(plan_hash="1" * 64)
    deploy.refresh_from_db()
    assert not standing(deploy).is_enough


def test_what_nobody_approves_in_time_is_over(paper: Paper) -> None:
    deploy = paper.ask(approvals_needed=1)
    late = timezone.now() - timedelta(seconds=1)
    Deploy.objects.filter(pk=deploy.pk).update(approve_until=late)
    ann = make_user("ann", perms=MAY)
    with pytest.raises(Conflict, match="time for approval is over"):
        decide(actor=ann, deploy=deploy, yes=True)
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert (deploy.status, deploy.explanation) == (
        "cancelled",
        "Nobody approved it in time.",
    )


def test_an_environment_that_is_not_guarded_needs_nobody(paper: Paper) -> None:
    paper.pipeline.guarded_kinds = ["production"]
    paper.pipeline.save()
    paper.environment.kind = "test"
    paper.environment.save()
    assert paper.ask(approvals_needed=2).status == "waiting"
