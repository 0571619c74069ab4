"""REST of configuration on hosts: who may push what where, once for a key; and a token does no more than it may."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import ApiToken, User
from delivery.configs import preparing
from delivery.configs.planning import make_plan
from delivery.models import ConfigPush
from tasks.models import Calendar, Run
from tests.app_factories import grant_on, make_environment, make_project
from tests.appconf.config_things import make_file
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.api_things import Api
from tests.factories import make_user
from tests.tasks.run_api.api_things import error_of

pytestmark = pytest.mark.django_db
MAY = (
    "appconf.view_environment",
    "appconf.deploy_environment",
    "appconf.view_configfile",
    "delivery.view_configpush",
)
WHY = "the shop is down for everybody"


@pytest.fixture
def place(paper: Paper) -> Paper:
    """An environment with two files."""
    for path in ("/etc/a.conf", "/etc/b.conf"):
        make_file(paper.user, paper.pipeline.project, "a\n", path)
    return paper


@pytest.fixture
def deployer(place: Paper) -> User:
    made = make_user("deployer")
    grant_on(made, MAY, place.pipeline.project)
    return made


@pytest.fixture
def api(deployer: User) -> Api:
    return Api(deployer)


def path(place: Paper, act: str = "push") -> str:
    return f"environments/{place.environment.pk}/config-{act}/"


def test_a_push_is_begun_and_looked_at(api: Api, place: Paper) -> None:
    told = api.post(path(place), {"reason": "new limits"})
    assert told.status_code == 202, told.content
    push = ConfigPush.objects.get()
    assert told.json() == {
        "id": push.pk,
        "environment": place.environment.pk,
        "kind": "push",
        "status": "running",
        "reason": "new limits",
        "url": f"http://testserver/delivery/config-pushes/{push.pk}/",
    }
    assert push.run is not None
    assert (push.hosts.count(), push.by_token) == (3, True)
    row = api.get(f"config-pushes/{push.pk}/").json()
    assert (row["status"], len(row["files"])) == ("running", 2)
    stopped = api.post(f"config-pushes/{push.pk}/cancel/")
    assert stopped.status_code == 200, stopped.content
    push.run.refresh_from_db()
    assert push.run.cancel_requested_at is not None


def test_files_and_hosts_are_chosen_by_name(place: Paper) -> None:
    api = Api(place.user)
    body = {"reason": "one", "files": ["/etc/a.conf"], "hosts": ["paper1"]}
    assert api.post(path(place), body).status_code == 202
    push = ConfigPush.objects.get()
    assert [one["path"] for one in push.files] == ["/etc/a.conf"]
    assert [row.host_name for row in push.hosts.all()] == ["paper1"]
    for name, value in (
        ("files", ["c.conf"]),
        ("files", "a.conf"),
        ("hosts", ["elsewhere"]),
        ("reason", " "),
        ("reason", None),
        ("plan_hash", 3),
        ("all", True),
    ):
        refused = error_of(api.post(path(place), {**body, name: value}))
        assert name in refused["fields"], (name, value)
    assert ConfigPush.objects.count() == 1


def test_a_host_that_may_not_be_seen_is_none_for_a_program(
    api: Api, place: Paper
) -> None:
    refused = api.post(path(place), {"reason": "one", "hosts": ["paper1"]})
    assert "hosts" in error_of(refused)["fields"]
    assert not ConfigPush.objects.exists()


def test_only_the_plan_that_was_seen_is_pushed_where_its_hash_is_named(
    api: Api, place: Paper
) -> None:
    body = {"reason": "as seen", "plan_hash": "0" * 64}
    assert error_of(api.post(path(place), body), 409)["code"] == "stale"
    assert not Run.objects.exists()
    planned = api.post(path(place, "plan"))
    assert planned.status_code == 200, planned.content
    plan = planned.json()
    assert plan["hash"] == make_plan(place.user, place.environment).hash
    assert (plan["hosts"], plan["hidden"], plan["closed"]) == ([], 3, "")
    assert not ConfigPush.objects.exists()
    body["plan_hash"] = plan["hash"]
    assert api.post(path(place), body).status_code == 202


def test_a_plan_tells_host_by_host_what_would_become_of_the_files(
    place: Paper,
) -> None:
    times = "mon-sun # peak season"
    place.way(freezes=Calendar.objects.create(name="always", times=times))
    body = {"files": ["/etc/a.conf"], "hosts": ["paper1"]}
    plan = Api(place.user).post(path(place, "plan"), body).json()
    assert [one["path"] for one in plan["files"]] == ["/etc/a.conf"]
    (row,) = plan["hosts"]
    assert row["host_name"] == "paper1"
    assert row["files"] == {"/etc/a.conf": "not read yet"}
    assert "peak season" in plan["closed"]
    assert not ConfigPush.objects.exists()


def test_the_same_key_pushes_once(api: Api, place: Paper) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = api.post(path(place), {"reason": "once"}, **key)
    ConfigPush.objects.update(status="ok")
    again = api.post(path(place), {"reason": "once"}, **key)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    assert ConfigPush.objects.count() == 1
    other = api.post(path(place), {"reason": "other"}, **key)
    assert error_of(other, 409)["code"] == "idempotency_mismatch"


def test_in_a_freeze_a_program_needs_the_emergency_too(api: Api, place: Paper) -> None:
    times = "mon-sun # peak season"
    place.way(freezes=Calendar.objects.create(name="always", times=times))
    assert error_of(api.post(path(place), {"reason": "go"}), 409)["code"] == "closed"
    body = {"reason": "go", "emergency_reason": WHY}
    assert api.post(path(place), body).status_code == 403
    assert not ConfigPush.objects.exists()
    assert api.post(path(place, "read")).status_code == 202
    ConfigPush.objects.update(status="ok")
    assert Api(place.user).post(path(place), body).status_code == 202
    assert ConfigPush.objects.get(kind="push").emergency_reason == WHY


def test_who_may_not_deploy_there_pushes_and_reads_nothing(
    deployer: User, place: Paper
) -> None:
    elsewhere = make_environment(make_project("elsewhere"), "live")
    looker = make_user("looker", perms=["appconf.view_environment"])
    reader = Api(deployer, can_write=False)
    limited = Api(deployer, permissions=["appconf.view_environment"])
    for act in ("push", "read", "plan"):
        body = {"reason": "go"} if act == "push" else {}
        assert Api(looker).post(path(place, act), body).status_code == 403
        assert reader.post(path(place, act), body).status_code == 403
        assert limited.post(path(place, act), body).status_code == 403
        strange = f"environments/{elsewhere.pk}/config-{act}/"
        assert Api(deployer).post(strange, body).status_code == 404
    assert not ConfigPush.objects.exists()


def test_a_token_that_is_gone_has_nothing_filled_in_by_a_worker(
    api: Api, place: Paper, settings: Any
) -> None:
    settings.CONFIG_PUSH_AT_ONCE = 0
    assert api.post(path(place), {"reason": "many"}).status_code == 202
    push = ConfigPush.objects.get()
    ApiToken.objects.all().delete()
    preparing.prepare(push.pk)
    push.refresh_from_db()
    assert push.status == "failed"
    assert "token" in push.explanation
    assert not Run.objects.exists()
    fresh = Api(place.user)
    assert fresh.post(path(place), {"reason": "many"}).status_code == 202
    latest = ConfigPush.objects.latest("pk")
    preparing.prepare(latest.pk)
    latest.refresh_from_db()
    assert latest.run is not None


def test_what_changed_before_the_worker_came_ends_a_push_without_a_hash(
    api: Api, place: Paper, settings: Any
) -> None:
    settings.CONFIG_PUSH_AT_ONCE = 0
    assert api.post(path(place), {"reason": "many"}).status_code == 202
    make_file(place.user, place.pipeline.project, "c\n", "/etc/c.conf")
    file = place.pipeline.project.config_files.get(path="/etc/a.conf")
    file.versions.update(status="refused")
    push = ConfigPush.objects.get()
    preparing.prepare(push.pk)
    push.refresh_from_db()
    assert push.status == "failed"
    assert not Run.objects.exists()
