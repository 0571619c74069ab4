"""A workflow as YAML and as JSON; started and followed by a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.test import Client

from accounts.models import User
from adminset.errors import Conflict, DomainError, Forbidden
from cmdb.models import Host, HostGroup
from tasks.models import Playbook, Workflow, WorkflowRun
from tasks.workflows import engine, files, starts
from tests.factories import make_host, make_user
from tests.tasks.workflow_things import begin, end, make_rule, make_workflow, stands

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
API = "/api/v1"

TEXT = """
name: Release
variables: {tag: "1.0"}
steps:
  - {key: tell, does: web_hook, hook_url: "https://example.com/x", hook_body: {t: "${vars.tag}"}, after: {mend: always}}
  - {key: stop, title: Stop it, kind: command, command: systemctl stop web, hosts: [web1], groups: [web]}
  - {key: mend, kind: command, command: "true", hosts_from: stop, hosts_which: failed, after: {ask: success}, forks: 3}
  - {key: ask, does: approval, rule: two eyes, after: {stop: failure}}
"""


@pytest.fixture
def host(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], address="192.0.2.1")


@pytest.fixture
def taken(admin: User, host: Host) -> Workflow:
    make_rule(name="two eyes", automatic=False)
    return files.take_text(actor=admin, text=TEXT)


def test_a_file_becomes_a_workflow_and_a_file_again(
    taken: Workflow, admin: User
) -> None:
    assert list(taken.steps.values_list("key", flat=True)) == [
        "stop",
        "ask",
        "mend",
        "tell",
    ]
    assert taken.edges.count() == 3
    assert taken.steps.get(key="mend").forks == 3
    text = files.as_text(taken)
    assert "example.com" not in text
    again = yaml.safe_load(text)
    assert again["steps"][0] == {
        "key": "stop",
        "title": "Stop it",
        "does": "work",
        "command": "systemctl stop web",
        "hosts": ["web1"],
        "groups": ["web"],
        "kind": "command",
    }
    # The web-hook's address is not in the file, and stays.
    replaced = files.take_text(actor=admin, text=text, replace=True)
    assert replaced.pk == taken.pk
    assert replaced.steps.get(key="tell").hook_url.reveal() == "https://example.com/x"
    assert yaml.safe_load(files.as_text(replaced)) == again


def test_a_name_that_is_taken_is_not_replaced_by_the_way(
    taken: Workflow, admin: User
) -> None:
    with pytest.raises(Conflict):
        files.take_text(actor=admin, text=TEXT)
    reader = make_user(perms=["tasks.view_workflow"])
    with pytest.raises(Forbidden):
        files.take_text(actor=reader, text=TEXT, replace=True)
    assert taken.steps.count() == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a", "A workflow has"),
        ("name: x\nsteps: {}\nother: 1", "A workflow has"),
        ("name: x\nsteps: [1]", "list of steps"),
        ("name: x\nsteps: [{key: a, does: fly}]", "Step 1 is not right"),
        ("name: x\nsteps: [{key: a, after: {b: success}}]", "which is not there"),
        (
            "name: x\nsteps: [{key: a, does: wait, wait_seconds: 1, after: {a: success}}]",
            "circle",
        ),
        ("name: x\nsteps: [{key: a, kind: command, command: id}]", "The step a: hosts"),
        (
            "name: x\nsteps: [{key: a, does: wait, wait_seconds: 1, command: id}]",
            "There is no such field",
        ),
        (
            "name: x\nsteps: [{key: a, does: wait, wait_seconds: 1}, {key: a, does: wait, wait_seconds: 1}]",
            "Another step has this key",
        ),
        ("a: !!python/object/apply:os.system [id]", "no YAML"),
        ("a: [", "no YAML"),
        ("name: x\nvariables: {a: &a [1], b: *a}", "aliases are not taken"),
        ("a0: &a {x: 1}\na1: {<<: [*a, *a]}", "aliases are not taken"),
        (f"name: {'1:' * 30}1", "number is too long"),
        ("name: 2026-13-45", "no YAML"),
    ],
)
def test_a_bad_file_leaves_nothing_behind(admin: User, text: str, words: str) -> None:
    with pytest.raises(DomainError, match=words):
        files.take_text(actor=admin, text=text)
    assert not Workflow.objects.exists()


def test_a_file_names_only_what_its_author_may_use(
    host: Host, group: HostGroup
) -> None:
    person = make_user(
        perms=["tasks.add_workflow", "tasks.view_workflow", "cmdb.view_host"]
    )
    with pytest.raises(DomainError, match="hosts"):
        files.take_text(
            actor=person,
            text="name: x\nsteps: [{key: a, kind: command, command: id, hosts: [web1]}]",
        )
    Playbook.objects.create(name="secret-one", content="- hosts: all")
    with pytest.raises(DomainError, match="playbook"):
        files.take_text(
            actor=person,
            text="name: x\nsteps: [{key: a, kind: playbook, playbook: secret-one, hosts: [web1]}]",
        )
    assert not Workflow.objects.exists()


def test_a_program_starts_follows_cancels_and_resumes(
    client_of: Signed, admin: User, host: Host
) -> None:
    workflow = make_workflow(
        admin,
        {"a": {"hosts": [host]}, "b": {"hosts": [host]}},
        ("a>b",),
        variables={"tag": "1"},
    )
    client = client_of(admin)
    assert client.get(f"{API}/workflows/").json()["results"][0]["name"] == workflow.name
    answer = client.post(
        f"{API}/workflows/{workflow.pk}/start/",
        {"variables": {"tag": "2"}},
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.content
    told = answer.json()
    run = WorkflowRun.objects.get(pk=told["id"])
    assert (told["status"], told["ended"], told["variables"]) == (
        "running",
        False,
        {"tag": "2"},
    )
    engine.advance(run.pk)
    end(run, "a", ok=False)
    told = client.get(f"{API}/workflow-runs/{run.pk}/steps/").json()
    assert (told["status"], told["ended"]) == ("failed", True)
    assert [step["status"] for step in told["steps"]] == ["failed", "skipped"]
    assert told["steps"][0]["values"]["failed_hosts"] == ["web1"]
    assert client.post(f"{API}/workflow-runs/{run.pk}/resume/").status_code == 200
    engine.advance(run.pk)
    assert client.post(f"{API}/workflow-runs/{run.pk}/cancel/").status_code == 200
    engine.advance(run.pk)
    assert stands(run)["a"] == "cancelled"
    assert client.get(f"{API}/workflow-runs/{run.pk}/").json()["status"] == "cancelled"


def test_a_definition_is_read_and_put(
    client_of: Signed, admin: User, taken: Workflow
) -> None:
    client = client_of(admin)
    url = f"{API}/workflows/{taken.pk}/definition/"
    data = client.get(url).json()
    data["steps"][0]["command"] = "reboot"
    answer = client.put(url, data, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert taken.steps.get(key="stop").command == "reboot"
    data["steps"][0]["after"] = {"tell": "success"}
    answer = client.put(url, data, content_type="application/json")
    assert answer.status_code == 422
    assert "circle" in answer.json()["error"]["message"]


def test_a_token_with_limits_starts_nothing(admin: User, host: Host) -> None:
    class Limited:
        is_unlimited = False

    admin.token = Limited()  # type: ignore[attr-defined]
    with pytest.raises(Forbidden, match="token with limits"):
        starts.start_workflow(
            actor=admin, workflow=make_workflow(admin, {"a": {"hosts": [host]}})
        )
    assert not WorkflowRun.objects.exists()


def test_values_are_hidden_from_a_program_that_may_not_see_the_run(
    client_of: Signed, admin: User, host: Host, group: HostGroup
) -> None:
    run = begin(admin, make_workflow(admin, {"a": {"hosts": [host]}}))
    end(run, "a")
    reader = make_user(
        perms=["tasks.view_workflow", "tasks.view_workflowrun"], groups=[group]
    )
    told: dict[str, Any] = (
        client_of(reader).get(f"{API}/workflow-runs/{run.pk}/steps/").json()
    )
    assert told["steps"][0]["values"] == {}
