"""Approval as a step: asked for when it comes, bound to what follows, void when that changes."""

from __future__ import annotations

import pytest

from accounts.models import User
from adminset.errors import Conflict, DomainError
from cmdb.models import Host, HostGroup
from tasks.approvals import deciding
from tasks.models import Approval, Run, Workflow, WorkflowRun
from tasks.workflows import control, engine
from tests.factories import make_host, make_user
from tests.tasks.workflow_things import (
    begin,
    end,
    make_rule,
    make_workflow,
    stands,
    status_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(db: None) -> User:
    return make_user("boss", perms=["tasks.view_approval", "tasks.decide_approval"])


@pytest.fixture
def host(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], address="192.0.2.1")


@pytest.fixture
def workflow(admin: User, boss: User, group: HostGroup, host: Host) -> Workflow:
    rule = make_rule(boss, automatic=False)
    steps = {
        "ask": {"does": "approval", "rule": rule, "command": ""},
        "go": {"command": "reboot"},
        "no": {"hosts": [host]},
    }
    made = make_workflow(admin, steps, ("ask>go", "ask!no"))
    made.steps.get(key="go").groups.add(group)
    return made


@pytest.fixture
def run(admin: User, workflow: Workflow) -> WorkflowRun:
    return begin(admin, workflow)


def vote(boss: User, verdict: str = "approve", comment: str = "") -> Approval:
    approval = Approval.objects.get(status="waiting")
    return deciding.vote(
        actor=boss, approval=approval, verdict=verdict, comment=comment
    )


def test_it_asks_with_what_comes_after_and_waits(run: WorkflowRun, admin: User) -> None:
    assert stands(run) == {"ask": "paused", "go": "waiting", "no": "waiting"}
    approval = Approval.objects.get()
    assert approval.requested_by == admin
    assert approval.detail["hosts"] == ["web1"]
    assert approval.detail["parts"][:2] == [
        {"title": "Go", "text": "command: web1"},
        {"title": "Go: Command", "text": "reboot"},
    ]
    assert not Run.objects.exists()


def test_the_word_lets_it_go_on(run: WorkflowRun, boss: User) -> None:
    vote(boss)
    engine.advance(run.pk)
    assert stands(run) == {"ask": "ok", "go": "running", "no": "skipped"}
    end(run, "go")
    assert status_of(run) == "ok"
    assert run.steps.get(key="ask").values == {"approved_by": ["boss"]}


def test_a_refusal_takes_the_other_way(run: WorkflowRun, boss: User) -> None:
    with pytest.raises(DomainError, match="says why"):
        vote(boss, "refuse")
    vote(boss, "refuse", "not today")
    engine.advance(run.pk)
    assert stands(run) == {"ask": "failed", "go": "skipped", "no": "running"}
    assert "Refused by boss: not today" in run.steps.get(key="ask").explanation


def test_who_started_it_does_not_approve_it(run: WorkflowRun, admin: User) -> None:
    Approval.objects.get().rule.users.add(admin)
    with pytest.raises(DomainError, match="asked for themselves"):
        vote(admin)


def test_a_host_that_joins_before_the_word_voids_it(
    run: WorkflowRun, boss: User, group: HostGroup
) -> None:
    make_host("newcomer", groups=[group])
    with pytest.raises(Conflict, match="the step go"):
        vote(boss)
    engine.advance(run.pk)
    assert Approval.objects.get().status == "void"
    assert stands(run)["go"] == "skipped"


def test_a_host_that_joins_after_the_word_keeps_the_step_from_beginning(
    admin: User, boss: User, workflow: Workflow, group: HostGroup
) -> None:
    step = workflow.steps.get(key="go")
    workflow.steps.filter(key="no").update(position=9)
    middle = workflow.steps.create(key="w", title="W", does="wait", wait_seconds=60)
    workflow.edges.filter(target=step).delete()
    workflow.edges.create(source=workflow.steps.get(key="ask"), target=middle)
    workflow.edges.create(source=middle, target=step)
    run = begin(admin, workflow)
    vote(boss)
    engine.advance(run.pk)
    make_host("newcomer", groups=[group])
    run.steps.filter(key="w").update(until=run.created_at)
    engine.advance(run.pk)
    assert stands(run)["go"] == "failed"
    assert "approved otherwise" in run.steps.get(key="go").explanation
    assert Approval.objects.get().status == "void"
    assert not Run.objects.exists()


def test_a_definition_that_is_changed_in_the_rows_voids_it(
    run: WorkflowRun, boss: User
) -> None:
    run.definition["steps"][1]["command"] = "rm -rf /"
    run.save(update_fields=["definition"])
    with pytest.raises(Conflict, match="the definition, the step go"):
        vote(boss)


def test_changing_the_workflow_does_not_touch_what_was_asked(
    run: WorkflowRun, workflow: Workflow, boss: User
) -> None:
    workflow.steps.filter(key="go").update(command="rm -rf /")
    vote(boss)
    engine.advance(run.pk)
    assert run.steps.get(key="go").run.command == "reboot"


def test_a_refused_approval_is_not_skipped_but_asked_again(
    run: WorkflowRun, boss: User, admin: User
) -> None:
    vote(boss, "refuse", "no")
    engine.advance(run.pk)
    with pytest.raises(DomainError, match="not skipped"):
        control.skip_step(actor=admin, run=run, key="ask", reason="hurry")
    control.retry_step(actor=admin, run=run, key="ask")
    engine.advance(run.pk)
    assert stands(run)["ask"] == "paused"
    assert sorted(Approval.objects.values_list("status", flat=True)) == [
        "refused",
        "waiting",
    ]
    vote(boss)
    engine.advance(run.pk)
    assert stands(run)["go"] == "running"


def test_who_approved_cannot_go_on_with_it_as_their_own(
    run: WorkflowRun, boss: User
) -> None:
    vote(boss)
    engine.advance(run.pk)
    end(run, "go", ok=False)
    boss.is_superuser = True
    boss.save()
    control.resume_workflow(actor=boss, run=run)
    engine.advance(run.pk)
    # The word was given on somebody else's work: it is asked for anew, and not of the one who asks.
    assert stands(run) == {"ask": "paused", "go": "waiting", "no": "waiting"}
    with pytest.raises(DomainError, match="asked for themselves"):
        vote(boss)


def test_cancel_takes_the_question_back(run: WorkflowRun, admin: User) -> None:
    control.cancel_workflow(actor=admin, run=run)
    engine.advance(run.pk)
    assert Approval.objects.get().status == "cancelled"
    assert status_of(run) == "cancelled"
