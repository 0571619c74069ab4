"""The pages of workflows: making, starting, watching, steering; and who may."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from cmdb.models import Host, HostGroup
from tasks import tasks
from tasks.models import Run, Workflow, WorkflowRun
from tasks.workflows import calls, engine
from tests.factories import make_host
from tests.tasks.workflow_things import begin, end, make_rule, make_workflow, stands

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
HOSTILE = "<script>alert(1)</script>\u202e'\"><img src=x>"


@pytest.fixture(autouse=True)
def called(monkeypatch: Any) -> list[int]:
    """The runs of workflows for which a worker was called."""
    pks: list[int] = []
    monkeypatch.setattr(calls, "advance_workflow", SimpleNamespace(delay=pks.append))
    monkeypatch.setattr(tasks, "run_run", SimpleNamespace(delay=pks.append))
    return pks


@pytest.fixture
def host(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], address="192.0.2.1")


def add(client: Client, workflow: Workflow, does: str, **values: Any) -> Any:
    url = reverse("tasks:workflow_step_add", args=[workflow.pk])
    values = {"join": "all", "hosts_which": "failed"} | values
    return client.post(f"{url}?does={does}", values)


def work(host: Host, **more: Any) -> dict[str, Any]:
    fields = {
        "kind": "command",
        "command": "uptime",
        "hosts": [host.pk],
        "language": "sh",
    }
    fields |= {
        "forks": 5,
        "timeout_seconds": 60,
        "pause_after": "never",
        "together": "allow",
    }
    return fields | more


def test_a_workflow_is_built_on_the_pages(
    client_of: Signed, admin: User, host: Host
) -> None:
    client = client_of(admin)
    made = client.post(
        "/tasks/workflows/add/",
        {"name": "Release", "variables": "tag = 1.0", "enabled": "on"},
    )
    workflow = Workflow.objects.get()
    assert made.status_code == 302
    assert (workflow.owner, workflow.variables) == (admin, {"tag": "1.0"})
    rule = make_rule(automatic=False)
    for answer in (
        add(client, workflow, "work", key="stop", title="Stop", **work(host)),
        add(
            client,
            workflow,
            "approval",
            key="ask",
            title="Ask",
            rule=rule.pk,
            after_stop="success",
        ),
        add(
            client,
            workflow,
            "wait",
            key="rest",
            title="Rest",
            wait_seconds=5,
            wait_zone="UTC",
            after_ask="success",
        ),
        add(
            client,
            workflow,
            "web_hook",
            key="tell",
            title="Tell",
            hook_url="https://example.com/secret-part",
            hook_body='{"t": "${vars.tag}"}',
            hook_tries=2,
            after_rest="always",
        ),
    ):
        assert answer.status_code == 302, answer.context["form"].errors
    workflow.refresh_from_db()
    assert workflow.version == 5
    assert workflow.edges.count() == 3
    text = client.get(f"{workflow.get_absolute_url()}?tab=steps").content.decode()
    assert text.count('class="wf-box"') == 4
    assert "secret-part" not in text
    step = workflow.steps.get(key="tell")
    page = client.get(
        reverse("tasks:workflowstep_edit", args=[step.pk])
    ).content.decode()
    assert "secret-part" not in page
    # Left empty, the address stays as it is.
    client.post(
        reverse("tasks:workflowstep_edit", args=[step.pk]),
        {
            "key": "tell",
            "title": "Say",
            "join": "any",
            "hook_body": "{}",
            "hook_tries": 1,
            "after_rest": "always",
        },
    )
    step.refresh_from_db()
    assert (step.title, step.hook_url.reveal()) == (
        "Say",
        "https://example.com/secret-part",
    )


def test_what_can_never_run_is_refused_with_a_sentence(
    client_of: Signed, admin: User, host: Host
) -> None:
    workflow = make_workflow(
        admin, {"a": {"hosts": [host]}, "b": {"hosts": [host]}}, ("a>b",)
    )
    client = client_of(admin)
    edit = reverse("tasks:workflowstep_edit", args=[workflow.steps.get(key="a").pk])
    values = work(host, key="a", title="A", join="all", hosts_which="failed")
    answer = client.post(edit, values | {"after_b": "success"})
    assert answer.status_code == 422
    assert "wait for each other in a circle: a, b" in answer.content.decode()
    assert workflow.edges.count() == 1
    answer = client.post(edit, values | {"command": "echo ${steps.b.path}"})
    assert "could take it for a command" in answer.content.decode()
    answer = add(client, workflow, "work", **work(host, key="a", title="twice"))
    assert "Another step has this key." in answer.content.decode()
    answer = add(
        client,
        workflow,
        "work",
        **work(
            host,
            key="c",
            title="C",
            kind="script",
            script_text="x",
            script_arguments="${steps.a.x}",
        ),
    )
    assert "does not come before it" in answer.content.decode()
    assert workflow.steps.count() == 2


def test_a_step_that_others_need_is_not_deleted(
    client_of: Signed, admin: User, host: Host
) -> None:
    workflow = make_workflow(
        admin, {"a": {"hosts": [host]}, "b": {"hosts_from": "a"}}, ("a!b",)
    )
    client = client_of(admin)
    url = reverse("tasks:workflowstep_delete", args=[workflow.steps.get(key="a").pk])
    text = client.post(url, follow=True).content.decode()
    assert "takes its hosts from a" in text
    assert workflow.steps.count() == 2
    client.post(
        reverse("tasks:workflowstep_delete", args=[workflow.steps.get(key="b").pk])
    )
    assert workflow.steps.count() == 1


def test_a_start_shows_what_comes_and_takes_variables(
    client_of: Signed,
    admin: User,
    host: Host,
    called: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    workflow = make_workflow(
        admin, {"a": {"hosts": [host], "title": HOSTILE}}, variables={"tag": "1"}
    )
    client = client_of(admin)
    url = reverse("tasks:workflow_start", args=[workflow.pk])
    assert "<script>alert" not in client.get(url).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(url, {"var_tag": "2"})
    run = WorkflowRun.objects.get()
    assert answer["Location"] == run.get_absolute_url()
    assert run.variables == {"tag": "2"}
    assert called == [run.pk]
    assert not Run.objects.exists()


def test_a_run_is_watched_and_steered(
    client_of: Signed, admin: User, host: Host
) -> None:
    at = {"hosts": [host], "title": HOSTILE}
    run = begin(admin, make_workflow(admin, {"a": at, "b": at}, ("a>b",), name=HOSTILE))
    client = client_of(admin)
    text = client.get(run.get_absolute_url()).content.decode()
    assert 'hx-trigger="every 2s"' in text
    assert "<script>alert" not in text
    assert "\u202e" not in text.split('<svg class="wf-drawing"')[1].split("</svg>")[0]
    end(run, "a", ok=False)
    part = client.get(
        run.get_absolute_url(), headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in part
    assert "every 2s" not in part
    assert reverse("tasks:workflowrun_resume", args=[run.pk]) in part
    skip = reverse("tasks:workflowrun_skip", args=[run.pk, "a"])
    assert client.get(skip).status_code == 200
    assert client.post(skip, {"reason": ""}).status_code == 422
    assert client.post(skip, {"reason": "by hand"}).status_code == 302
    engine.advance(run.pk)
    assert stands(run) == {"a": "skipped", "b": "running"}
    client.post(reverse("tasks:workflowrun_cancel", args=[run.pk]))
    engine.advance(run.pk)
    client.post(reverse("tasks:workflowrun_resume", args=[run.pk]))
    engine.advance(run.pk)
    end(run, "b", ok=False)
    client.post(reverse("tasks:workflowrun_retry", args=[run.pk, "b"]))
    engine.advance(run.pk)
    assert stands(run)["b"] == "running"
    assert run.steps.get(key="b").attempt == 3
