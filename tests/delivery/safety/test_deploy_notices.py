"""What web-hooks are told of deploys: that people are waited for, and how one ended."""

from __future__ import annotations

import json

import pytest

from adminset import webhook_outbox
from adminset.models import AuditEntry, WebHook, WebHookDelivery
from delivery.engine.advance import advance
from delivery.safety.approvals import decide
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db
MAY = ("delivery.view_deploy", "delivery.decide_deploy")


@pytest.fixture
def bot(paper: Paper, monkeypatch: pytest.MonkeyPatch) -> WebHook:
    """A web-hook to a chat, for what happens to deploys."""
    monkeypatch.setattr(webhook_outbox, "call_worker", lambda pk: None)
    hook = WebHook.objects.create(
        name="chat",
        url="https://chat.example/hook",
        secret="a secret of sixteen signs",
        kinds=["delivery.deploy"],
        verbs=["update"],
    )
    monkeypatch.setattr(webhook_outbox, "_kept", None)
    return hook


def told() -> dict[str, dict[str, object]]:
    return {
        row.event: {one["field"]: one["new"] for one in json.loads(row.body)["changes"]}
        for row in WebHookDelivery.objects.order_by("pk")
    }


def test_a_bot_hears_that_people_are_waited_for_and_how_it_ended(
    paper: Paper, bot: WebHook
) -> None:
    deploy = paper.ask(approvals_needed=2, reason="release 1.4")
    waits = told()["deploy.waiting_approval"]
    assert (waits["approvals_needed"], waits["requested_by"], waits["url"]) == (
        2,
        paper.user.username,
        deploy.get_absolute_url(),
    )
    line = AuditEntry.objects.get(verb="deploy.waiting_approval")
    assert (line.actor_name, line.reason) == (paper.user.username, "release 1.4")
    ann = make_user("ann", perms=MAY)
    decide(actor=ann, deploy=deploy, yes=False, reason="not now")
    advance(deploy.pk)
    assert told()["deploy.finish"]["status"] == "cancelled"


def test_what_waits_for_nobody_tells_nobody(paper: Paper, bot: WebHook) -> None:
    paper.ask()
    assert "deploy.request" in told()
    assert "deploy.waiting_approval" not in told()
