"""Change windows, freezes, and the override in an emergency; bad releases; who may lock and break."""

from __future__ import annotations

import pytest

from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from delivery.engine.advance import advance
from delivery.engine.rolling_back import request_rollback
from delivery.models import Deploy, DeployLock, LiveRelease
from delivery.safety.locks import break_lock, release_lock, take_lock
from delivery.safety.marks import mark_bad, unmark_bad
from tasks.models import Calendar
from tests.app_factories import grant_on, make_project
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def always() -> Calendar:
    return Calendar.objects.create(name="always", times="mon-sun # peak season")


def never() -> Calendar:
    return Calendar.objects.create(name="new year", times="1999-01-01")


def moved(deploy: Deploy) -> Deploy:
    advance(deploy.pk)
    deploy.refresh_from_db()
    return deploy


def test_in_a_freeze_it_waits_and_says_why(paper: Paper) -> None:
    paper.way(freezes=always())
    assert paper.plan().closed == "Nothing is deployed now: always: peak season."
    deploy = moved(paper.ask())
    assert (deploy.status, deploy.started_at) == ("waiting", None)
    assert "peak season" in deploy.waiting_for
    assert not DeployLock.objects.exists()
    paper.way(freezes=None)
    assert moved(deploy).status == "running"


def test_outside_the_windows_it_waits(paper: Paper) -> None:
    paper.way(calendar=never())
    deploy = moved(paper.ask())
    assert deploy.waiting_for == "It is outside the change windows of new year."


def test_an_emergency_needs_a_reason_and_the_right_to_it(paper: Paper) -> None:
    paper.way(freezes=always())
    with pytest.raises(DomainError, match="why it cannot wait"):
        paper.ask(emergency_reason="now!")
    ann = make_user("ann")
    perms = ("appconf.deploy_environment", "delivery.add_deploy")
    grant_on(ann, perms, paper.pipeline.project)
    with pytest.raises(Forbidden, match="outside the change windows"):
        paper.ask(actor=ann, emergency_reason="the shop is down for everybody")
    assert not Deploy.objects.exists()
    deploy = paper.ask(emergency_reason="the shop is down for everybody")
    assert moved(deploy).status == "running"
    line = AuditEntry.objects.get(verb="deploy.request")
    told = {one["field"]: one["new"] for one in line.changes}
    assert told["emergency"] == "the shop is down for everybody"


def test_who_may_not_deploy_to_an_environment_gets_no_plan(paper: Paper) -> None:
    ann = make_user("ann", perms=("delivery.add_deploy", "delivery.view_pipeline"))
    with pytest.raises(Forbidden, match="may not deploy to"):
        paper.plan(actor=ann)
    with pytest.raises(Forbidden, match="may not deploy to"):
        take_lock(actor=ann, environment=paper.environment, reason="mine")
    assert not DeployLock.objects.exists()


def test_a_right_on_another_project_opens_nothing_here(paper: Paper) -> None:
    ann, elsewhere = make_user("ann"), make_project("elsewhere")
    grant_on(ann, ("appconf.deploy_environment",), paper.pipeline.project)
    rights = ("delivery.add_deploy", "delivery.emergency_deploy")
    grant_on(ann, (*rights, "delivery.add_deploylock"), elsewhere)
    with pytest.raises(Forbidden, match="may not start deploys"):
        paper.ask(actor=ann)
    with pytest.raises(Forbidden, match="may not lock environments"):
        take_lock(actor=ann, environment=paper.environment, reason="mine")
    grant_on(ann, ("delivery.add_deploy",), paper.pipeline.project)
    paper.way(freezes=always())
    with pytest.raises(Forbidden, match="outside the change windows"):
        paper.ask(actor=ann, emergency_reason="the shop is down for everybody")
    assert paper.ask(actor=ann).requested_by == ann


def test_one_waits_for_the_other_also_where_that_waits_for_its_turn(
    paper: Paper,
) -> None:
    first, second = paper.ask(), paper.ask()
    moved(second)
    assert second.waiting_for == f"{first} of admin was asked for before it."
    assert moved(first).status == "running"


def test_a_lock_is_given_back_by_its_owner_and_broken_by_who_may(paper: Paper) -> None:
    lock = take_lock(actor=paper.user, environment=paper.environment, reason="audit")
    ann = make_user("ann")
    with pytest.raises(Forbidden, match="not yours: admin since"):
        release_lock(actor=ann, lock=lock)
    with pytest.raises(Forbidden, match="may not break locks"):
        break_lock(actor=ann, lock=lock, reason="I want to")
    with pytest.raises(Conflict, match="is locked by admin"):
        take_lock(actor=paper.user, environment=paper.environment, reason="again")
    release_lock(actor=paper.user, lock=lock)
    assert not DeployLock.objects.exists()
    lines = AuditEntry.objects.filter(verb__startswith="deploylock.")
    assert list(lines.order_by("pk").values_list("verb", flat=True)) == [
        "deploylock.take",
        "deploylock.release",
    ]


def test_a_bad_release_is_not_deployed_until_the_mark_is_taken_away(
    paper: Paper,
) -> None:
    artefact = paper.artefact()
    waiting = paper.ask()
    with pytest.raises(DomainError, match="Say why"):
        mark_bad(actor=paper.user, artefact=artefact, reason="")
    mark_bad(actor=paper.user, artefact=artefact, reason="it eats memory")
    with pytest.raises(DomainError, match="marked bad: it eats memory"):
        paper.ask(artefact=artefact)
    # One that was asked for before does not begin.
    assert moved(waiting).status == "failed"
    assert "it eats memory" in waiting.explanation
    with pytest.raises(Conflict):
        mark_bad(actor=paper.user, artefact=artefact, reason="again")
    unmark_bad(actor=paper.user, artefact=artefact)
    artefact.refresh_from_db()
    assert moved(paper.ask(artefact=artefact)).status == "running"


def test_a_rollback_waits_for_no_window_and_for_nobodys_yes(paper: Paper) -> None:
    artefact, live = paper.artefact(), paper.artefact(2)
    brought = moved(paper.ask(artefact=live))
    Deploy.objects.filter(pk=brought.pk).update(status="ok")
    DeployLock.objects.all().delete()
    for host in paper.hosts:
        kept = [{"release": artefact.release, "good": True, "bad": False}]
        LiveRelease.objects.create(
            environment=paper.environment,
            host=host,
            artefact=live,
            previous=artefact.release,
            kept=kept,
        )
    paper.way(freezes=always(), approvals_needed=2)
    back = request_rollback(
        actor=paper.user, environment=paper.environment, pipeline=paper.pipeline
    )
    assert moved(back).status == "running"
    assert back.artefact == artefact
