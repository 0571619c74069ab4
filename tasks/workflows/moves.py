"""How steps move from one status to another: by conditional UPDATE, so that of two at once one does it."""

from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from tasks.models import WorkflowRun, WorkflowStepRun

Status = WorkflowStepRun.Status


def move(step: WorkflowStepRun, status: str, **values: Any) -> bool:
    """Set a step's status, if it still stands as it was read; False where somebody else was quicker."""
    ended = status not in WorkflowStepRun.OPEN
    if ended:
        values = {"ended_at": timezone.now()} | values
    # A run of a workflow that has ended moves no more. No join here: PostgreSQL looks again only at the row's own columns
    # when somebody else was quicker.
    going = WorkflowRun.objects.filter(status=WorkflowRun.Status.RUNNING).order_by()
    rows = WorkflowStepRun.objects.filter(
        pk=step.pk,
        status=step.status,
        attempt=step.attempt,
        workflow_run__in=going.values("pk"),
    )
    if not rows.update(status=status, **values):
        return False
    step.status = status
    for name, value in values.items():
        setattr(step, name, value)
    return True


def end_of(step: WorkflowStepRun) -> str | None:
    """Say how a step ended, as edges see it: "success", "failure", "" (it did not run); None while it is open."""
    if step.is_open:
        return None
    if step.waived or step.status == Status.OK:
        return "success"
    return "failure" if step.status == Status.FAILED else ""


def words_of_cancel(run: WorkflowRun) -> str:
    """Say who cancelled it."""
    return _("Cancelled by %(who)s.") % {"who": run.cancelled_by_name}


def touch_tries(step: WorkflowStepRun, until: datetime) -> bool:
    """Take a web-hook's step for one try; False where somebody else has it, or it has ended."""
    rows = WorkflowStepRun.objects.filter(
        pk=step.pk, status=Status.RUNNING, attempt=step.attempt, tries=step.tries
    )
    return bool(rows.update(tries=F("tries") + 1, until=until))
