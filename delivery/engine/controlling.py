"""What people do to a deploy that goes on, or that ended badly: cancel, pause, resume, retry."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import may
from appconf.vouching import ensure_may_deploy
from delivery.engine import moves
from delivery.engine.calls import call
from delivery.engine.requesting import ask
from delivery.models import Deploy, DeployHost, DeployStep
from delivery.planning.planning import make_plan

Status = Deploy.Status
RETRIES = ("failed", "stage")


@transaction.atomic
def cancel_deploy(*, actor: Any, deploy: Deploy, reason: str = "") -> None:
    """Stop a deploy: what runs is ended, on the hosts too; what was switched goes back; twice is once.

    Raises:
        Forbidden: it is not for the actor to stop. Conflict: it has ended, or is being taken back already.
    """
    held = _held(actor, deploy, "cancel")
    if held.cancel_requested_at:
        return
    if held.ending:
        words = _("It is being taken back already: that is not stopped half way.")
        raise Conflict(words, code="ending")
    moves.write(
        held,
        cancel_requested_at=timezone.now(),
        cancelled_by_name=actor.username[:150],
    )
    audit.record(actor, "deploy.cancel", held, reason=reason)
    call(held.pk)


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
def resume_deploy(*, actor: Any, deploy: Deploy, reason: str = "") -> None:
    """Go on: after a pause, with the next batch, past hosts that did not end well. It is the yes to a `confirm` stage too.

    Raises:
        Forbidden: the actor may not. Conflict: it is not paused.
    """
    held = _held(actor, deploy, "control")
    if held.status != Status.PAUSED:
        raise Conflict(_("It is not paused."), code="not_paused")
    moves.write(
        held,
        status=Status.RUNNING,
        waiting_for="",
        paused_at=None,
        paused_by_name="",
    )
    audit.record(actor, "deploy.resume", held, reason=reason)
    call(held.pk)


def retry_deploy(
    *, actor: Any, deploy: Deploy, what: str = "failed", reason: str = ""
) -> Deploy:
    """Try again what went wrong.

    A deploy that is paused after a bad batch goes on with that batch; one that ended gets a successor, of the same commit or
    artefact and the same plan's way.

    Args:
        what: "failed": the hosts that do not have the release; "stage": the same, on all hosts of the deploy.

    Raises:
        Forbidden: the actor may not. Conflict: it goes on, or all is well. DomainError: `what` is neither.
    """
    if what not in RETRIES:
        raise DomainError(
            _("Retry `failed` or `stage`."), fields={"what": "failed, stage"}
        )
    if deploy.is_open:
        return _retry_stage(actor, deploy, reason)
    if deploy.status == Status.OK:
        raise Conflict(_("All is well: there is nothing to retry."), code="all_well")
    if not may(actor, "control", deploy):
        raise Forbidden(_("You may not retry this deploy."))
    rows = deploy.hosts.exclude(host=None)
    if what == "failed":
        rows = rows.exclude(status=DeployHost.Status.OK)
    ids = list(rows.values_list("host_id", flat=True))
    if not ids:
        # An empty choice would mean all hosts of the environment.
        raise Conflict(
            _("None of the hosts that did not end well is left."),
            _("Deploy again where the others are to have it too."),
            code="all_well",
        )
    plan = make_plan(
        actor=actor,
        pipeline=deploy.pipeline,
        environment=deploy.environment,
        **_same_source(deploy),
        artefact=deploy.artefact,
        host_ids=ids,
        kind=deploy.kind,
    )
    return ask(
        actor=actor,
        pipeline=deploy.pipeline,
        environment=deploy.environment,
        plan=plan,
        reason=reason or deploy.reason,
        retried_from=deploy,
    )


def _same_source(deploy: Deploy) -> dict[str, Any]:
    """Name what was delivered, not what a branch is by now."""
    moves_on = deploy.ref_kind in (Deploy.RefKind.BRANCH, Deploy.RefKind.TAG)
    if moves_on and deploy.commit:
        return {"ref_kind": Deploy.RefKind.COMMIT, "ref": deploy.commit}
    return {"ref_kind": deploy.ref_kind, "ref": deploy.ref}


@transaction.atomic
def _retry_stage(actor: Any, deploy: Deploy, reason: str) -> Deploy:
    held = _held(actor, deploy, "control")
    bad = held.steps.filter(status=DeployStep.Status.FAILED).order_by("-position")
    step = bad.first()
    # A deploy that was paused by hand may still have a batch in hand: two at once are more than its policy allows.
    runs = held.steps.filter(status=DeployStep.Status.RUNNING).exists()
    if held.status != Status.PAUSED or step is None or runs:
        words = _("It goes on: there is nothing to retry.")
        raise Conflict(words, code="not_paused")
    moves.again(step)
    moves.write(held, status=Status.RUNNING, waiting_for="", paused_at=None)
    changes: list[audit.Change] = [{"field": "step", "old": None, "new": step.words}]
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
