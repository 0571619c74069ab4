"""A program asks for a run by names; the page's own forms judge it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tasks.models import Run
from tests.factories import make_host
from tests.tasks.launch_things import make_module, make_template
from tests.tasks.module_things import make_module as made_of_text
from tests.tasks.run_api.api_things import SECRETIVE, Api, error_of

pytestmark = pytest.mark.django_db


def names_of(run: Run) -> list[str]:
    return sorted(run.hosts.values_list("host_name", flat=True))


def test_a_command_runs_on_hosts_and_groups_by_name(
    api: Api,
    host: Host,
    group: HostGroup,
    sent: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    make_host("web2", groups=[group])
    other = make_host("db1")
    body = {"command": "uptime", "hosts": ["db1", other.pk], "groups": ["web"]}
    with django_capture_on_commit_callbacks(execute=True):
        answer = api.post(body={**body, "forks": 3, "title": "look"})
    assert answer.status_code == 201, answer.content
    run = Run.objects.get()
    told = answer.json()
    assert (told["id"], told["status"], told["ended"]) == (run.pk, "queued", False)
    assert told["statuses"] == {"not_started": 3}
    assert told["url"] == f"http://testserver{run.get_absolute_url()}"
    assert (run.command, run.forks, run.title) == ("uptime", 3, "look")
    assert names_of(run) == ["db1", "web1", "web2"]
    assert sent == [run.pk]
    assert AuditEntry.objects.filter(verb="run.request", target_id=run.pk).exists()
    one = api.get(f"{run.pk}/")
    assert (one.status_code, one.json()["host_count"]) == (200, 3)
    assert api.get("").json()["results"][0]["id"] == run.pk


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"command": "id", "hosts": ["nobody"]}, "hosts"),
        ({"command": "id"}, "hosts"),
        ({"command": "", "hosts": ["web1"]}, "command"),
        ({"command": "id", "hosts": ["web1"], "batches": "x"}, "batches"),
        ({"comand": "id", "hosts": ["web1"]}, "comand"),
        ({"command": {"a": 1}, "hosts": ["web1"]}, "command"),
        ({"command": "id", "hosts": ["web1"], "dry_run": "yes"}, "dry_run"),
        ({"command": "id", "hosts": ["web1"], "values": {}}, "values"),
        ({"kind": "playbook", "playbook": "none", "hosts": ["web1"]}, "playbook"),
        (
            {"kind": "module", "module": "ping", "variables": {"ansible_host": "x"}},
            "variables",
        ),
        ({"task_module": "no such", "hosts": ["web1"]}, "task_module"),
    ],
)
def test_what_cannot_run_is_refused_by_field(
    api: Api, host: Host, body: dict[str, Any], field: str
) -> None:
    assert field in error_of(api.post(body=body))["fields"]
    assert not Run.objects.exists()


@pytest.mark.parametrize("body", [[], "x", 3])
def test_a_body_that_is_no_object_is_refused(api: Api, body: Any) -> None:
    import json  # noqa: PLC0415 - the client would leave out an empty body

    answer = api.client.post(
        "/api/v1/runs/", json.dumps(body), content_type="application/json"
    )
    assert error_of(answer)["message"] == "Send one JSON object."


def test_a_dry_run_says_what_would_happen_and_starts_nothing(
    api: Api, host: Host, settings: Any
) -> None:
    settings.RUN_CRITICAL_FIELDS = ["criticality=high"]
    make_host("core1", custom={"criticality": "high"})
    body = {"command": "id", "hosts": ["web1", "core1"], "dry_run": True}
    told = api.post(body=body).json()
    assert (told["host_count"], told["critical"]) == (2, 1)
    assert (told["batches"], told["batch_sizes"]) == ("1 10% 50%", [1, 1])
    rows = {row["name"]: row for row in told["hosts"]}
    assert rows["core1"]["critical"] == "criticality: high"
    assert "It has no credential to sign in with." in rows["core1"]["obstacles"]
    assert not Run.objects.exists()


def test_critical_hosts_go_in_batches_unless_the_program_says_otherwise(
    api: Api, settings: Any
) -> None:
    settings.RUN_CRITICAL_FIELDS = ["criticality=high"]
    for name in ("core1", "core2", "core3"):
        make_host(name, custom={"criticality": "high"})
    body = {"command": "id", "hosts": ["core1", "core2", "core3"]}
    assert api.post(body=body).json()["batches"] == "1 10% 50%"
    assert api.post(body={**body, "batches": "2"}).json()["batches"] == "2"
    without = api.post(body={**body, "without_batches": True}).json()
    assert (without["batches"], without["batch_count"]) == ("", 1)
    one = api.post(body={"command": "id", "hosts": ["core1"]})
    assert one.json()["batches"] == ""


def test_a_template_runs_with_what_it_leaves_open(
    api: Api, admin: User, host: Host
) -> None:
    template = make_template(host, admin, name="deploy", ask=["forks"])
    answer = api.post(body={"template": "deploy", "values": {"forks": 7}})
    assert answer.status_code == 201, answer.content
    run = Run.objects.get()
    assert (run.command, run.forks, names_of(run)) == ("uptime", 7, ["web1"])
    assert AuditEntry.objects.filter(verb="template.launch", actor=admin).exists()
    for values in ({"command": "id"}, {"hosts": ["web1"]}, {"nothing": 1}):
        refused = api.post(body={"template": template.pk, "values": values})
        assert next(iter(values)) in error_of(refused)["fields"]
    beside = api.post(body={"template": "deploy", "forks": 7})
    assert "forks" in error_of(beside)["fields"]
    assert error_of(api.post(body={"template": "none"}), 404)
    assert Run.objects.count() == 1


def test_a_template_keeps_its_own_answers_beside_those_that_are_given(
    api: Api, admin: User, host: Host
) -> None:
    module = make_module({"name": "word"}, {"name": "other"}, run="echo {word} {other}")
    fields = {"kind": "task_module", "task_module": module, "command": ""}
    own = {"word": "hello", "other": "world"}
    make_template(host, admin, name="m", ask=["answers"], answers=own, **fields)
    answer = api.post(body={"template": "m", "values": {"answers": {"other": "all"}}})
    assert answer.status_code == 201, answer.content
    assert Run.objects.get().command == "echo hello all"


def test_a_task_module_runs_with_answers_and_keeps_secrets(
    api: Api, host: Host
) -> None:
    module = make_module({"name": "word"}, run="echo {word}")
    body = {"task_module": module.name, "hosts": ["web1"]}
    answer = api.post(body={**body, "answers": {"word": "a b; c"}})
    assert answer.status_code == 201, answer.content
    assert Run.objects.get().command == "echo 'a b; c'"
    missing = api.post(body=body)
    assert "answers" in error_of(missing)["fields"]
    made = made_of_text(SECRETIVE)
    kept = {"task_module": made.name, "hosts": ["web1"]}
    told = api.post(body={**kept, "secret_answers": {"pw": "hunter2hunter2"}})
    assert told.status_code == 201, told.content
    run = Run.objects.latest("pk")
    assert run.sealed.reveal() == '{"pw": "hunter2hunter2"}'
    assert b"hunter2" not in told.content
    assert b"hunter2" not in api.get(f"{run.pk}/").content
