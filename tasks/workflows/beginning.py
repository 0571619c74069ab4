"""What happens when a step begins: a run, an approval, a wait, a web-hook."""

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.models import WorkflowRun, WorkflowStep, WorkflowStepRun
from tasks.services.launch import request_run
from tasks.services.vouching import ensure_run_vouched
from tasks.workflows.approving import ask_for_step, check_still_approved
from tasks.workflows.definition import step_of
from tasks.workflows.moves import move, words_of_cancel
from tasks.workflows.starting import filled, spec_for

Status = WorkflowStepRun.Status
Does = WorkflowStep.Does
logger = logging.getLogger(__name__)


def begin(run: WorkflowRun, step: WorkflowStepRun) -> list[int]:
    """Start what a ready step does; what is wrong with it makes it fail, with a sentence."""
    if run.cancel_requested_at:
        move(step, Status.CANCELLED, explanation=words_of_cancel(run))
        return []
    status = step.status
    try:
        _check_person(run)
        return _STARTS[Does(step.does)](run, step)
    except DomainError as error:
        # What was written until then is taken back: in the database the step is still ready.
        step.status = status
        words = f"{error.message} {error.hint}".strip()
    except Exception:
        logger.exception("workflow %s: step %s could not start", run.pk, step.key)
        step.status = status
        words = _("The portal could not start it; its log says why.")
    move(step, Status.FAILED, explanation=words, started_at=timezone.now())
    return []


def _check_person(run: WorkflowRun) -> None:
    """Refuse to go on for somebody who is gone; what the person may do is judged where each step starts."""
    person = run.requested_by
    if person is None or not person.may_sign_in:
        raise DomainError(_("Whoever started this workflow may not sign in any more."))


def _begin_work(run: WorkflowRun, step: WorkflowStepRun) -> list[int]:
    """Ask for the run of a step, once: the step and the run are written together or not at all."""
    frozen = step_of(run, step.key)
    check_still_approved(run, step.key)
    spec = filled(run, spec_for(run, step.key))
    somewhere = spec.host_ids or spec.group_ids or spec.host_filter
    if frozen["hosts_from"] and not somewhere:
        words = _("No host of the step %(key)s ended so: there was nothing to do.")
        told = {"key": frozen["hosts_from"]}
        nothing = {"status": "ok", "hosts": 0, "ok": 0, "failed": 0}
        nothing |= {"ok_hosts": [], "failed_hosts": [], "exit_codes": []}
        move(step, Status.OK, explanation=words % told, values=nothing)
        return []
    with transaction.atomic():
        if not move(step, Status.RUNNING, started_at=timezone.now(), explanation=""):
            return []
        made = request_run(actor=run.requested_by, spec=spec)
        ensure_run_vouched(run)
        WorkflowStepRun.objects.filter(pk=step.pk).update(run=made)
    return [made.pk]


def _begin_approval(run: WorkflowRun, step: WorkflowStepRun) -> list[int]:
    with transaction.atomic():
        if move(step, Status.PAUSED, started_at=timezone.now(), explanation=""):
            ask_for_step(run=run, step=step)
    return []


def _begin_wait(run: WorkflowRun, step: WorkflowStepRun) -> list[int]:
    now = timezone.now()
    move(step, Status.RUNNING, started_at=now, until=end_of_wait(run, step.key, now))
    return []


def end_of_wait(run: WorkflowRun, key: str, now: datetime) -> datetime:
    """Say when a wait that begins now is over: after so many seconds, or when the clock shows that time next."""
    frozen = step_of(run, key)
    if frozen["wait_seconds"]:
        return now + timedelta(seconds=frozen["wait_seconds"])
    hour, minute = (int(part) for part in str(frozen["wait_until"]).split(":")[:2])
    here = now.astimezone(ZoneInfo(frozen["wait_zone"] or "UTC"))
    at = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if at <= here:
        at = (at + timedelta(days=1)).replace(hour=hour, minute=minute)
    return at.astimezone(ZoneInfo("UTC"))


def _begin_web_hook(run: WorkflowRun, step: WorkflowStepRun) -> list[int]:
    # Who sends it takes it from there (web_hooks.py).
    now = timezone.now()
    move(step, Status.RUNNING, started_at=now, until=now, tries=0)
    return []


_STARTS = {
    Does.WORK: _begin_work,
    Does.TEMPLATE: _begin_work,
    Does.APPROVAL: _begin_approval,
    Does.WAIT: _begin_wait,
    Does.WEB_HOOK: _begin_web_hook,
}
