"""Moves a release run on: one part after the other; back in reverse order once one failed. Anybody may call it at any time."""

import logging

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.engine.controlling import cancel_deploy
from delivery.models import (
    Artefact,
    Deploy,
    DeployHost,
    DeployRequest,
    LiveRelease,
    SetPart,
    SetRun,
)
from delivery.releasesets.going_back import move_back, turn
from delivery.releasesets.parts import asked, end, settle
from delivery.selectors import most_live

logger = logging.getLogger(__name__)
State, Run = SetPart.State, SetRun.State
MOST_MOVES = 1000


def advance(pk: int) -> None:
    """Move a release run on as far as it can now; it never waits for anything."""
    for _number in range(MOST_MOVES):
        if not _move(pk):
            return
    logger.error("set %s moves and moves", pk)


def sweep() -> None:
    """Move on what nobody was called for."""
    for pk in SetRun.objects.filter(state__in=SetRun.OPEN).values_list("pk", flat=True):
        try:
            advance(pk)
        except Exception:
            # One that is broken does not hold up the others.
            logger.exception("set %s: could not be moved on", pk)


@transaction.atomic
def _move(pk: int) -> bool:
    """Do one move; say whether there may be another."""
    run = SetRun.objects.select_for_update().filter(pk=pk).first()
    if run is None or not run.is_open:
        return False
    related = (
        "request__deploy",
        "back_request__deploy",
        "pipeline",
        "environment",
        "before",
    )
    plans = ("request__deploy__plan", "back_request__deploy__plan")
    rows = run.parts.select_related(*related).defer(*plans)
    parts = list(rows.order_by("position"))
    if run.state == Run.GOING_BACK:
        return move_back(run, parts)
    return _move_on(run, parts)


def _move_on(run: SetRun, parts: list[SetPart]) -> bool:
    going = next((part for part in parts if part.state == State.GOING), None)
    if going is not None:
        return _look(run, going)
    failed = next((part for part in parts if part.state == State.FAILED), None)
    if failed is not None:
        return turn(
            run,
            parts,
            _("%(part)s failed: %(why)s") % {"part": failed, "why": failed.words},
        )
    if run.cancel_requested_at is not None:
        words = _("Cancelled by %(who)s.")
        return turn(run, parts, words % {"who": run.cancelled_by or "-"})
    waiting = next((part for part in parts if part.state == State.WAITING), None)
    if waiting is None:
        return end(run, Run.OK, _("All parts were delivered."))
    _begin(run, waiting)
    return True


def _begin(run: SetRun, part: SetPart) -> None:
    part.before = live_of(part)
    part.request = asked(
        run.requested_by,
        run,
        part,
        "go",
        ref_kind=part.ref_kind,
        ref=part.ref,
        reason=_("%(run)s: %(reason)s") % {"run": run, "reason": run.reason},
    )
    part.state = State.GOING
    part.save(update_fields=["before", "request", "state"])


def live_of(part: SetPart) -> Artefact | None:
    """Give what most hosts of a part's environment run; None where nothing is known to be live."""
    rows = LiveRelease.objects.filter(environment=part.environment_id)
    return next(
        iter(most_live(rows.select_related("artefact__project").defer("kept"))), None
    )


def _look(run: SetRun, part: SetPart) -> bool:
    """Look how the running part stands; whoever wants it stopped has its deploy stopped."""
    request = part.request
    if request is None or request.state == DeployRequest.State.REFUSED:
        return settle(
            part,
            State.FAILED,
            request.words if request else _("Nobody may start it any more."),
        )
    if request.is_open:
        return False
    deploy = request.deploy
    if deploy is None:
        return settle(
            part,
            State.OK if request.state == DeployRequest.State.LEFT else State.FAILED,
            request.words,
        )
    if deploy.is_open:
        if run.cancel_requested_at is not None:
            _stop(run, deploy)
        return False
    # Also where some hosts ended well before the deploy failed: they run the new release.
    new = Q(touched=True) | Q(status=DeployHost.Status.OK)
    part.to_take_back = (
        deploy.status == Deploy.Status.OK or deploy.hosts.filter(new).exists()
    )
    if deploy.status == Deploy.Status.OK:
        return settle(part, State.OK, "")
    return settle(
        part, State.FAILED, f"{deploy.get_status_display()}. {deploy.explanation}"
    )


def _stop(run: SetRun, deploy: Deploy) -> None:
    if deploy.cancel_requested_at is not None or run.cancelled_by is None:
        return
    try:
        cancel_deploy(actor=run.cancelled_by, deploy=deploy, reason=str(run))
    except DomainError:
        # It is being taken back, or has ended: the next look sees that.
        logger.info("set %s: deploy %s is not stopped", run.pk, deploy.pk)
