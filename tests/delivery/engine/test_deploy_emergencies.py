"""Going on where windows are closed: only in an emergency, and only this once; never with what was marked bad."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from delivery.asked.answerers import answer_begin
from delivery.engine.advance import advance
from delivery.engine.context import context_of
from delivery.engine.controlling import (
    pause_deploy,
    resume_deploy,
    retry_deploy,
)
from delivery.models import Deploy, DeployLock
from delivery.pages import control
from delivery.safety.marks import mark_bad, unmark_bad
from tasks.models import Calendar
from tests.app_factories import grant_on
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db
WHY = "the shop is down for everybody"


def paused(paper: Paper) -> Deploy:
    """A deploy that waits for a person before its second batch."""
    paper.way(policy="batches", batches="1", pause_after="always")
    deploy = paper.ask()
    advance(deploy.pk)
    first = deploy.steps.get(kind="activate", batch=0)
    deploy.steps.filter(position__lte=first.position).update(status="ok")
    Deploy.objects.filter(pk=deploy.pk).update(status="paused")
    deploy.refresh_from_db()
    return deploy


def freeze(paper: Paper) -> None:
    """Begin a freeze that does not end."""
    paper.way(freezes=Calendar.objects.create(name="always", times="mon-sun # peak"))


def test_in_a_freeze_a_deploy_is_resumed_only_in_an_emergency(paper: Paper) -> None:
    deploy = paused(paper)
    freeze(paper)
    with pytest.raises(Conflict, match="Nothing is deployed now") as refused:
        resume_deploy(actor=paper.user, deploy=deploy)
    assert refused.value.code == "closed"
    with pytest.raises(DomainError, match="why it cannot wait"):
        resume_deploy(actor=paper.user, deploy=deploy, emergency_reason="now!")
    ann = make_user("ann", perms=("delivery.view_deploy", "delivery.control_deploy"))
    grant_on(ann, ("appconf.deploy_environment",), paper.pipeline.project)
    with pytest.raises(Forbidden, match="outside the change windows"):
        resume_deploy(actor=ann, deploy=deploy, emergency_reason=WHY)
    deploy.refresh_from_db()
    assert (deploy.status, deploy.emergency_reason) == ("paused", "")
    assert not AuditEntry.objects.filter(verb="deploy.resume").exists()
    resume_deploy(actor=paper.user, deploy=deploy, emergency_reason=WHY)
    deploy.refresh_from_db()
    assert deploy.status == "running"
    line = AuditEntry.objects.get(verb="deploy.resume")
    assert line.changes == [{"field": "emergency", "old": None, "new": WHY}]
    # It was the reason of this once: after the next pause the windows count again.
    assert deploy.emergency_reason == ""
    pause_deploy(actor=ann, deploy=deploy)
    with pytest.raises(Conflict, match="Nothing is deployed now"):
        resume_deploy(actor=ann, deploy=deploy)


def test_what_was_marked_bad_meanwhile_goes_to_no_further_host(paper: Paper) -> None:
    deploy = paused(paper)
    artefact = deploy.artefact
    assert artefact is not None
    mark_bad(actor=paper.user, artefact=artefact, reason="it loses orders")
    freeze(paper)
    for reason in ("", WHY):
        with pytest.raises(Conflict, match="it loses orders") as refused:
            resume_deploy(actor=paper.user, deploy=deploy, emergency_reason=reason)
        assert refused.value.code == "bad"
    first = deploy.steps.filter(kind="activate", batch=0)
    first.update(status="failed")
    with pytest.raises(Conflict, match="it loses orders"):
        retry_deploy(
            actor=paper.user, deploy=deploy, what="stage", emergency_reason=WHY
        )
    assert first.get().status == "failed"
    first.update(status="ok")
    unmark_bad(actor=paper.user, artefact=artefact)
    resume_deploy(actor=paper.user, deploy=deploy, emergency_reason=WHY)
    deploy.refresh_from_db()
    assert deploy.status == "running"
    # The hosts still refuse what they know as bad.
    step = deploy.steps.get(kind="activate", batch=1)
    assert not context_of(deploy, step).bad_too


def test_what_only_has_to_be_finished_waits_for_no_window(paper: Paper) -> None:
    deploy = paused(paper)
    deploy.steps.filter(kind="activate").update(status="ok")
    freeze(paper)
    resume_deploy(actor=paper.user, deploy=deploy)
    deploy.refresh_from_db()
    assert deploy.status == "running"


def test_the_page_asks_for_the_reason_of_an_emergency(
    paper: Paper, client_of: Callable[[User], Client]
) -> None:
    deploy = paused(paper)
    freeze(paper)
    client, address = (
        client_of(paper.user),
        reverse("delivery:deploy_resume", args=[deploy.pk]),
    )
    page = client.get(deploy.get_absolute_url()).content.decode()
    assert f'href="{address}"' in page
    form = client.get(address).content.decode()
    assert "Nothing is deployed now: always: peak." in form
    assert 'name="emergency_reason"' in form
    for sent in ({}, {"emergency_reason": "now!"}):
        answer = client.post(address, sent)
        assert answer.status_code == 422
        assert sent.get("emergency_reason", "") in answer.content.decode()
        deploy.refresh_from_db()
        assert deploy.status == "paused"
    long = client.post(address, {"emergency_reason": "x" * 501})
    assert long.status_code == 422
    client.post(address, {"emergency_reason": WHY})
    deploy.refresh_from_db()
    assert deploy.status == "running"


def test_where_no_window_is_closed_nobody_is_asked_why(
    paper: Paper, client_of: Callable[[User], Client]
) -> None:
    deploy, client = paused(paper), client_of(paper.user)
    for verb in ("resume", "retry"):
        address = reverse(f"delivery:deploy_{verb}", args=[deploy.pk])
        assert client.get(address)["Location"] == deploy.get_absolute_url()
    deploy.refresh_from_db()
    assert deploy.status == "paused"


def test_the_retry_of_an_ended_deploy_takes_the_reason_along(
    paper: Paper,
    client_of: Callable[[User], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deploy = paused(paper)
    Deploy.objects.filter(pk=deploy.pk).update(status="failed")
    DeployLock.objects.all().delete()
    deploy.hosts.update(status="failed")
    freeze(paper)
    asked: list[dict[str, Any]] = []

    def ask(user: User, kind: str, about: dict[str, Any]) -> SimpleNamespace:
        asked.append(about)
        return SimpleNamespace(key="k")

    monkeypatch.setattr(control, "ask", ask)
    client = client_of(paper.user)
    address = reverse("delivery:deploy_retry", args=[deploy.pk])
    page = client.get(deploy.get_absolute_url()).content.decode()
    assert f'href="{address}?what=failed"' in page
    assert f'href="{address}?what=stage"' in page
    form = client.get(address, {"what": "stage"}).content.decode()
    assert "waits for its window" in form
    for reason in ("", WHY):
        sent = {"what": "stage", "emergency_reason": reason}
        assert client.post(address, sent).status_code == 302
    assert [one["emergency_reason"] for one in asked] == ["", WHY]
    successor = Deploy.objects.get(pk=answer_begin(paper.user, asked[1]))
    assert (successor.retried_from, successor.emergency_reason) == (deploy, WHY)


def test_a_stage_is_retried_in_a_freeze_only_in_an_emergency(paper: Paper) -> None:
    deploy = paused(paper)
    step = deploy.steps.get(kind="activate", batch=0)
    deploy.steps.filter(pk=step.pk).update(status="failed")
    freeze(paper)
    with pytest.raises(Conflict, match="Nothing is deployed now"):
        retry_deploy(actor=paper.user, deploy=deploy, what="stage")
    step.refresh_from_db()
    assert (step.status, step.attempt) == ("failed", 1)
    retry_deploy(actor=paper.user, deploy=deploy, what="stage", emergency_reason=WHY)
    step.refresh_from_db()
    assert (step.status, step.attempt) == ("waiting", 2)
