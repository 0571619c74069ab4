"""A message starts only what the web-hook's owner vouched for; what others changed since turns it off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host
from tasks.library import contents
from tasks.library.writing import add_version
from tasks.models import (
    InHook,
    InHookDelivery,
    Run,
    Template,
    Workflow,
    WorkflowRun,
    WorkflowStepRun,
)
from tasks.services.vouching import vouch
from tasks.workflows import engine
from tasks.workflows.files import as_data, take
from tests.factories import make_user
from tests.tasks.hooks.hook_things import call, make_hook
from tests.tasks.launch_things import make_template
from tests.tasks.library_things import make_playbook
from tests.tasks.workflow_things import make_workflow

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
MESSAGE: dict[str, Any] = {}


def vouched(owner: User, **fields: Any) -> InHook:
    """Make a web-hook as if its owner had saved it."""
    made = make_hook(owner, **fields)
    vouch(made)
    return made


@pytest.fixture
def template(admin: User, host: Host) -> Template:
    """A command on a host."""
    return make_template(host, admin)


@pytest.fixture
def workflow(admin: User, template: Template) -> Workflow:
    """One step with a template."""
    steps = {"deploy": {"does": "template", "template": template}}
    return make_workflow(admin, steps)


def assert_nothing_starts(hook: InHook, what: str) -> None:
    """Send a message: it starts nothing, and the web-hook turns itself off and says why."""
    answer = call(hook, {**MESSAGE, "again": True})
    assert (answer.status_code, answer.json()["verdict"]) == (422, "refused")
    assert not Run.objects.exists()
    assert not WorkflowRun.objects.exists()
    hook.refresh_from_db()
    assert (hook.active, what in hook.notice) == (False, True)
    assert InHookDelivery.objects.latest("pk").words == hook.notice
    line = AuditEntry.objects.get(verb="inhook.update")
    assert (line.actor_name, line.reason) == ("web-hook in", hook.notice)
    assert [each["field"] for each in line.changes] == ["active", "notice"]
    assert call(hook, {}).status_code == 404


def test_a_template_that_somebody_else_changed_does_not_start(
    admin: User, template: Template, client_of: Signed
) -> None:
    hook = vouched(admin, template=template)
    other = User.objects.create_superuser("other", "a long enough secret")
    values = {"command": "rm -r /srv"}
    path = f"/api/v1/templates/{template.pk}/"
    sent = client_of(other).patch(path, values, content_type="application/json")
    assert sent.status_code == 200, sent.content
    assert_nothing_starts(hook, f"template {template}")
    page = client_of(admin).get(hook.get_absolute_url()).content.decode()
    assert f"template {template}" in page


def test_what_its_owner_changed_starts(
    admin: User, template: Template, client_of: Signed
) -> None:
    hook = vouched(admin, template=template)
    path = f"/api/v1/templates/{template.pk}/"
    values = {"command": "uptime -s"}
    client_of(admin).patch(path, values, content_type="application/json")
    assert call(hook, MESSAGE).status_code == 202
    assert Run.objects.get().command == "uptime -s"


def test_other_hosts_of_a_template_count_too(admin: User, template: Template) -> None:
    hook = vouched(admin, template=template)
    template.hosts.clear()
    template.host_filter = "q=web"
    template.save()
    assert_nothing_starts(hook, f"template {template}")


def test_a_playbook_behind_a_template_counts_too(admin: User, host: Host) -> None:
    playbook = make_playbook("site")
    template = make_template(host, admin, kind="playbook", playbook=playbook)
    hook = vouched(admin, template=template)
    keeper = make_user(perms=["tasks.change_playbook"])
    add_version(actor=keeper, item=playbook, content=contents.of_text("- x\n"))
    assert_nothing_starts(hook, "playbook site")


def test_a_workflow_with_another_step_does_not_start(
    admin: User, workflow: Workflow
) -> None:
    hook = vouched(admin, does="workflow", workflow=workflow)
    workflow.steps.update(join="any")
    assert_nothing_starts(hook, f"workflow {workflow}")


def test_a_template_of_a_workflow_counts_too(
    admin: User, workflow: Workflow, template: Template
) -> None:
    hook = vouched(admin, does="workflow", workflow=workflow)
    Template.objects.update(command="rm -r /srv")
    assert_nothing_starts(hook, f"template {template}")


def test_what_its_owner_changed_in_a_workflow_starts(
    admin: User, workflow: Workflow
) -> None:
    hook = vouched(admin, does="workflow", workflow=workflow)
    other = as_data(workflow) | {"variables": {"release": "2"}}
    take(actor=admin, data=other, replace=True)
    assert call(hook, MESSAGE).status_code == 202
    assert WorkflowRun.objects.get().variables == {"release": "2"}


def test_who_saves_it_as_active_again_vouches_for_what_is_there_now(
    admin: User, template: Template, client_of: Signed
) -> None:
    hook = vouched(admin, template=template)
    Template.objects.update(command="uptime -s")
    assert_nothing_starts(hook, f"template {template}")
    path = f"/api/v1/hooks-in/{hook.pk}/"
    values = {"active": True}
    saved = client_of(admin).patch(path, values, content_type="application/json")
    assert saved.status_code == 200, saved.content
    hook.refresh_from_db()
    assert (hook.active, hook.notice) == (True, "")
    assert call(hook, MESSAGE).status_code == 202


@pytest.fixture
def two_steps(admin: User, template: Template) -> Workflow:
    """A wait, then a step with a template."""
    steps = {
        "wait": {"does": "wait", "wait_seconds": 60},
        "deploy": {"does": "template", "template": template},
    }
    return make_workflow(admin, steps, ("wait>deploy",))


def _later(run: WorkflowRun) -> WorkflowStepRun:
    """Let the wait be over; give the step behind it."""
    engine.advance(run.pk)
    run.steps.filter(key="wait").update(until=timezone.now())
    engine.advance(run.pk)
    return run.steps.get(key="deploy")


def test_a_template_that_changes_while_the_workflow_waits_is_not_run_as_its_owner(
    admin: User, two_steps: Workflow
) -> None:
    hook = vouched(admin, does="workflow", workflow=two_steps)
    assert call(hook, MESSAGE).status_code == 202
    Template.objects.update(command="rm -r /srv")
    step = _later(WorkflowRun.objects.get())
    assert (step.status, Run.objects.count()) == ("failed", 0)
    assert "This changed since it was saved or turned on" in step.explanation


def test_a_web_hook_that_somebody_else_saved_meanwhile_vouches_for_nothing_before(
    admin: User, two_steps: Workflow
) -> None:
    hook = vouched(admin, does="workflow", workflow=two_steps)
    call(hook, MESSAGE)
    Template.objects.update(command="rm -r /srv")
    InHook.objects.update(run_as=User.objects.create_superuser("other", "x"))
    vouch(hook)
    step = _later(WorkflowRun.objects.get())
    assert (step.status, Run.objects.count()) == ("failed", 0)
    assert f"Somebody else saved the web-hook {hook}" in step.explanation


def test_who_takes_the_run_over_by_hand_goes_on_in_the_own_name(
    admin: User, two_steps: Workflow
) -> None:
    hook = vouched(admin, does="workflow", workflow=two_steps)
    call(hook, MESSAGE)
    Template.objects.update(command="uptime -s")
    other = User.objects.create_superuser("other", "x")
    WorkflowRun.objects.update(requested_by=other)
    step = _later(WorkflowRun.objects.get())
    assert (step.status, Run.objects.get().requested_by) == ("running", other)


def test_what_nobody_changed_runs_to_its_end(admin: User, two_steps: Workflow) -> None:
    hook = vouched(admin, does="workflow", workflow=two_steps)
    call(hook, MESSAGE)
    assert _later(WorkflowRun.objects.get()).status == "running"
    assert Run.objects.get().requested_by == admin
