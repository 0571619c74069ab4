"""Celery's door of workflows and approvals: after each event the engine moves on, and a sweeper sees that nothing is forgotten."""

import logging
from functools import partial
from typing import Any

import redis
from celery import shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from tasks import tasks
from tasks.approvals import deciding
from tasks.approvals.asking import STEP
from tasks.models import Approval, Workflow, WorkflowRun, WorkflowStepRun
from tasks.workflows import clearing, control, engine, starts, web_hooks

logger = logging.getLogger(__name__)


@shared_task(name="tasks.advance_workflow")
def advance_workflow(pk: int) -> None:
    """Move a run of a workflow on as far as it goes."""
    for run in engine.advance(pk):
        tasks.send(run)
    if web_hooks.send_due(pk):
        for run in engine.advance(pk):
            tasks.send(run)


@shared_task(name="tasks.sweep_workflows", expires=30)
def sweep_workflows() -> None:
    """Let approvals expire, and move on what nobody was called for: a worker may have died at any moment."""
    deciding.expire_due()
    for pk in engine.open_runs():
        try:
            advance_workflow(pk)
        except Exception:
            # One that is broken does not hold up the others.
            logger.exception("workflow %s: could not be moved on", pk)


@shared_task(name="tasks.clear_workflows")
def clear_workflows() -> None:
    """Clear away what ended long ago."""
    clearing.clear_ended()


def call(pk: int) -> None:
    """Call a worker for a run of a workflow once this transaction is written; the sweeper calls where Redis is away."""
    transaction.on_commit(partial(_call, pk))


def _call(pk: int) -> None:
    try:
        advance_workflow.delay(pk)
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("workflow %s: no worker could be called (%s)", pk, error)


def run_ended(run_id: int) -> None:
    """Move on the workflow to which a run belongs, if it belongs to one."""
    pk = engine.run_of_work(run_id)
    if pk is not None:
        _call(pk)


def enqueue_start(
    *, actor: Any, workflow: Workflow, variables: dict[str, Any] | None = None
) -> WorkflowRun:
    """Start a workflow, see starts.start_workflow, and call a worker for its first steps."""
    run = starts.start_workflow(actor=actor, workflow=workflow, variables=variables)
    call(run.pk)
    return run


def enqueue_cancel(*, actor: Any, run: WorkflowRun) -> None:
    """Cancel, see control.cancel_workflow."""
    control.cancel_workflow(actor=actor, run=run)
    call(run.pk)


def enqueue_resume(*, actor: Any, run: WorkflowRun) -> None:
    """Resume, see control.resume_workflow."""
    control.resume_workflow(actor=actor, run=run)
    call(run.pk)


def enqueue_retry(*, actor: Any, run: WorkflowRun, key: str) -> None:
    """Retry a step, see control.retry_step."""
    control.retry_step(actor=actor, run=run, key=key)
    call(run.pk)


def enqueue_skip(*, actor: Any, run: WorkflowRun, key: str, reason: str) -> None:
    """Skip a step, see control.skip_step."""
    control.skip_step(actor=actor, run=run, key=key, reason=reason)
    call(run.pk)


def enqueue_vote(
    *, actor: Any, approval: Approval, verdict: str, comment: str = ""
) -> Approval:
    """Take a person's word, see approvals.deciding.vote, and let go on what waited for it."""
    decided = deciding.vote(
        actor=actor, approval=approval, verdict=verdict, comment=comment
    )
    if decided.kind == STEP:
        step = WorkflowStepRun.objects.filter(pk=decided.object_id).first()
        if step is not None:
            call(step.workflow_run_id)
    return decided
