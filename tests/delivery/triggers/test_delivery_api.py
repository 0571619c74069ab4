"""REST of deliveries: from a plan to a deploy by its hash; by tokens and their limits."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from delivery.models import Deploy, DeployRequest
from delivery.triggers.making import make
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.api_things import Api, api, deployer
from tests.delivery.triggers.trigger_things import COMMIT
from tests.factories import make_user
from tests.tasks.run_api.api_things import error_of

__all__ = ["api", "deployer"]
pytestmark = pytest.mark.django_db


def planned(api: Api, paper: Paper, **asked: Any) -> dict[str, Any]:
    about = {"environment": "live", "ref": "main"} | asked
    path = f"pipelines/{paper.pipeline.pk}/plan/"
    asked_for = api.post(path, about)
    assert asked_for.status_code == 202, asked_for.content
    told = api.get(f"{path}{asked_for.json()['key']}/")
    assert told.status_code == 200, told.content
    return dict(told.json())


def begun(api: Api, paper: Paper, **more: Any) -> Any:
    told = planned(api, paper)
    body = {
        "environment": "live",
        "ref": "main",
        "plan_hash": told["plan"]["hash"],
        "reason": "r",
    }
    return api.post(f"pipelines/{paper.pipeline.pk}/deploy/", body | more)


def test_from_a_plan_to_a_deploy(api: Api, paper: Paper, deployer: User) -> None:
    told = planned(api, paper)
    assert (told["state"], told["plan"]["commit"]) == ("answered", COMMIT)
    # The deployer sees no host: how many there are is all that is told.
    assert (told["plan"]["rows"], told["plan"]["hidden"], told["plan"]["blast"]) == (
        [],
        3,
        [],
    )
    assert not DeployRequest.objects.exists()
    answered = begun(api, paper)
    row = DeployRequest.objects.get()
    assert (answered.status_code, answered.json()["state"]) == (202, "waiting")
    assert (row.trigger, row.asked_by, row.by_token) == ("api", deployer, True)
    make(row.pk)
    seen = api.get(f"deploy-requests/{row.pk}/").json()
    deploy = Deploy.objects.get()
    assert (seen["state"], seen["deploy"]) == ("made", deploy.pk)
    assert seen["url"].endswith(deploy.get_absolute_url())
    assert (deploy.trigger, deploy.requested_by, deploy.reason) == (
        "api",
        deployer,
        "r",
    )
    status = api.get(f"deploys/{deploy.pk}/status/").json()
    assert status["ended"] is False
    assert "activate" in [one["kind"] for one in status["steps"]]
    assert status["hosts"] == []


def test_the_same_key_gives_the_same_request(api: Api, paper: Paper) -> None:
    told = planned(api, paper)
    body = {
        "environment": "live",
        "ref": "main",
        "plan_hash": told["plan"]["hash"],
        "reason": "r",
    }
    path = f"pipelines/{paper.pipeline.pk}/deploy/"
    header = {"Idempotency-Key": "k1"}
    first, second = (api.post(path, body, **header) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["id"] == second.json()["id"]
    other = api.post(path, body | {"reason": "other"}, **header)
    assert error_of(other, 409)["code"] == "idempotency_mismatch"
    assert DeployRequest.objects.count() == 1


def test_another_plan_than_the_one_seen_begins_nothing(api: Api, paper: Paper) -> None:
    begun(api, paper)
    paper.way(restart="something new")
    row = DeployRequest.objects.get()
    make(row.pk)
    seen = api.get(f"deploy-requests/{row.pk}/").json()
    assert (seen["state"], seen["code"], seen["deploy"]) == (
        "refused",
        "plan_changed",
        None,
    )
    assert not Deploy.objects.exists()


def test_a_token_that_was_revoked_meanwhile_begins_nothing(
    api: Api, paper: Paper, deployer: User
) -> None:
    begun(api, paper)
    deployer.api_tokens.all().delete()
    row = DeployRequest.objects.get()
    make(row.pk)
    row.refresh_from_db()
    assert (row.state, row.code) == ("refused", "token_gone")
    assert not Deploy.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"environment": "nowhere"},
        {"environment": "live", "ref": "--upload-pack=id"},
        {"environment": "live", "ref": ["main"]},
        {"environment": "live", "ref_kind": "ext"},
        {"environment": "live", "hosts": ["paper0"]},
        {"environment": "live", "hosts": "paper0"},
        {"environment": "live", "what": 1},
        {"environment": "live", "promote": "yes"},
        {"environment": "live", "ref_kind": "artefact", "ref": "99999"},
        {"environment": {"id": 1}},
        [],
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(
    api: Api, paper: Paper, body: Any
) -> None:
    answered = api.post(f"pipelines/{paper.pipeline.pk}/plan/", body)
    assert answered.status_code in (404, 422)
    assert answered.json()["error"]["message"]


@pytest.mark.parametrize("missing", ["plan_hash", "reason"])
def test_hash_and_reason_are_needed(api: Api, paper: Paper, missing: str) -> None:
    assert begun(api, paper, **{missing: " "}).status_code == 422
    assert not DeployRequest.objects.exists()


def test_tokens_with_limits_go_no_further(
    api: Api, paper: Paper, deployer: User
) -> None:
    path = f"pipelines/{paper.pipeline.pk}/plan/"
    about = {"environment": "live", "ref": "main"}
    assert Api(deployer, can_write=False).post(path, about).status_code == 403
    narrow = Api(
        deployer,
        permissions=[
            "delivery.view_pipeline",
            "delivery.add_deploy",
            "appconf.view_environment",
        ],
    )
    assert narrow.post(path, about).status_code == 403
    key = api.post(path, about).json()["key"]
    assert Api(deployer).get(f"{path}{key}/").status_code == 404
    assert Api(make_user("stranger")).post(path, about).status_code == 403
