"""Steering a deploy by its page: each button calls its verb, asks for what it needs, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from delivery.asked import keeping
from delivery.models import Deploy, DeployVote
from delivery.pages.control import deploy_decide
from tests.app_factories import grant_on
from tests.delivery.factories import make_deploy, make_step
from tests.delivery.pages.conftest import DELIVERS, Place
from tests.factories import make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


def address(verb: str, deploy: Deploy) -> str:
    return reverse(f"delivery:deploy_{verb}", args=[deploy.pk])


@pytest.fixture
def second(here: Place) -> User:
    """Another one who delivers there."""
    user = make_user("second")
    grant_on(user, DELIVERS, here.project.product_line)
    return user


def test_a_second_person_approves_the_plan_and_the_first_may_not(
    client_of: Signed, deployer: User, second: User, here: Place
) -> None:
    deploy = make_deploy(
        here.environment, by=deployer, status="waiting_approval", approvals_needed=1
    )
    sent = {"yes": "yes", "plan_hash": deploy.plan_hash, "reason": "looked at it"}
    own = client_of(deployer).post(address("decide", deploy), sent)
    assert own.status_code == 422
    assert not DeployVote.objects.exists()
    page = client_of(second).get(address("decide", deploy)).content.decode()
    assert "2-aaaaaaaa" in page
    assert deploy.plan_hash in page
    answer = client_of(second).post(address("decide", deploy), sent)
    assert answer.status_code == 302
    vote = DeployVote.objects.get()
    assert (vote.user, vote.yes, vote.plan_hash) == (second, True, deploy.plan_hash)
    assert AuditEntry.objects.filter(verb="deploy.approve", actor=second).exists()


def test_a_no_needs_a_reason_and_an_old_plan_is_not_decided(
    client_of: Signed, deployer: User, second: User, here: Place
) -> None:
    deploy = make_deploy(
        here.environment, by=deployer, status="waiting_approval", approvals_needed=1
    )
    client = client_of(second)
    sent = {"yes": "no", "plan_hash": deploy.plan_hash}
    assert client.post(address("decide", deploy), sent).status_code == 422
    old = {"yes": "yes", "plan_hash": "0" * 64}
    answer = client.post(address("decide", deploy), old)
    assert answer.status_code == 422
    assert "not the one that you saw" in answer.content.decode()
    assert not DeployVote.objects.exists()
    refused = client.post(address("decide", deploy), {**sent, "reason": "not today"})
    assert refused.status_code == 302
    assert DeployVote.objects.get().yes is False


def test_a_program_with_a_token_has_no_say(
    deployer: User, second: User, here: Place, rf: Any
) -> None:
    deploy = make_deploy(here.environment, by=deployer, status="waiting_approval")
    request = rf.get("/")
    request.user, request.session = second, {"proved_at": 9e9}
    token = SimpleNamespace(narrow=lambda permission, held: held)
    second.token = token  # type: ignore[assignment]
    with pytest.raises(PermissionDenied):
        deploy_decide.__wrapped__.__wrapped__(request, deploy.pk)


def test_pausing_and_resuming(client_of: Signed, deployer: User, here: Place) -> None:
    deploy = make_deploy(here.environment, status="running")
    client = client_of(deployer)
    assert client.post(address("pause", deploy)).status_code == 302
    deploy.refresh_from_db()
    assert deploy.status == "paused"
    assert client.post(address("resume", deploy)).status_code == 302
    deploy.refresh_from_db()
    assert deploy.status == "running"
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"deploy.pause", "deploy.resume"} <= verbs


def test_the_yes_to_a_batch_is_called_so(
    client_of: Signed, deployer: User, here: Place
) -> None:
    deploy = make_deploy(here.environment, status="paused")
    make_step(deploy, "confirm", "running", batch=0)
    text = client_of(deployer).get(deploy.get_absolute_url()).content.decode()
    assert "Confirm: go on" in text


def test_stopping_says_first_what_will_be_undone(
    client_of: Signed, deployer: User, here: Place
) -> None:
    deploy = make_deploy(here.environment, status="running")
    client = client_of(deployer)
    text = client.get(address("cancel", deploy)).content.decode()
    assert "No host was switched yet" in text
    deploy.hosts.update(touched=True)
    text = client.get(address("cancel", deploy)).content.decode()
    assert "1 host was switched already" in text
    answer = client.post(address("cancel", deploy), {"reason": "wrong branch"})
    assert answer.status_code == 302
    deploy.refresh_from_db()
    assert deploy.cancelled_by_name == "deployer"
    entry = AuditEntry.objects.get(verb="deploy.cancel")
    assert entry.reason == "wrong branch"


def test_a_retry_of_an_ended_deploy_is_asked_of_a_worker(
    client_of: Signed, deployer: User, here: Place, sent: list[Any]
) -> None:
    deploy = make_deploy(here.environment, status="failed")
    answer = client_of(deployer).post(address("retry", deploy), {"what": "failed"})
    assert answer.status_code == 302
    assert f"/pipelines/{deploy.pipeline_id}/begin/" in answer["Location"]
    [(name, key)] = sent
    assert name == "delivery.answer_question"
    question = keeping.find(key)
    assert question is not None
    assert question.about["retry"] == deploy.pk
    assert Deploy.objects.count() == 1


def test_a_retry_of_a_paused_deploy_begins_its_bad_stage_again(
    client_of: Signed, deployer: User, here: Place
) -> None:
    deploy = make_deploy(here.environment, status="paused")
    step = make_step(deploy, "activate", "failed", batch=0)
    answer = client_of(deployer).post(address("retry", deploy), {"what": "stage"})
    assert answer["Location"] == deploy.get_absolute_url()
    step.refresh_from_db()
    assert (step.status, step.attempt) == ("waiting", 2)


def test_what_cannot_be_done_any_more_is_said_on_a_page(
    client_of: Signed, deployer: User, here: Place
) -> None:
    deploy = make_deploy(here.environment, status="ok")
    answer = client_of(deployer).post(address("pause", deploy), follow=True)
    assert "has ended" in answer.content.decode()
    deploy.refresh_from_db()
    assert deploy.status == "ok"
