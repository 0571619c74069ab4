"""REST of a deploy that is tried again: a successor by a worker, or the same deploy where it pauses; with a token's limits."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from delivery.engine.advance import advance
from delivery.models import Deploy, DeployLock, DeployRequest
from delivery.triggers.making import make
from tests.app_factories import grant_on
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.api_things import MAY, Api, api, deployer
from tests.factories import make_user
from tests.tasks.run_api.api_things import error_of

__all__ = ["api", "deployer"]
pytestmark = pytest.mark.django_db
CONTROLS = "delivery.control_deploy"


@pytest.fixture
def ended(paper: Paper, deployer: User) -> Deploy:
    """A deploy that ended badly: of three hosts one has the release."""
    grant_on(deployer, [CONTROLS], paper.pipeline.project)
    deploy = paper.ask(reason="release 1.4")
    Deploy.objects.filter(pk=deploy.pk).update(status="failed")
    DeployLock.objects.all().delete()
    deploy.hosts.update(status="failed")
    first = deploy.hosts.order_by("pk")[0]
    deploy.hosts.filter(pk=first.pk).update(status="ok")
    deploy.refresh_from_db()
    return deploy


def test_of_one_that_ended_a_worker_makes_a_successor_for_the_failed_hosts(
    api: Api, ended: Deploy
) -> None:
    answered = api.post(f"deploys/{ended.pk}/retry/", {"what": "failed"})
    row = DeployRequest.objects.get()
    assert (answered.status_code, answered.json()) == (
        202,
        {"deploy": None, "request": row.pk},
    )
    # Nothing was planned while the program waited.
    assert Deploy.objects.count() == 1
    make(row.pk)
    seen = api.get(f"deploy-requests/{row.pk}/").json()
    assert (seen["state"], seen["words"]) == ("made", "")
    again = Deploy.objects.get(pk=seen["deploy"])
    assert (again.retried_from, again.trigger, again.reason) == (
        ended,
        "api",
        "release 1.4",
    )
    bad = set(ended.hosts.exclude(status="ok").values_list("host", flat=True))
    assert set(again.hosts.values_list("host", flat=True)) == bad
    assert len(bad) == 2


def test_a_stage_means_all_hosts_and_the_same_key_the_same_request(
    api: Api, ended: Deploy
) -> None:
    path, body = f"deploys/{ended.pk}/retry/", {"what": "stage", "reason": "again"}
    header = {"Idempotency-Key": "k1"}
    first, second = (api.post(path, body, **header) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["request"] == second.json()["request"]
    row = DeployRequest.objects.get()
    assert (len(row.host_ids), row.reason) == (3, "again")


def test_what_changed_since_is_said_by_the_request(
    api: Api, ended: Deploy, paper: Paper
) -> None:
    api.post(f"deploys/{ended.pk}/retry/")
    paper.way(restart="something new")
    row = DeployRequest.objects.get()
    make(row.pk)
    row.refresh_from_db()
    assert (row.state, row.code) == ("refused", "plan_changed")
    assert Deploy.objects.count() == 1


def test_a_deploy_that_pauses_goes_on_itself_once_for_a_key(
    api: Api, paper: Paper, deployer: User
) -> None:
    grant_on(deployer, [CONTROLS], paper.pipeline.project)
    deploy = paper.ask()
    advance(deploy.pk)
    step = deploy.steps.order_by("position")[0]
    deploy.steps.filter(pk=step.pk).update(status="failed")
    Deploy.objects.filter(pk=deploy.pk).update(status="paused")
    path, header = f"deploys/{deploy.pk}/retry/", {"Idempotency-Key": "k2"}
    for _ in range(2):
        answered = api.post(path, {}, **header)
        assert (answered.status_code, answered.json()) == (
            200,
            {"deploy": deploy.pk, "request": None},
        )
    deploy.refresh_from_db()
    assert deploy.status == "running"
    assert not DeployRequest.objects.exists()
    assert error_of(api.post(path), 409)["code"] == "not_paused"


@pytest.mark.parametrize(
    ("body", "status"),
    [({"what": "all"}, 422), ({"what": 1}, 422), ({"hosts": []}, 422)],
)
def test_what_cannot_be_meant_is_refused(
    api: Api, ended: Deploy, body: Any, status: int
) -> None:
    assert error_of(api.post(f"deploys/{ended.pk}/retry/", body), status)
    assert not DeployRequest.objects.exists()


def test_one_that_went_well_is_not_tried_again(api: Api, ended: Deploy) -> None:
    Deploy.objects.update(status="ok")
    answered = api.post(f"deploys/{ended.pk}/retry/")
    assert error_of(answered, 409)["code"] == "all_well"
    assert not DeployRequest.objects.exists()


def test_without_the_permission_to_steer_nothing_is_tried_again(
    ended: Deploy, paper: Paper
) -> None:
    other = make_user("other")
    grant_on(other, MAY, paper.pipeline.project)
    assert Api(other).post(f"deploys/{ended.pk}/retry/").status_code == 403
    stranger = make_user("stranger", perms=[CONTROLS])
    assert Api(stranger).post(f"deploys/{ended.pk}/retry/").status_code in (403, 404)
    assert not DeployRequest.objects.exists()
