"""What people do with runs of workflows: cancel, resume, retry, skip."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from tasks.approvals.asking import STEP
from tasks.approvals.deciding import withdraw
from tasks.models import WorkflowRun, WorkflowStep, WorkflowStepRun
from tasks.services.cancel import cancel_run
from tasks.workflows.graph import graph_of
from tasks.workflows.starts import ensure_whole_user

Status = WorkflowStepRun.Status
Does = WorkflowStep.Does
PAST = 20


def cancel_workflow(*, actor: Any, run: WorkflowRun) -> None:
    """Stop a run of a workflow: nothing new begins, what runs is told to stop.

    Raises:
        Conflict: it has ended, or is being stopped.
    """
    with transaction.atomic():
        rows = WorkflowRun.objects.filter(
            pk=run.pk, status=WorkflowRun.Status.RUNNING, cancel_requested_at=None
        )
        if not rows.update(
            cancel_requested_at=timezone.now(), cancelled_by_name=actor.audit_name
        ):
            raise Conflict(
                _("%(run)s has ended or is being stopped already.") % {"run": run},
                code="not_running",
            )
        audit.record(actor, "workflow.cancel", run)
        for step in run.steps.filter(status=Status.PAUSED):
            withdraw(kind=STEP, object_id=step.pk)
    for step in run.steps.filter(status=Status.RUNNING, run__isnull=False):
        try:
            cancel_run(actor=actor, run=step.run)  # type: ignore[arg-type]
        except Conflict:
            continue  # it has ended by itself
    run.refresh_from_db()


def resume_workflow(*, actor: Any, run: WorkflowRun) -> None:
    """Go on with a run that failed or was cancelled: what did not end well runs again, what ended well stays.

    From now on it runs as the one who resumes it.

    Raises:
        Forbidden: as start_workflow.
        Conflict: it goes on, or there is nothing left to do.
    """
    _check_again(actor)
    bad = [Status.FAILED, Status.CANCELLED]
    with transaction.atomic():
        _reopen(actor, run, going_on=False)
        again = run.steps.filter(status__in=bad, waived=False)
        keys = [step.key for step in again]
        if not keys:
            raise Conflict(
                _("No step of %(run)s failed.") % {"run": run}, code="nothing_failed"
            )
        for step in again:
            _set_back(step)
        run.steps.filter(status=Status.SKIPPED, waived=False).update(**_FRESH)
        _ask_anew(run, keys)
        changes = [{"field": "steps", "old": None, "new": keys}]
        audit.record(actor, "workflow.resume", run, changes=changes)
    run.refresh_from_db()


def retry_step(*, actor: Any, run: WorkflowRun, key: str) -> None:
    """Run one failed step again, and what was skipped because of it; also while other steps go on.

    Raises:
        Forbidden: as start_workflow.
        Conflict: it did not fail.
    """
    _check_again(actor)
    with transaction.atomic():
        _reopen(actor, run, going_on=True)
        step = _failed_step(run, key)
        _set_back(step)
        _wake_after(run, key)
        _ask_anew(run, [key])
        audit.record(actor, "workflow.retry", run, reason=key)
    run.refresh_from_db()


def skip_step(*, actor: Any, run: WorkflowRun, key: str, reason: str) -> None:
    """Let a failed step count as done, with a reason that stays on its page; what comes after its success goes on.

    Raises:
        Forbidden: as start_workflow.
        Conflict: it did not fail.
        DomainError: no reason; an approval that was refused cannot be skipped.
    """
    _check_again(actor)
    if not reason.strip():
        raise DomainError(
            _("Say why the step may be skipped."), fields={"reason": _("Say why.")}
        )
    with transaction.atomic():
        _reopen(actor, run, going_on=True)
        step = _failed_step(run, key)
        if step.does == Does.APPROVAL:
            raise DomainError(
                _("An approval is given by those who may, not skipped."),
                _("Retry the step: they are asked again."),
                code="approval_skipped",
            )
        words = _("Skipped by %(who)s: %(why)s") % {
            "who": actor.audit_name,
            "why": reason.strip()[:500],
        }
        rows = WorkflowStepRun.objects.filter(pk=step.pk, status=step.status)
        rows.update(
            status=Status.SKIPPED,
            waived=True,
            explanation=f"{words} ({step.explanation})"[:4000],
        )
        _wake_after(run, key)
        changes = [{"field": "step", "old": None, "new": key}]
        audit.record(
            actor, "workflow.skip", run, changes=changes, reason=reason.strip()[:500]
        )
    run.refresh_from_db()


_FRESH: dict[str, Any] = {
    "status": Status.WAITING,
    "explanation": "",
    "values": {},
    "started_at": None,
    "ended_at": None,
    "until": None,
    "tries": 0,
}


def _check_again(actor: Any) -> None:
    ensure_whole_user(actor)
    if not actor.has_perm("tasks.control_workflowrun"):
        raise Forbidden(
            _("You may not steer runs of workflows."),
            _("Ask for the permission tasks.control_workflowrun."),
        )


def _reopen(actor: Any, run: WorkflowRun, *, going_on: bool) -> None:
    """Take a run of a workflow back into work, once; from now on it runs as the actor.

    Args:
        going_on: one that has not ended will do, too.
    """
    state = WorkflowRun.Status
    rows = WorkflowRun.objects.filter(pk=run.pk)
    person = {"requested_by": actor, "requested_by_name": actor.username}
    fresh = {"explanation": "", "ended_at": None, "cancelled_by_name": ""}
    open_now = rows.filter(status=state.RUNNING, cancel_requested_at=None)
    ended = (state.FAILED, state.CANCELLED, *([state.OK] if going_on else []))
    if not (going_on and open_now.update(**person)) and not rows.filter(
        status__in=ended
    ).update(status=state.RUNNING, cancel_requested_at=None, **fresh, **person):
        raise Conflict(
            _("%(run)s goes on, or ended well.") % {"run": run}, code="not_failed"
        )
    if run.requested_by_id != actor.pk:
        _ask_anew(run)


def _ask_anew(run: WorkflowRun, keys: Iterable[str] | None = None) -> None:
    """Set approvals back: what they were given for is not what goes on.

    Args:
        keys: those behind these steps, which run again; without them all: they were given to somebody else, and who
            approved may be the one who goes on.
    """
    steps = run.steps.all()
    if keys is not None:
        graph = graph_of(run.definition)
        steps = steps.filter(key__in=set().union(*(graph.after(key) for key in keys)))
    given = steps.filter(does=Does.APPROVAL, waived=False)
    for step in given.filter(status__in=(Status.OK, Status.PAUSED)):
        withdraw(kind=STEP, object_id=step.pk, given=True)
        _set_back(step)
    # What was about to begin is judged again.
    steps.filter(status=Status.READY).update(status=Status.WAITING)


def _failed_step(run: WorkflowRun, key: str) -> WorkflowStepRun:
    step = run.steps.filter(key=key, status=Status.FAILED).first()
    if step is None:
        raise Conflict(_("This step did not fail."), code="step_not_failed")
    return step


def _set_back(step: WorkflowStepRun) -> None:
    """Make a step wait again, and remember what this attempt came to."""
    past = {
        "attempt": step.attempt,
        "status": step.status,
        "run": step.run_id,
        "explanation": step.explanation[:500],
    }
    rows = WorkflowStepRun.objects.filter(pk=step.pk, attempt=step.attempt)
    rows.update(
        **_FRESH, attempt=F("attempt") + 1, run=None, past=[*step.past, past][-PAST:]
    )


def _wake_after(run: WorkflowRun, key: str) -> None:
    """Let the steps after one be judged again, where they were left out."""
    after = graph_of(run.definition).after(key)
    left_out = run.steps.filter(key__in=after, status=Status.SKIPPED, waived=False)
    left_out.update(**_FRESH)
