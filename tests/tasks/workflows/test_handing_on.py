"""What one step hands on to the next: values and hosts."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tasks.models import Run, WorkflowRun
from tasks.workflows import clearing, engine
from tasks.workflows.beginning import end_of_wait
from tests.factories import make_host
from tests.tasks.workflow_things import begin, end, make_workflow, status_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], address="192.0.2.1")


def test_values_of_a_step_reach_the_variables_of_a_later_one(
    admin: User, host: Host
) -> None:
    steps = {
        "a": {"hosts": [host]},
        "b": {
            "hosts": [host],
            "kind": "script",
            "command": "",
            "script_text": "echo $1",
            "script_arguments": "'${steps.a.ok_hosts} ${vars.tag}'",
        },
    }
    workflow = make_workflow(admin, steps, ("a>b",), variables={"tag": "old"})
    run = begin(admin, workflow, tag="$(id)")
    end(run, "a")
    made = run.steps.get(key="b").run
    assert made is not None, run.steps.get(key="b").explanation
    assert made.script_arguments == "'web1 $(id)'"


def test_a_missing_value_fails_the_step_with_a_sentence(
    admin: User, host: Host
) -> None:
    steps = {
        "a": {"hosts": [host]},
        "b": {
            "hosts": [host],
            "kind": "script",
            "script_text": "x",
            "script_arguments": "${steps.a.path}",
        },
    }
    run = begin(admin, make_workflow(admin, steps, ("a>b",)))
    end(run, "a")
    assert "Nothing set the value ${steps.a.path}" in run.steps.get(key="b").explanation
    assert Run.objects.count() == 1


def test_a_step_takes_the_failed_hosts_of_another(
    admin: User, group: HostGroup
) -> None:
    hosts = [make_host(f"web{n}", groups=[group]) for n in range(3)]
    steps = {
        "a": {"hosts": hosts},
        "b": {"hosts_from": "a", "hosts_which": "failed"},
        "c": {"hosts_from": "b", "hosts_which": "failed"},
    }
    run = begin(admin, make_workflow(admin, steps, ("a*b", "b>c")))
    first = run.steps.get(key="a").run
    end(run, "a", ok=False, go_on=False)
    first.hosts.filter(host=hosts[1]).update(status="ok")
    engine.advance(run.pk)
    second = run.steps.get(key="b").run
    assert sorted(second.hosts.values_list("host_name", flat=True)) == ["web0", "web2"]
    end(run, "b")
    last = run.steps.get(key="c")
    assert (last.status, last.run) == ("ok", None)
    assert "nothing to do" in last.explanation
    assert status_of(run) == "ok"


def test_what_ended_long_ago_is_cleared_away(
    admin: User, host: Host, settings: Any
) -> None:
    settings.RUN_KEEP_DAYS = 10
    workflow = make_workflow(admin, {"a": {"hosts": [host]}})
    old, young, going = (begin(admin, workflow) for _each in range(3))
    for run in (old, young):
        end(run, "a")
    long_ago = timezone.now() - timedelta(days=11)
    WorkflowRun.objects.filter(pk=old.pk).update(ended_at=long_ago)
    WorkflowRun.objects.filter(pk=going.pk).update(created_at=long_ago)
    assert clearing.clear_ended() == 1
    assert clearing.clear_ended() == 0
    assert {run.pk for run in WorkflowRun.objects.all()} == {young.pk, going.pk}
    assert AuditEntry.objects.filter(verb="workflow.clear").count() == 1
    settings.RUN_KEEP_DAYS = 0
    WorkflowRun.objects.filter(pk=young.pk).update(ended_at=long_ago)
    assert clearing.clear_ended() == 0


@pytest.mark.parametrize(
    ("now", "zone", "then"),
    [
        ("2026-05-01T00:00", "UTC", "2026-05-01T02:30"),
        ("2026-05-01T02:30", "UTC", "2026-05-02T02:30"),
        ("2026-05-01T03:00", "Asia/Shanghai", "2026-05-01T18:30"),
        # The night in which Berlin's clock goes back an hour, and the one after it.
        ("2026-10-24T22:00", "Europe/Berlin", "2026-10-25T00:30"),
        ("2026-10-25T12:00", "Europe/Berlin", "2026-10-26T01:30"),
    ],
)
def test_a_wait_ends_when_the_clock_shows_its_time(
    admin: User, now: str, zone: str, then: str
) -> None:
    step = {"does": "wait", "wait_until": time(2, 30), "wait_zone": zone}
    run = begin(admin, make_workflow(admin, {"w": step}))
    at = datetime.fromisoformat(f"{now}+00:00")
    assert f"{end_of_wait(run, 'w', at):%Y-%m-%dT%H:%M}" == then
