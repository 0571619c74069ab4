"""What people do to a deploy that goes on, or that ended badly: cancel, pause, resume, retry."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, Forbidden
from adminset.querysets import may
from appconf.vouching import ensure_may_deploy
from delivery.engine import moves
from delivery.engine.calls import call
from delivery.engine.pausing import begin_again, failed_ground
from delivery.engine.repeating import ensure_known, hosts_again, plan_again
from delivery.engine.requesting import ask
from delivery.models import Deploy, DeployStep
from delivery.safety.reach import ensure_goes_to
from delivery.safety.windows import (
    bad_mark_words,
    check_emergency,
    closed_words,
    waits_for_window,
)

Status = Deploy.Status
Step = DeployStep.Status
# What failed may be begun once more; what runs goes on anyway.
DONE = (Step.OK, Step.SKIPPED, Step.CANCELLED, Step.RUNNING)


@transaction.atomic
def cancel_deploy(*, actor: Any, deploy: Deploy, reason: str = "") -> None:
    """Stop a deploy: what runs is ended, on the hosts too; what was switched goes back; twice is once.

    Raises:
        Forbidden: it is not for the actor to stop. Conflict: it has ended, is being taken back already (code "ending"), or is
            live (code "live").
    """
    held = _held(actor, deploy, "cancel")
    if held.cancel_requested_at:
        return
    _ensure_stoppable(held)
    moves.write(
        held,
        cancel_requested_at=timezone.now(),
        cancelled_by_name=actor.username[:150],
    )
    audit.record(actor, "deploy.cancel", held, reason=reason)
    call(held.pk)


def _ensure_stoppable(held: Deploy) -> None:
    if held.ending:
        words = _("It is being taken back already: that is not stopped half way.")
        raise Conflict(words, code="ending")
    finish = held.steps.filter(kind=DeployStep.Kind.FINISH)
    if finish.exclude(status=DeployStep.Status.WAITING).exists():
        raise Conflict(
            _("The release is live, and older ones are being cleared away."),
            _("Roll back instead, once it has ended."),
            code="live",
        )


@transaction.atomic
def pause_deploy(*, actor: Any, deploy: Deploy, reason: str = "") -> None:
    """Let what runs come to its end, and begin nothing further until somebody resumes it.

    Raises:
        Forbidden: the actor may not. Conflict: it does not run, or is being taken back.
    """
    held = _held(actor, deploy, "control")
    if held.status != Status.RUNNING or held.ending:
        words = _("Only a deploy that runs can be paused.")
        raise Conflict(words, code="not_running")
    words = _("Paused by %(who)s.") % {"who": actor.username}
    moves.pause(held, words, actor.username)
    audit.record(actor, "deploy.pause", held, reason=reason)


@transaction.atomic
def resume_deploy(
    *, actor: Any, deploy: Deploy, reason: str = "", emergency_reason: str = ""
) -> None:
    """Go on: after a pause, with the next batch, past hosts that did not end well. It is the yes to a `confirm` stage too.

    Args:
        emergency_reason: why it goes on outside the change windows.

    Raises:
        Forbidden: the actor may not, or may not do so outside the windows. Conflict: it is not paused, a stage failed without
            which nothing can follow (code "stage_failed"), its release was marked bad (code "bad"), or the windows are closed and
            nobody says why (code "closed").
    """
    held = _held(actor, deploy, "control")
    if held.status != Status.PAUSED:
        raise Conflict(_("It is not paused."), code="not_paused")
    if failed_ground(held) is not None:
        raise Conflict(
            _("A stage failed that the others build on."),
            _("Retry the stage, or cancel."),
            code="stage_failed",
        )
    _ensure_good(held)
    changes = _pass_window(actor, held, emergency_reason)
    moves.write(
        held,
        status=Status.RUNNING,
        waiting_for="",
        paused_at=None,
        paused_by_name="",
    )
    audit.record(actor, "deploy.resume", held, changes=changes, reason=reason)
    call(held.pk)


def closed_now(deploy: Deploy) -> str:
    """Say why a deploy may not simply go on, or its successor begin: hosts would change, and its windows are closed; "" where it may."""
    if not deploy.is_open:
        # A successor has an emergency of its own, or none.
        pipeline, environment = deploy.pipeline, deploy.environment
        return "" if deploy.is_rollback else closed_words(pipeline, environment)
    return waits_for_window(deploy) if _will_change(deploy) else ""


def _will_change(deploy: Deploy) -> bool:
    kinds = DeployStep.Kind
    changing = (kinds.ACTIVATE, kinds.COMMAND, kinds.AFTER)
    left = deploy.steps.exclude(status__in=DONE).filter(kind__in=changing)
    return left.exists()


def _ensure_good(held: Deploy) -> None:
    """Refuse to bring to further hosts what was marked as bad meanwhile, or by a pipeline that does not go there any more.

    An emergency of one resume is no yes to that.
    """
    if not _will_change(held):
        return
    ensure_goes_to(held.pipeline, held.environment)
    words = bad_mark_words(held)
    if words:
        raise Conflict(
            words, _("Cancel the deploy, or take the mark away."), code="bad"
        )


def _pass_window(actor: Any, held: Deploy, reason: str) -> list[audit.Change]:
    """Let a deploy go on this once outside its windows, in an emergency only; give what the trail is told.

    It is no emergency of the deploy: after the next pause the windows count again.
    """
    closed = closed_now(held)
    if not closed:
        return []
    if not reason.strip():
        hint = _("Wait for the window, or say why it cannot wait.")
        raise Conflict(closed, hint, code="closed")
    words = check_emergency(actor, held.pipeline, held.environment, reason)
    return [{"field": "emergency", "old": None, "new": words}]


def retry_deploy(
    *,
    actor: Any,
    deploy: Deploy,
    what: str = "failed",
    reason: str = "",
    emergency_reason: str = "",
) -> Deploy:
    """Try again what went wrong.

    A deploy that is paused after a bad batch or stage goes on with that; one that ended gets a successor, of the same commit
    or artefact and the same way.

    Args:
        what: "failed": the hosts that do not have the release; "stage": the same, on all hosts of the deploy.
        emergency_reason: why it begins, or goes on, outside the change windows.

    Raises:
        Forbidden: the actor may not. Conflict: it goes on, or all is well; the way, the path, the account, the source or a
            variable is another one by now (code "plan_changed"), or its release was marked bad (code "bad"). DomainError: `what` is neither.
    """
    ensure_known(what)
    if deploy.is_open:
        return _retry_stage(actor, deploy, what, reason, emergency_reason)
    ids = hosts_again(actor=actor, deploy=deploy, what=what)
    plan = plan_again(actor=actor, deploy=deploy, host_ids=ids)
    return ask(
        actor=actor,
        pipeline=deploy.pipeline,
        environment=deploy.environment,
        plan=plan,
        reason=reason or deploy.reason,
        emergency_reason=emergency_reason,
        retried_from=deploy,
    )


@transaction.atomic
def _retry_stage(
    actor: Any, deploy: Deploy, what: str, reason: str, emergency_reason: str
) -> Deploy:
    held = _held(actor, deploy, "control")
    bad = held.steps.filter(status=DeployStep.Status.FAILED).order_by("-position")
    step = bad.first()
    # A deploy that was paused by hand may still have a batch in hand: two at once are more than its policy allows.
    runs = held.steps.filter(status=DeployStep.Status.RUNNING).exists()
    if held.status != Status.PAUSED or step is None or runs:
        words = _("It is still running: there is nothing to retry.")
        raise Conflict(words, code="not_paused")
    begin_again(step, what=what)
    _ensure_good(held)
    changes = _pass_window(actor, held, emergency_reason)
    moves.write(held, status=Status.RUNNING, waiting_for="", paused_at=None)
    told: list[audit.Change] = [
        {"field": "step", "old": None, "new": step.words},
        {"field": "what", "old": None, "new": what},
    ]
    changes = [*told, *changes]
    audit.record(actor, "deploy.retry", held, changes=changes, reason=reason)
    call(held.pk)
    return held


def _held(actor: Any, deploy: Deploy, action: str) -> Deploy:
    """Give the deploy with its row locked, after asking whether the actor may."""
    held = Deploy.objects.select_for_update().get(pk=deploy.pk)
    if not may(actor, action, held):
        raise Forbidden(_("You may not do that to this deploy."))
    ensure_may_deploy(actor, held.environment)
    if not held.is_open:
        raise Conflict(_("%(deploy)s has ended.") % {"deploy": held}, code="ended")
    return held
