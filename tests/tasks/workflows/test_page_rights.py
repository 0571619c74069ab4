"""The pages of workflows: who sees and may do what, and what many steps cost."""

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
from tasks.workflows import calls
from tests.factories import make_host, make_user
from tests.tasks.workflow_things import begin, end, make_workflow

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


def test_a_stranger_sees_nothing_and_a_reader_changes_nothing(
    client_of: Signed, admin: User, host: Host, group: HostGroup, other_group: HostGroup
) -> None:
    workflow = make_workflow(admin, {"a": {"hosts": [host]}})
    run = begin(admin, workflow)
    perms = [
        "tasks.view_workflow",
        "tasks.view_workflowrun",
        "tasks.change_workflow",
        "tasks.cancel_workflowrun",
    ]
    elsewhere = client_of(make_user(perms=perms, groups=[other_group]))
    here = client_of(make_user(perms=perms[:2], groups=[group]))
    step = workflow.steps.get()
    pages = [workflow.get_absolute_url(), run.get_absolute_url()]
    writes = [
        reverse("tasks:workflowstep_delete", args=[step.pk]),
        reverse("tasks:workflowrun_cancel", args=[run.pk]),
    ]
    for page in pages:
        assert elsewhere.get(page).status_code == 404
        assert here.get(page).status_code == 200
    for page in writes:
        assert elsewhere.post(page).status_code == 404
        assert here.post(page).status_code == 403
    assert workflow.steps.exists()
    run.refresh_from_db()
    assert run.cancel_requested_at is None


def test_values_of_a_run_that_one_may_not_see_are_not_shown(
    client_of: Signed, admin: User, host: Host, group: HostGroup
) -> None:
    run = begin(admin, make_workflow(admin, {"a": {"hosts": [host]}}))
    end(run, "a")
    run.steps.update(values={"path": "told-by-the-host"})
    reader = make_user(
        perms=["tasks.view_workflow", "tasks.view_workflowrun"], groups=[group]
    )
    assert (
        "told-by-the-host"
        not in client_of(reader).get(run.get_absolute_url()).content.decode()
    )
    assert (
        "told-by-the-host"
        in client_of(admin).get(run.get_absolute_url()).content.decode()
    )


def test_a_page_with_many_steps_asks_little(
    client_of: Signed, admin: User, host: Host, django_assert_max_num_queries: Any
) -> None:
    steps = {f"s{n}": {"hosts": [host]} for n in range(60)}
    run = begin(
        admin, make_workflow(admin, steps, tuple(f"s{n}>s{n + 1}" for n in range(59)))
    )
    client = client_of(admin)
    client.get(run.get_absolute_url())
    with django_assert_max_num_queries(25):
        client.get(run.get_absolute_url())
    with django_assert_max_num_queries(30):
        client.get(f"{run.workflow.get_absolute_url()}?tab=steps")


def test_the_lists_and_tabs_open(client_of: Signed, admin: User, host: Host) -> None:
    run = begin(admin, make_workflow(admin, {"a": {"hosts": [host]}}))
    client = client_of(admin)
    for page in (
        "/tasks/workflows/",
        "/tasks/workflow-runs/",
        f"{run.workflow.get_absolute_url()}?tab=runs",
        run.workflow.get_absolute_url(),
        "/tasks/workflows/from-file/",
    ):
        assert client.get(page).status_code == 200, page
