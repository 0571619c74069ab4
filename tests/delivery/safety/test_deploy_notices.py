"""What web-hooks are told of deploys: that people are waited for, and how one ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset import audit, webhook_outbox, webhook_subjects
from adminset.crud.services import delete
from adminset.models import AuditEntry, WebHook, WebHookDelivery
from delivery.engine.advance import advance
from delivery.safety.approvals import decide
from tests.delivery.factories import make_delivery, make_pipeline
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


def words_of(event: str) -> str:
    body = WebHookDelivery.objects.get(event=event).body
    return str(json.loads(body)["markdown"]["content"])


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


def test_a_chat_reads_what_goes_where_for_whom_and_how_it_stands(
    paper: Paper, bot: WebHook, settings: Any
) -> None:
    settings.PORTAL_URL = "https://portal.example"
    WebHook.objects.update(format="wecom", secret=None)
    deploy = paper.ask(approvals_needed=1, reason="release 1.4")
    waits = words_of("deploy.waiting_approval")
    assert f"{deploy}".replace("#", "＃") in waits
    assert "State: waits for approval. Asked for by admin." in waits
    assert "Reason: release 1.4." in waits
    page = f"https://portal.example{deploy.get_absolute_url()}"
    assert waits.endswith(f"\n[Open the page]({page})")
    ann = make_user("ann", perms=MAY)
    decide(actor=ann, deploy=deploy, yes=False, reason="@all look [here](http://x)")
    advance(deploy.pk)
    ended = words_of("deploy.finish")
    assert "State: cancelled. Asked for by admin. Reason: release 1.4." in ended
    assert "Refused by ann: ＠all look ［here］(http：//x)" in ended


def test_a_web_hook_for_some_projects_tells_of_their_deliveries_only(
    paper: Paper, bot: WebHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = make_pipeline()
    near = {"kinds": ["delivery.deploy", "delivery.pipeline", "cmdb.host"]}
    project = paper.pipeline.project_id

    def told_to(projects: list[int]) -> list[str]:
        verbs = ["update", "delete"]
        WebHook.objects.update(projects=projects, verbs=verbs, **near)
        monkeypatch.setattr(webhook_outbox, "_kept", None)
        WebHookDelivery.objects.all().delete()
        changes = [{"field": "name", "old": "a", "new": "b"}]
        for row in (paper.pipeline, elsewhere, paper.hosts[0]):
            verb = f"{row._meta.model_name}.update"
            audit.record(paper.user, verb, row, changes=changes)
        return [row.target for row in WebHookDelivery.objects.order_by("pk")]

    mine, other, host = str(paper.pipeline), str(elsewhere), str(paper.hosts[0])
    assert told_to([]) == [mine, other, host]
    # What is of no project is told of as ever.
    assert told_to([project]) == [mine, host]
    # A project that is gone is not all of them.
    assert told_to([10**9]) == [host]
    assert told_to([project, elsewhere.project_id]) == [mine, other, host]
    WebHook.objects.update(projects=[elsewhere.project_id])
    monkeypatch.setattr(webhook_outbox, "_kept", None)
    WebHookDelivery.objects.all().delete()
    paper.ask()
    assert not WebHookDelivery.objects.exists()
    delete(actor=paper.user, instance=elsewhere)
    assert WebHookDelivery.objects.get().event == "pipeline.delete"


def test_each_kind_of_the_room_knows_its_projects(paper: Paper, admin: User) -> None:
    made = make_delivery(paper.environment, paper.hosts[0], admin)
    project = paper.pipeline.project_id
    for label, find in webhook_subjects.FINDERS.items():
        name = label.partition(".")[2]
        if label.startswith("delivery.") and name in made:
            found = find([made[name]])
            assert found[made[name]].projects == {project}, label
        assert find([10**9]) == {}, label


def test_projects_of_a_web_hook_are_those_that_its_author_sees(
    paper: Paper, client_of: Callable[[User], Client], admin: User
) -> None:
    form: dict[str, Any] = {"name": "chat", "format": "wecom", "active": "on"}
    form |= {"kinds": ["delivery.deploy"], "verbs": ["update"]}
    form |= {"url": "https://chat.example/x?key=1"}
    address, client = "/system/web-hooks/add/", client_of(admin)
    assert "paper" in client.get(address).content.decode()
    wrong = client.post(address, form | {"projects": [10**9]})
    assert wrong.status_code == 422
    project = paper.pipeline.project_id
    assert client.post(address, form | {"projects": [project]}).status_code == 302
    hook = WebHook.objects.get()
    assert hook.projects == [project]
    # A deploy's own words name hosts.
    blind = make_user("blind", perms=("adminset.add_webhook", "delivery.view_deploy"))
    said = client_of(blind).post(address, form | {"name": "blind"})
    assert "cannot pass them on: hosts" in said.content.decode()
    # One that is gone stays in the list: without it there would be none, which is all.
    WebHook.objects.update(projects=[10**9])
    told = client.patch(
        f"/api/v1/web-hooks/{hook.pk}/", {"name": "x"}, content_type="application/json"
    )
    assert (told.status_code, told.json()["projects"]) == (200, [10**9])
