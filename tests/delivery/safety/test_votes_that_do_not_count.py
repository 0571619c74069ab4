"""A yes counts while whoever gave it might still give it: until the deploy begins, not only at the moment of the vote."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Grant, User
from adminset.models import AuditEntry
from delivery.engine.advance import advance
from delivery.models import Deploy, DeployLock
from delivery.safety.approvals import decide, standing
from delivery.safety.locks import release_lock, take_lock
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db
MAY = ("delivery.view_deploy", "delivery.decide_deploy")


def moved(deploy: Deploy) -> Deploy:
    advance(deploy.pk)
    deploy.refresh_from_db()
    return deploy


def dismiss(user: User) -> None:
    """Let somebody go: the account is closed."""
    user.is_active = False
    user.save()


def demote(user: User) -> None:
    """Take all roles from somebody."""
    Grant.objects.filter(user=user).delete()


def remove(user: User) -> None:
    """Delete the account."""
    user.delete()


@pytest.mark.parametrize("lose", [dismiss, demote, remove])
def test_a_yes_of_somebody_who_lost_the_right_brings_nothing_to_its_turn(
    paper: Paper, lose: object
) -> None:
    deploy = paper.ask(approvals_needed=2)
    ann, bob = make_user("ann", perms=MAY), make_user("bob", perms=MAY)
    decide(actor=ann, deploy=deploy, yes=True)
    lose(ann)  # type: ignore[operator]
    decide(actor=bob, deploy=deploy, yes=True)
    moved(deploy)
    assert (deploy.status, standing(deploy).yes) == ("waiting_approval", 1)
    assert deploy.waiting_for == (
        "1 approval is missing. The yes of ann does not count any more."
    )
    decide(actor=make_user("cem", perms=MAY), deploy=deploy, yes=True)
    assert moved(deploy).status == "running"


def test_what_was_approved_and_waited_must_be_approved_again(paper: Paper) -> None:
    lock = take_lock(actor=paper.user, environment=paper.environment, reason="audit")
    deploy = paper.ask(approvals_needed=1)
    ann = make_user("ann", perms=MAY)
    decide(actor=ann, deploy=deploy, yes=True)
    assert moved(deploy).status == "waiting"
    late = timezone.now() - timedelta(hours=1)
    Deploy.objects.filter(pk=deploy.pk).update(approve_until=late)
    dismiss(ann)
    release_lock(actor=paper.user, lock=lock)
    assert moved(deploy).status == "waiting_approval"
    assert deploy.started_at is None
    assert not DeployLock.objects.exists()
    # People have the whole time once more.
    assert deploy.approve_until is not None
    assert deploy.approve_until > timezone.now() + timedelta(hours=23)
    line = AuditEntry.objects.get(verb="deploy.approval_lost")
    assert "The yes of ann does not count any more." in line.reason
    decide(actor=make_user("bob", perms=MAY), deploy=deploy, yes=True)
    assert moved(deploy).status == "running"


def test_the_page_of_one_that_began_goes_on_to_say_who_approved_it(
    paper: Paper,
) -> None:
    deploy = paper.ask(approvals_needed=1)
    ann = make_user("ann", perms=MAY)
    decide(actor=ann, deploy=deploy, yes=True)
    assert moved(deploy).status == "running"
    dismiss(ann)
    assert standing(deploy).yes == 1


def test_a_no_stays_one_whatever_becomes_of_whoever_said_it(paper: Paper) -> None:
    deploy = paper.ask(approvals_needed=1)
    ann = make_user("ann", perms=MAY)
    decide(actor=ann, deploy=deploy, yes=False, reason="not on a Friday")
    dismiss(ann)
    assert moved(deploy).status == "cancelled"
