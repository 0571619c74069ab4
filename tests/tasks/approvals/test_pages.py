"""The pages of approvals: the inbox, one in full, a word with a fresh proof of who is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.http import PROVED_AT
from cmdb.models import Host, HostGroup
from tasks.models import Approval, ApprovalRule, Run
from tasks.services.launch import RunSpec, request_run
from tests.crud import ResourceTests
from tests.factories import make_host, make_user
from tests.tasks.workflow_things import make_rule

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
INBOX = "/tasks/approvals/inbox/"
HOSTILE = "echo '<script>alert(1)</script>'"


@pytest.fixture
def host(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], address="192.0.2.1")


@pytest.fixture
def boss(db: None) -> User:
    return make_user("boss", perms=["tasks.view_approval", "tasks.decide_approval"])


@pytest.fixture
def approval(admin: User, host: Host, boss: User) -> Approval:
    make_rule(boss)
    request_run(actor=admin, spec=RunSpec(command=HOSTILE, host_ids=(host.pk,)))
    return Approval.objects.get()


def decide(approval: Approval) -> str:
    return reverse("tasks:approval_decide", args=[approval.pk])


def test_it_stands_in_the_inbox_of_those_who_may_decide(
    client_of: Signed, approval: Approval, boss: User, admin: User
) -> None:
    text = client_of(boss).get(INBOX).content.decode()
    assert approval.get_absolute_url() in text
    assert "Waiting for me (1)" in text
    assert (
        approval.get_absolute_url() not in client_of(admin).get(INBOX).content.decode()
    )
    assert (
        approval.get_absolute_url()
        in client_of(admin).get(f"{INBOX}?show=mine").content.decode()
    )
    other = make_user(perms=["tasks.view_approval", "tasks.decide_approval"], groups=[])
    assert "Waiting for me (0)" in client_of(other).get(INBOX).content.decode()


def test_a_page_shows_all_and_takes_the_word(
    client_of: Signed, approval: Approval, boss: User
) -> None:
    client = client_of(boss)
    text = client.get(approval.get_absolute_url()).content.decode()
    assert "1 host in 1 group" in text
    assert "web1" in text
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
    answer = client.post(decide(approval), {"verdict": "refuse", "comment": ""})
    assert answer.status_code == 422
    assert "A refusal says why." in answer.content.decode()
    answer = client.post(decide(approval), {"verdict": "approve", "comment": "fine"})
    assert answer.status_code == 302
    approval.refresh_from_db()
    assert approval.status == "approved"
    assert "fine" in client.get(approval.get_absolute_url()).content.decode()
    assert (
        approval.get_absolute_url()
        in client.get(f"{INBOX}?show=decided").content.decode()
    )


def test_who_asked_sees_it_without_buttons_and_is_refused(
    client_of: Signed, approval: Approval, admin: User
) -> None:
    client = client_of(admin)
    text = client.get(approval.get_absolute_url()).content.decode()
    assert decide(approval) not in text
    assert "others decide" in text
    answer = client.post(decide(approval), {"verdict": "approve"})
    assert answer.status_code == 422
    assert approval.votes.count() == 0


def test_a_stranger_does_not_see_it(
    client_of: Signed, approval: Approval, host: Host, group: HostGroup
) -> None:
    person = make_user(
        perms=["tasks.view_approval", "tasks.decide_approval"], groups=[group]
    )
    client = client_of(person)
    assert client.get(approval.get_absolute_url()).status_code == 404
    assert client.post(decide(approval), {"verdict": "approve"}).status_code == 404
    assert client_of(make_user()).get(INBOX).status_code == 403


def test_an_old_proof_is_asked_for_again(
    client_of: Signed, approval: Approval, boss: User
) -> None:
    client = client_of(boss)
    session: Any = client.session
    session[PROVED_AT] = time.time() - settings.STEP_UP_SECONDS - 10
    session.save()
    answer = client.post(decide(approval), {"verdict": "approve"})
    assert answer["Location"].startswith("/accounts/confirm/")
    assert approval.votes.count() == 0


def test_a_run_that_waits_says_so_on_its_page(
    client_of: Signed, approval: Approval, admin: User
) -> None:
    run = Run.objects.get()
    assert (
        "It waits for approval"
        in client_of(admin).get(run.get_absolute_url()).content.decode()
    )


class TestRules(ResourceTests):
    model = ApprovalRule

    def make(self, number: int = 0, *, outside: bool = False) -> ApprovalRule:
        return ApprovalRule.objects.create(name=f"rule number {number}")

    def valid(self) -> dict[str, Any]:
        return {
            "name": "typed",
            "kinds": ["command"],
            "needed": 2,
            "expires_minutes": 60,
        }
