"""Approvals that are set back: nothing behind them goes on before the word is given again."""

from __future__ import annotations

import pytest

from accounts.models import User
from cmdb.models import HostGroup
from tasks.approvals import deciding
from tasks.models import Approval, Run, WorkflowRun
from tasks.workflows import control, engine
from tasks.workflows.graph import Edge, Graph, Node, next_move
from tests.factories import make_host, make_user
from tests.tasks.workflow_things import begin, end, make_rule, make_workflow, stands

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(db: None) -> User:
    return make_user("boss", perms=["tasks.view_approval", "tasks.decide_approval"])


@pytest.fixture
def run(admin: User, boss: User, group: HostGroup) -> WorkflowRun:
    """`a` failed, its values were approved in any case, a wait goes on before `c`."""
    at = {"hosts": [make_host("web1", groups=[group])]}
    ask = {"does": "approval", "rule": make_rule(boss, automatic=False)}
    wait = {"does": "wait", "wait_seconds": 600}
    steps = {"a": at, "ask": ask, "w": wait, "c": at}
    workflow = make_workflow(admin, steps, ("a*ask", "ask>w", "w>c"))
    made = begin(admin, workflow)
    end(made, "a", ok=False)
    vote(boss, made)
    assert stands(made) == {"a": "failed", "ask": "ok", "w": "running", "c": "waiting"}
    return made


def vote(boss: User, run: WorkflowRun, verdict: str = "approve") -> None:
    waiting = Approval.objects.get(status="waiting")
    deciding.vote(actor=boss, approval=waiting, verdict=verdict, comment="so")
    engine.advance(run.pk)


def wait_is_over(run: WorkflowRun) -> None:
    run.steps.filter(key="w").update(until=run.created_at)
    engine.advance(run.pk)


def test_a_step_that_is_retried_before_an_approval_has_it_asked_anew(
    run: WorkflowRun, admin: User, boss: User
) -> None:
    control.retry_step(actor=admin, run=run, key="a")
    assert stands(run)["ask"] == "waiting"
    assert Approval.objects.get().status == "cancelled"
    wait_is_over(run)
    # The wait has ended, but what it waited behind is not approved.
    assert stands(run) == {"a": "running", "ask": "waiting", "w": "ok", "c": "waiting"}
    end(run, "a")
    assert stands(run)["ask"] == "paused"
    assert Run.objects.count() == 2
    vote(boss, run)
    assert stands(run)["c"] == "running"


def test_a_refusal_of_what_is_asked_anew_skips_what_is_behind(
    run: WorkflowRun, admin: User, boss: User
) -> None:
    control.retry_step(actor=admin, run=run, key="a")
    wait_is_over(run)
    end(run, "a")
    vote(boss, run, "refuse")
    assert stands(run) == {"a": "ok", "ask": "failed", "w": "ok", "c": "skipped"}
    assert Run.objects.count() == 2


def test_who_resumes_it_does_not_pass_an_approval_behind_a_step_that_ended(
    run: WorkflowRun, boss: User
) -> None:
    wait_is_over(run)
    end(run, "c", ok=False)
    boss.is_superuser = True
    boss.save()
    control.resume_workflow(actor=boss, run=run)
    engine.advance(run.pk)
    assert stands(run) == {"a": "running", "ask": "waiting", "w": "ok", "c": "waiting"}
    end(run, "a")
    assert stands(run)["ask"] == "paused"
    assert stands(run)["c"] == "waiting"
    assert Run.objects.count() == 3


def test_a_step_that_was_about_to_begin_is_judged_again(
    run: WorkflowRun, admin: User
) -> None:
    run.steps.filter(key="w").update(status="ok")
    run.steps.filter(key="c").update(status="ready")
    control.retry_step(actor=admin, run=run, key="a")
    engine.advance(run.pk)
    assert stands(run)["c"] == "waiting"


def test_skipping_a_failed_step_leaves_what_was_approved(
    run: WorkflowRun, admin: User
) -> None:
    control.skip_step(actor=admin, run=run, key="a", reason="known")
    wait_is_over(run)
    assert stands(run)["c"] == "running"


@pytest.mark.parametrize(
    ("ends", "move"),
    [
        ({"ask": "success", "b": "success"}, "ready"),
        ({"ask": None, "b": "success"}, ""),
        ({"ask": "failure", "b": "success"}, "skipped"),
        ({"ask": "", "b": "success"}, "skipped"),
    ],
)
def test_a_step_goes_on_only_behind_a_word_that_is_given(
    ends: dict[str, str | None], move: str
) -> None:
    graph = Graph(
        [Node("ask", "approval"), Node("b"), Node("c")],
        [Edge("ask", "b"), Edge("b", "c")],
    )
    assert next_move(graph, Node("c"), ends) == move


def test_another_way_is_enough_where_one_of_several_is() -> None:
    nodes = [Node("ask", "approval"), Node("b"), Node("d"), Node("c", join="any")]
    edges = [Edge("ask", "b"), Edge("b", "c"), Edge("d", "c")]
    ends = {"ask": None, "b": "success", "d": "success", "c": None}
    assert next_move(Graph(nodes, edges), nodes[3], ends) == "ready"


def test_what_follows_a_refusal_follows_it() -> None:
    nodes = [Node("ask", "approval"), Node("no"), Node("after")]
    edges = [Edge("ask", "no", "failure"), Edge("no", "after")]
    ends = {"ask": "failure", "no": "success", "after": None}
    assert next_move(Graph(nodes, edges), nodes[2], ends) == "ready"
