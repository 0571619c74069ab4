"""Workflows for tests: made of a few words, run without workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from cmdb.models import Host
from tasks.models import (
    Approval,
    ApprovalRule,
    Run,
    RunHost,
    Workflow,
    WorkflowEdge,
    WorkflowRun,
    WorkflowStep,
)
from tasks.workflows import engine, starts

_numbers = iter(range(1, 100_000))


def make_workflow(
    owner: User | None = None,
    steps: dict[str, dict[str, Any]] | None = None,
    edges: tuple[str, ...] = (),
    **fields: Any,
) -> Workflow:
    """Make one: steps by key (`hosts` among their fields), edges as "a>b", "a!b" (failure), "a*b" (always)."""
    fields = {"name": f"workflow {next(_numbers)}", "owner": owner} | fields
    workflow = Workflow.objects.create(**fields)
    rows = {}
    for number, (key, given) in enumerate((steps or {}).items()):
        values = {"command": "true", "title": key.title()} | given
        hosts = values.pop("hosts", [])
        rows[key] = WorkflowStep.objects.create(
            workflow=workflow, key=key, position=number, **values
        )
        rows[key].hosts.set(hosts)
    for edge in edges:
        mark = next(c for c in edge if c in ">!*")
        source, target = edge.split(mark)
        when = {">": "success", "!": "failure", "*": "always"}[mark]
        WorkflowEdge.objects.create(
            workflow=workflow, source=rows[source], target=rows[target], when=when
        )
    return workflow


def begin(actor: User, workflow: Workflow, **variables: Any) -> WorkflowRun:
    """Start a workflow and let the engine begin."""
    run = starts.start_workflow(actor=actor, workflow=workflow, variables=variables)
    engine.advance(run.pk)
    return run


def end(run: WorkflowRun, key: str, *, ok: bool = True, go_on: bool = True) -> Run:
    """End the run of a step as a worker would, and let the engine go on."""
    step = run.steps.get(key=key)
    assert step.run is not None, f"{key} is {step.status}: {step.explanation}"
    status = RunHost.Status.OK if ok else RunHost.Status.FAILED
    now = timezone.now()
    step.run.hosts.update(status=status, exit_code=0 if ok else 3, ended_at=now)
    Run.objects.filter(pk=step.run.pk).update(
        status=Run.Status.OK if ok else Run.Status.FAILED,
        ended_at=now,
        explanation="1 host: 1 ok." if ok else "1 host: 1 failed.",
    )
    if go_on:
        engine.advance(run.pk)
    return step.run


def stands(run: WorkflowRun) -> dict[str, str]:
    """Give key -> status of each step."""
    return {str(step.key): str(step.status) for step in run.steps.all()}


def status_of(run: WorkflowRun) -> str:
    """Give the status of the whole."""
    run.refresh_from_db()
    return str(run.status)


def make_rule(*users: User, **fields: Any) -> ApprovalRule:
    """Make a rule by which these people approve."""
    fields = {"name": f"rule {next(_numbers)}"} | fields
    rule = ApprovalRule.objects.create(**fields)
    rule.users.set(users)
    return rule


def make_task_parts(host: Host, owner: User) -> dict[str, int]:
    """Make what the matrix of permissions asks for: a workflow on a host, a run of it, an approval with its rule."""
    # The step has the key that stands in the addresses of the matrix (tests/matrix_urls.py).
    workflow = make_workflow(owner, {"cpu": {"hosts": [host]}})
    run = starts.start_workflow(actor=owner, workflow=workflow)
    rule = make_rule(automatic=False)
    approval = Approval.objects.create(
        kind="run",
        object_id=0,
        title="some",
        rule=rule,
        rule_name=rule.name,
        requested_by=owner,
        requested_by_name=owner.username,
        expires_at=timezone.now() + timedelta(days=1),
    )
    approval.hosts.add(host)
    return {
        "workflow": workflow.pk,
        "workflowstep": workflow.steps.get().pk,
        "workflowrun": run.pk,
        "approval": approval.pk,
        "approvalrule": rule.pk,
    }
