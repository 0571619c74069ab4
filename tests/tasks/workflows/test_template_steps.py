"""A step that launches a template: it says only what the template leaves open, and what is fixed stays."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Host, HostGroup
from tasks.models import Run, WorkflowRun
from tests.factories import make_host
from tests.tasks.launch_things import make_template
from tests.tasks.workflow_things import begin, end, make_workflow, stands

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(group: HostGroup) -> Host:
    return make_host("web1", groups=[group])


@pytest.fixture
def far(other_group: HostGroup) -> Host:
    return make_host("db1", groups=[other_group])


def launched(admin: User, host: Host | None, ask: list[str], **step: Any) -> Any:
    """Begin a workflow whose only step launches a template on a host; gives its run of the workflow."""
    template = make_template(host, admin, ask=ask)
    values = {"does": "template", "template": template, "command": "", **step}
    return begin(admin, make_workflow(admin, {"go": values}))


def hosts_of(run: WorkflowRun) -> set[str]:
    made = run.steps.get(key="go").run
    assert made is not None, run.steps.get(key="go").explanation
    return set(made.hosts.values_list("host_name", flat=True))


@pytest.mark.parametrize(
    "ask", [[], ["groups"], ["host_filter"], ["groups", "answers"]]
)
def test_hosts_are_refused_where_only_others_are_open(
    admin: User, host: Host, far: Host, ask: list[str]
) -> None:
    run = launched(admin, host, ask, hosts=[far])
    assert stands(run) == {"go": "failed"}
    words = run.steps.get(key="go").explanation
    assert "fixes what this step changes: hosts" in words
    assert not Run.objects.exists()


def test_groups_that_are_open_come_to_the_fixed_hosts(
    admin: User, host: Host, far: Host, other_group: HostGroup
) -> None:
    template = make_template(host, admin, ask=["groups"])
    step = {"does": "template", "template": template, "command": ""}
    workflow = make_workflow(admin, {"go": step})
    workflow.steps.get().groups.add(other_group)
    assert hosts_of(begin(admin, workflow)) == {"web1", "db1"}


def test_hosts_that_are_open_stand_in_place_of_its_own(
    admin: User, host: Host, far: Host
) -> None:
    assert hosts_of(launched(admin, host, ["hosts"], hosts=[far])) == {"db1"}
    assert hosts_of(launched(admin, host, ["hosts"])) == {"web1"}


@pytest.mark.parametrize("ask", [[], ["hosts"]])
def test_no_host_of_an_earlier_step_does_not_mean_those_of_the_template(
    admin: User, host: Host, ask: list[str]
) -> None:
    template = make_template(host, admin, ask=ask)
    step = {"does": "template", "template": template, "command": ""}
    step |= {"hosts_from": "a", "hosts_which": "failed"}
    run = begin(
        admin, make_workflow(admin, {"a": {"hosts": [host]}, "go": step}, ("a>go",))
    )
    end(run, "a")
    go = run.steps.get(key="go")
    assert go.run is None
    assert go.status == ("ok" if ask else "failed")
    assert Run.objects.count() == 1
