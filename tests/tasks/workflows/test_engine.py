"""The engine: edges, joins, values, crashes, two at once, and rights that go away in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset.errors import DomainError, Forbidden
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tasks.models import Run, WorkflowStepRun
from tasks.workflows import beginning, calls, control, engine
from tests.factories import make_host, make_user
from tests.tasks.workflow_things import begin, end, make_workflow, stands, status_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], address="192.0.2.1")


def test_steps_follow_each_other_by_success_and_failure(
    admin: User, host: Host
) -> None:
    at = {"hosts": [host]}
    steps = {"a": at, "b": at, "mend": at, "tell": at}
    workflow = make_workflow(admin, steps, ("a>b", "a!mend", "mend*tell"))
    run = begin(admin, workflow)
    assert stands(run) == {
        "a": "running",
        "b": "waiting",
        "mend": "waiting",
        "tell": "waiting",
    }
    end(run, "a", ok=False)
    assert stands(run) == {
        "a": "failed",
        "b": "skipped",
        "mend": "running",
        "tell": "waiting",
    }
    end(run, "mend")
    end(run, "tell")
    # Something followed the failure of a: the whole is well.
    assert status_of(run) == "ok"
    assert Run.objects.count() == 3
    verbs = AuditEntry.objects.filter(verb__startswith="workflow.").order_by("id")
    assert list(verbs.values_list("verb", flat=True)) == [
        "workflow.start",
        "workflow.finish",
    ]


def test_a_failure_that_nothing_follows_fails_the_whole(
    admin: User, host: Host
) -> None:
    workflow = make_workflow(
        admin, {"a": {"hosts": [host]}, "b": {"hosts": [host]}}, ("a>b",)
    )
    run = begin(admin, workflow)
    end(run, "a", ok=False)
    assert status_of(run) == "failed"
    assert run.explanation == "Failed: A."


@pytest.mark.parametrize(("join", "then"), [("all", "waiting"), ("any", "running")])
def test_a_join_waits_for_all_or_for_one(
    admin: User, host: Host, join: str, then: str
) -> None:
    at = {"hosts": [host]}
    workflow = make_workflow(
        admin, {"a": at, "b": at, "c": at | {"join": join}}, ("a>c", "b>c")
    )
    run = begin(admin, workflow)
    end(run, "a")
    assert stands(run)["c"] == then
    end(run, "b")
    assert stands(run)["c"] == "running"
    assert run.steps.get(key="c").run_id
    assert Run.objects.count() == 3


def test_each_step_runs_as_who_started_it_and_is_judged_when_it_begins(
    admin: User, group: HostGroup, other_group: HostGroup
) -> None:
    near, far = make_host(groups=[group]), make_host(groups=[other_group])
    perms = [
        "tasks.add_workflowrun",
        "tasks.add_run",
        "cmdb.run_host",
        "cmdb.view_host",
        "tasks.view_workflow",
    ]
    person = make_user("person", perms=perms, groups=[group])
    workflow = make_workflow(
        admin, {"a": {"hosts": [near]}, "b": {"hosts": [far]}}, ("a>b",)
    )
    run = begin(person, workflow)
    assert run.steps.get(key="a").run.requested_by == person
    end(run, "a")
    step = run.steps.get(key="b")
    assert (step.status, step.run) == ("failed", None)
    assert "may not run work" in step.explanation
    assert Run.objects.count() == 1


def test_rights_that_go_away_in_the_middle_end_it(admin: User, host: Host) -> None:
    person = make_user(
        "person",
        perms=[
            "tasks.add_workflowrun",
            "tasks.add_run",
            "cmdb.run_host",
            "cmdb.view_host",
        ],
    )
    workflow = make_workflow(
        admin, {"a": {"hosts": [host]}, "b": {"hosts": [host]}}, ("a*b",)
    )
    run = begin(person, workflow)
    person.grants.all().delete()
    end(run, "a")
    assert stands(run) == {"a": "ok", "b": "failed"}
    assert "may not start runs" in run.steps.get(key="b").explanation
    assert Run.objects.count() == 1


def test_nothing_begins_for_somebody_who_is_gone(admin: User, host: Host) -> None:
    person = make_user("person", is_superuser=True)
    run = begin(
        person,
        make_workflow(
            admin, {"a": {"hosts": [host]}, "b": {"hosts": [host]}}, ("a>b",)
        ),
    )
    User.objects.filter(pk=person.pk).update(is_active=False)
    end(run, "a")
    assert "may not sign in" in run.steps.get(key="b").explanation


def test_two_engines_at_once_make_one_run(admin: User, host: Host) -> None:
    run = begin(
        admin,
        make_workflow(
            admin, {"a": {"hosts": [host]}, "b": {"hosts": [host]}}, ("a>b",)
        ),
    )
    end(run, "a", go_on=False)
    engine.advance(run.pk)
    # Another one read the step before the first had begun it.
    late = run.steps.select_related("run").get(key="b")
    late.status, late.workflow_run = WorkflowStepRun.Status.READY, run
    assert beginning.begin(run, late) == []
    assert Run.objects.count() == 2
    engine.advance(run.pk)
    assert Run.objects.count() == 2


def test_a_worker_that_dies_before_the_run_is_written_leaves_the_step_ready(
    admin: User, host: Host, monkeypatch: Any
) -> None:
    def dies(**_wanted: Any) -> Run:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(beginning, "request_run", dies)
        with pytest.raises(SystemExit):
            begin(admin, make_workflow(admin, {"a": {"hosts": [host]}}))
    step = WorkflowStepRun.objects.get()
    assert (step.status, step.run) == ("ready", None)
    assert Run.objects.count() == 0
    calls.sweep_workflows()
    step.refresh_from_db()
    assert (step.status, Run.objects.count()) == ("running", 1)


def test_the_sweeper_finds_an_end_that_nobody_told(admin: User, host: Host) -> None:
    run = begin(admin, make_workflow(admin, {"a": {"hosts": [host]}}))
    end(run, "a", go_on=False)
    calls.sweep_workflows()
    assert status_of(run) == "ok"


def test_one_broken_workflow_does_not_hold_up_the_others(
    admin: User, host: Host
) -> None:
    broken = begin(admin, make_workflow(admin, {"a": {"hosts": [host]}}))
    broken.definition = {"steps": "?"}
    broken.save()
    run = begin(admin, make_workflow(admin, {"a": {"hosts": [host]}}))
    end(run, "a", go_on=False)
    calls.sweep_workflows()
    assert status_of(run) == "ok"


def test_a_wait_is_over_when_its_time_is(admin: User, host: Host) -> None:
    steps = {"w": {"does": "wait", "wait_seconds": 60}, "a": {"hosts": [host]}}
    run = begin(admin, make_workflow(admin, steps, ("w>a",)))
    assert stands(run) == {"w": "running", "a": "waiting"}
    run.steps.filter(key="w").update(until=timezone.now() - timedelta(seconds=1))
    engine.advance(run.pk)
    assert stands(run) == {"w": "ok", "a": "running"}


def test_nothing_begins_in_maintenance(
    admin: User, host: Host, monkeypatch: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(engine.maintenance, "is_on", lambda: True)
        run = begin(admin, make_workflow(admin, {"a": {"hosts": [host]}}))
        assert stands(run) == {"a": "waiting"}
    calls.sweep_workflows()
    assert stands(run) == {"a": "running"}


def test_a_start_is_refused_without_steps_or_rights_or_when_it_is_off(
    admin: User, host: Host
) -> None:
    with pytest.raises(DomainError, match="has no step"):
        begin(admin, make_workflow(admin))
    with pytest.raises(DomainError, match="is off"):
        begin(admin, make_workflow(admin, {"a": {"hosts": [host]}}, enabled=False))
    looker = make_user(perms=["tasks.view_workflow"])
    with pytest.raises(Forbidden):
        begin(looker, make_workflow(admin, {"a": {"hosts": [host]}}))
    starter = make_user(perms=["tasks.add_workflowrun"])
    with pytest.raises(Forbidden, match="may not start runs"):
        begin(starter, make_workflow(admin, {"a": {"hosts": [host]}}))
    assert not WorkflowStepRun.objects.exists()


def test_a_hundred_steps_run_with_few_questions_each(
    admin: User, host: Host, django_assert_max_num_queries: Any
) -> None:
    steps = {f"s{n}": {"does": "wait", "wait_seconds": 600} for n in range(100)}
    edges = tuple(f"s{n}>s{n + 1}" for n in range(99))
    run = begin(admin, make_workflow(admin, steps, edges))
    with django_assert_max_num_queries(6):
        engine.advance(run.pk)
    control.cancel_workflow(actor=admin, run=run)
    engine.advance(run.pk)
    assert status_of(run) == "cancelled"
