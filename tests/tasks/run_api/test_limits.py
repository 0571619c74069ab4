"""A token reaches what it is held to, as a person does on the page; and the same request starts one run."""

from __future__ import annotations

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tasks.models import RepeatedRequest, Run, WorkflowRun
from tests.factories import grant, make_host
from tests.tasks.run_api.api_things import Api, error_of
from tests.tasks.workflow_things import make_workflow

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "one-of-a-kind"}


def test_a_token_of_a_group_reaches_only_that(
    admin: User, host: Host, group: HostGroup, other_group: HostGroup
) -> None:
    make_host("db1", groups=[other_group])
    api = Api(admin, scope_ids={"cmdb.hostgroup": [group.pk]})
    assert (
        "hosts"
        in error_of(api.post(body={"command": "id", "hosts": ["db1"]}))["fields"]
    )
    assert not Run.objects.exists()
    assert api.post(body={"command": "id", "hosts": ["web1"]}).status_code == 201
    both = {"command": "id", "hosts": ["web1", "db1"]}
    whole = Run.objects.get(pk=Api(admin).post(body=both).json()["id"])
    # Of the other run it sees its own host only, and cannot stop it.
    told = api.get(f"{whole.pk}/").json()
    assert (told["host_count"], told["statuses"]) == (1, {"not_started": 1})
    rows = api.get(f"{whole.pk}/hosts/").json()["results"]
    assert [row["host_name"] for row in rows] == ["web1"]
    hidden = whole.hosts.get(host_name="db1").pk
    for name in (hidden, "db1"):
        assert api.get(f"{whole.pk}/output/", host=name).status_code == 404
    assert api.get(f"{whole.pk}/output/").status_code == 404
    news = api.post(f"{whole.pk}/follow/", {"hosts": {str(hidden): {}}, "whole": 0})
    assert news.json()["hosts"] == []
    assert api.post(f"{whole.pk}/cancel/").status_code == 403
    whole.refresh_from_db()
    assert whole.cancel_requested_at is None


def test_a_token_that_only_reads_follows_and_starts_nothing(
    admin: User, host: Host
) -> None:
    run = Api(admin).post(body={"command": "id", "hosts": ["web1"]}).json()["id"]
    api = Api(admin, can_write=False)
    assert api.post(f"{run}/follow/").status_code == 200
    for path in ("", f"{run}/cancel/", f"{run}/pause/", f"{run}/repeat/"):
        answer = api.post(path, {"command": "id", "hosts": ["web1"]})
        assert error_of(answer, 403)["code"] == "read_only_token"
    assert Run.objects.count() == 1


def test_who_may_not_start_runs_is_refused(operator: User, host: Host) -> None:
    limited = Api(operator, permissions=["tasks.view_run", "cmdb.view_host"])
    answer = limited.post(body={"command": "id", "hosts": ["web1"]})
    assert error_of(answer, 403)["code"] == "forbidden"
    refused = Api(operator).post(body={"command": "id", "hosts": ["web1"]})
    # The credential is not one that the operator may use.
    assert refused.status_code in {201, 403}


def test_a_request_that_is_sent_again_starts_nothing_more(
    api: Api, host: Host, admin: User
) -> None:
    body = {"command": "id", "hosts": ["web1"]}
    first = api.post(body=body, **KEY)
    again = api.post(body={"hosts": ["web1"], "command": "id"}, **KEY)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert again["Idempotent-Replayed"] == "true"
    other = api.post(body={**body, "command": "reboot"}, **KEY)
    assert error_of(other, 409)["code"] == "idempotency_mismatch"
    repeat = api.post(f"{first.json()['id']}/repeat/", **KEY)
    assert error_of(repeat, 409)["code"] == "idempotency_mismatch"
    assert Run.objects.count() == 1
    assert AuditEntry.objects.filter(verb="run.request").count() == 1
    # The key is this token's.
    assert Api(admin).post(body=body, **KEY).status_code == 201
    assert Run.objects.count() == 2
    row = RepeatedRequest.objects.earliest("pk")
    assert "one-of-a-kind" not in row.key_hash


def test_a_request_that_failed_may_be_sent_again_with_its_key(api: Api) -> None:
    body = {"command": "id", "hosts": ["web9"]}
    assert api.post(body=body, **KEY).status_code == 422
    assert not RepeatedRequest.objects.exists()
    make_host("web9")
    assert api.post(body=body, **KEY).status_code == 201


@pytest.mark.parametrize("key", ["x" * 201, "a\tb"])
def test_a_key_that_cannot_be_one_is_refused(api: Api, host: Host, key: str) -> None:
    answer = api.post(
        body={"command": "id", "hosts": ["web1"]}, **{"Idempotency-Key": key}
    )
    assert error_of(answer, 400)["code"] == "bad_idempotency_key"
    assert not Run.objects.exists()


def test_an_operator_of_another_group_does_not_see_the_run(
    admin: User, operator: User, other_group: HostGroup
) -> None:
    grant(operator, ["tasks.cancel_run", "tasks.control_run"])
    make_host("db1", groups=[other_group])
    run = Api(admin).post(body={"command": "id", "hosts": ["db1"]}).json()["id"]
    limited = Api(operator, scope_ids={"cmdb.hostgroup": [0]})
    for path in ("", "hosts/", "output/"):
        assert limited.get(f"{run}/{path}").status_code == 404
    for path in ("follow/", "cancel/", "pause/", "resume/", "repeat/"):
        assert limited.post(f"{run}/{path}").status_code == 404


def test_a_workflow_that_is_asked_for_again_starts_once(api: Api, admin: User) -> None:
    workflow = make_workflow(admin, {"a": {}})
    path = f"/api/v1/workflows/{workflow.pk}/start/"
    kind = {"content_type": "application/json", "headers": KEY}
    first = api.client.post(path, {"variables": {}}, **kind)
    again = api.client.post(path, {"variables": {}}, **kind)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again["Idempotent-Replayed"] == "true"
    assert first.json()["id"] == again.json()["id"]
    assert WorkflowRun.objects.count() == 1
