"""Steps that tell somebody outside: JSON to an address, again with growing pauses, at least once and never for ever."""

import json
import time
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import outbound
from adminset.errors import DomainError
from adminset.webhook_sending import signature
from tasks.models import WorkflowRun, WorkflowStep, WorkflowStepRun
from tasks.workflows.definition import secret_of, step_of
from tasks.workflows.moves import move, touch_tries
from tasks.workflows.starting import values_of_steps
from tasks.workflows.values import fill

Status = WorkflowStepRun.Status
# Whoever dies while sending loses the step after so long; then it is sent again.
CLAIM_SECONDS = 120
FIRST_PAUSE_SECONDS = 10


def send_due(pk: int) -> int:
    """Send what a run of a workflow has to say now; gives how many messages were tried."""
    run = WorkflowRun.objects.filter(pk=pk, status=WorkflowRun.Status.RUNNING).first()
    if run is None or run.cancel_requested_at:
        return 0
    due = run.steps.filter(
        does=WorkflowStep.Does.WEB_HOOK,
        status=Status.RUNNING,
        until__lte=timezone.now(),
    )
    return sum(_try(run, step) for step in due)


def _try(run: WorkflowRun, step: WorkflowStepRun) -> bool:
    later = timezone.now() + timedelta(seconds=CLAIM_SECONDS)
    if not touch_tries(step, later):
        return False
    step.tries += 1
    step.workflow_run = run
    try:
        answer = _post(run, step)
    except DomainError as error:
        _failed(run, step, f"{error.message} {error.hint}".strip())
        return True
    if 200 <= answer.status < 300:
        words = _("Answered with status %(status)s.") % {"status": answer.status}
        move(step, Status.OK, explanation=words, values={"status": answer.status})
    else:
        words = _("The receiver answered with status %(status)s.")
        _failed(run, step, words % {"status": answer.status})
    return True


def _post(run: WorkflowRun, step: WorkflowStepRun) -> Any:
    frozen = step_of(run, step.key)
    told = fill(frozen["hook_body"], values_of_steps(run), run.variables)
    message = {
        "workflow": run.name,
        "workflow_run": run.pk,
        "step": step.key,
        "started_by": run.requested_by_name,
        "message": told,
    }
    body = json.dumps(message).encode()
    headers = {
        "Content-Type": "application/json",
        "X-AdminSet-Event": "workflow.step",
        # The same for each try of this step: the receiver can tell a repetition.
        "X-AdminSet-Delivery": f"workflow-{run.pk}-{step.key}-{step.attempt}",
    }
    secret = secret_of(run, step.key, "sealed")
    if secret:
        headers["X-AdminSet-Signature"] = signature(secret, int(time.time()), body)
    url = secret_of(run, step.key, "hook_url")
    return outbound.fetch("POST", url, data=body, headers=headers)


def _failed(run: WorkflowRun, step: WorkflowStepRun, words: str) -> None:
    if step.tries >= step_of(run, step.key)["hook_tries"]:
        move(step, Status.FAILED, explanation=words)
        return
    pause = timedelta(seconds=FIRST_PAUSE_SECONDS * 2 ** (step.tries - 1))
    move(step, Status.RUNNING, explanation=words, until=timezone.now() + pause)
