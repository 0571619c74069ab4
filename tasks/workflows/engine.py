"""Moves runs of workflows on. The database is the truth: each move is a conditional UPDATE, so that two at once start nothing twice."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit, maintenance
from tasks.approvals.asking import STEP, approvals_of
from tasks.approvals.deciding import holds
from tasks.models import Approval, Run, WorkflowRun, WorkflowStep, WorkflowStepRun
from tasks.workflows.beginning import begin
from tasks.workflows.graph import Graph, graph_of, next_move, unhandled
from tasks.workflows.moves import end_of, move, words_of_cancel
from tasks.workflows.values import values_of

Status = WorkflowStepRun.Status
Does = WorkflowStep.Does
ENGINE = audit.SystemActor("workflows")


def advance(pk: int) -> list[int]:
    """Move a run of a workflow on as far as it goes now; may be called at any time, by any number at once.

    Gives the ids of the runs that were made: somebody must call workers for them.
    """
    run = WorkflowRun.objects.select_related("requested_by").get(pk=pk)
    made: list[int] = []
    if not run.is_open or maintenance.is_on():
        return made
    graph = graph_of(run.definition)
    moved = True
    while moved:
        moved = False
        steps = list(run.steps.select_related("run"))
        ends = {step.key: end_of(step) for step in steps}
        for step in steps:
            step.workflow_run = run
            before = step.status
            made += _move(graph, ends, step)
            moved = moved or step.status != before
    _finish(graph, run)
    return made


def _move(
    graph: Graph, ends: Mapping[str, str | None], step: WorkflowStepRun
) -> list[int]:
    """Move one step by one status, where it can; give the runs that this made."""
    run = step.workflow_run
    if step.status == Status.WAITING:
        _judge(graph, ends, step)
    elif step.status == Status.READY:
        return begin(run, step)
    elif step.status == Status.PAUSED:
        _look_at_approval(step)
    elif step.status == Status.RUNNING:
        _look_at_work(run, step)
    return []


def _judge(graph: Graph, ends: Mapping[str, str | None], step: WorkflowStepRun) -> None:
    """Let a step begin, or skip it, where the steps before it have decided that."""
    run = step.workflow_run
    if run.cancel_requested_at:
        move(step, Status.CANCELLED, explanation=words_of_cancel(run))
        return
    node = next(node for node in graph.nodes if node.key == step.key)
    decided = next_move(graph, node, ends)
    if decided == "ready":
        move(step, Status.READY)
    elif decided == "skipped":
        words = _("Its conditions were not met.")
        move(step, Status.SKIPPED, explanation=words)


def _look_at_approval(step: WorkflowStepRun) -> None:
    run = step.workflow_run
    approval = approvals_of(STEP, step.pk).first()
    if run.cancel_requested_at:
        move(step, Status.CANCELLED, explanation=words_of_cancel(run))
    elif approval is None:
        move(step, Status.FAILED, explanation=_("Its approval is gone."))
    elif approval.status == Approval.Status.WAITING and not approval.is_late:
        return
    elif not holds(approval):
        move(step, Status.FAILED, explanation=approval.explanation)
    elif approval.status == Approval.Status.APPROVED:
        names = [one.user_name for one in approval.votes.all()]
        move(
            step,
            Status.OK,
            explanation=approval.explanation,
            values={"approved_by": names},
        )


def _look_at_work(run: WorkflowRun, step: WorkflowStepRun) -> None:
    """End a running step whose work has ended, or whose wait is over."""
    if step.does == Does.WAIT or step.does == Does.WEB_HOOK:
        if run.cancel_requested_at:
            move(step, Status.CANCELLED, explanation=words_of_cancel(run))
        elif (
            step.does == Does.WAIT and (step.until or timezone.now()) <= timezone.now()
        ):
            move(step, Status.OK)
        return
    done = step.run
    if done is None:
        move(step, Status.FAILED, explanation=_("Its run is gone."))
    elif not done.is_open:
        stopped = done.status == Run.Status.CANCELLED and run.cancel_requested_at
        failed = Status.CANCELLED if stopped else Status.FAILED
        status = Status.OK if done.status == Run.Status.OK else failed
        move(step, status, explanation=done.explanation, values=values_of(done))


def _finish(graph: Graph, run: WorkflowRun) -> None:
    """End the whole when no step is open any more."""
    if run.steps.filter(status__in=WorkflowStepRun.OPEN).exists():
        return
    with transaction.atomic():
        # Whoever retries or resumes holds the same row: what they set back is seen here, or they see the end.
        rows = WorkflowRun.objects.select_for_update().order_by()
        held = rows.filter(pk=run.pk, status=WorkflowRun.Status.RUNNING).first()
        steps = list(run.steps.all())
        if held is None or any(step.is_open for step in steps):
            return
        status, words = _verdict(graph, held, steps)
        WorkflowRun.objects.filter(pk=run.pk).update(
            status=status, explanation=words, ended_at=timezone.now()
        )
        run.status = status
        changes = [{"field": "status", "old": "running", "new": str(status)}]
        audit.record(
            ENGINE, "workflow.finish", run, changes=changes, reason=words[:500]
        )


def _verdict(
    graph: Graph, run: WorkflowRun, steps: list[WorkflowStepRun]
) -> tuple[str, str]:
    titles = {step.key: step.title or step.key for step in steps}
    failed = [step.key for step in steps if end_of(step) == "failure"]
    bad = unhandled(graph, failed)
    if any(step.status == Status.CANCELLED for step in steps):
        return WorkflowRun.Status.CANCELLED, words_of_cancel(run)
    if bad:
        names = ", ".join(titles[key] for key in bad)
        return WorkflowRun.Status.FAILED, _("Failed: %(steps)s.") % {"steps": names}
    ran = sum(step.status == Status.OK for step in steps)
    words = _("Steps that ended well: %(ran)s of %(all)s.") % {
        "ran": ran,
        "all": len(steps),
    }
    return WorkflowRun.Status.OK, words


def open_runs() -> list[int]:
    """Give the runs of workflows that have not ended."""
    rows = WorkflowRun.objects.filter(status=WorkflowRun.Status.RUNNING)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def run_of_work(run_id: int) -> int | None:
    """Give the run of a workflow to which a run belongs."""
    rows = WorkflowStepRun.objects.filter(run=run_id)
    return rows.values_list("workflow_run_id", flat=True).first()
