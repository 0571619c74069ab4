"""Moves a set on: one part after the other; back in reverse order once one failed. Anybody may call it at any time."""

import logging
from collections import Counter
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
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
from delivery.triggers.wishing import wish

logger = logging.getLogger(__name__)
State, Run = SetPart.State, SetRun.State
ENGINE = audit.SystemActor("release sets")
MOST_MOVES = 1000


def advance(pk: int) -> None:
    """Move a set on as far as it goes now; it never waits for anything."""
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
    parts = list(run.parts.select_related(*related).order_by("position"))
    if run.state == Run.GOING_BACK:
        return _move_back(run, parts)
    return _move_on(run, parts)


# ---- On


def _move_on(run: SetRun, parts: list[SetPart]) -> bool:
    going = next((part for part in parts if part.state == State.GOING), None)
    if going is not None:
        return _look(run, going)
    failed = next((part for part in parts if part.state == State.FAILED), None)
    if failed is not None:
        return _turn(
            run,
            parts,
            _("%(part)s failed: %(why)s") % {"part": failed, "why": failed.words},
        )
    if run.cancel_requested_at is not None:
        words = _("Cancelled by %(who)s.")
        return _turn(run, parts, words % {"who": run.cancelled_by or "-"})
    waiting = next((part for part in parts if part.state == State.WAITING), None)
    if waiting is None:
        return _end(run, Run.OK, _("All of it went."))
    _begin(run, waiting)
    return True


def _begin(run: SetRun, part: SetPart) -> None:
    part.before = live_of(part)
    part.request = _wished(
        run,
        part,
        "go",
        ref_kind=part.ref_kind,
        ref=part.ref,
        reason=_("%(run)s: %(reason)s") % {"run": run, "reason": run.reason},
    )
    part.state = State.GOING
    part.save(update_fields=["before", "request", "state"])


def _wished(
    run: SetRun, part: SetPart, way: str, **wanted: Any
) -> DeployRequest | None:
    """Wish for a deploy of a part in the name of the one who let the set go; None where that user is gone."""
    actor = run.requested_by
    if actor is None:
        return None
    return wish(
        actor=actor,
        key=f"set:{run.pk}:{part.pk}:{way}",
        pipeline=part.pipeline,
        environment=part.environment,
        trigger=Deploy.Trigger.SET,
        **wanted,
    )


def live_of(part: SetPart) -> Artefact | None:
    """Give what most hosts of a part's environment run; None where nothing is known to be live."""
    rows = LiveRelease.objects.filter(environment=part.environment_id)
    most = Counter(rows.exclude(artefact=None).values_list("artefact", flat=True))
    return Artefact.objects.filter(
        pk__in=[pk for pk, _n in most.most_common(1)]
    ).first()


def _look(run: SetRun, part: SetPart) -> bool:
    """Look how the part that goes stands; whoever wants it stopped has its deploy stopped."""
    request = part.request
    if request is None or request.state == DeployRequest.State.REFUSED:
        return _settle(
            part,
            State.FAILED,
            request.words if request else _("Nobody may start it any more."),
        )
    if request.is_open:
        return False
    deploy = request.deploy
    if deploy is None:
        return _settle(
            part, State.OK if request.state == "left" else State.FAILED, request.words
        )
    if deploy.is_open:
        if run.cancel_requested_at is not None:
            _stop(run, deploy)
        return False
    # Also where some hosts ended well before the deploy failed: they run the new release.
    new = Q(touched=True) | Q(status=DeployHost.Status.OK)
    part.to_take_back = deploy.status == "ok" or deploy.hosts.filter(new).exists()
    if deploy.status == Deploy.Status.OK:
        return _settle(part, State.OK, "")
    return _settle(
        part, State.FAILED, f"{deploy.get_status_display()}. {deploy.explanation}"
    )


def _settle(part: SetPart, state: str, words: str) -> bool:
    part.state, part.words = state, words[:2000]
    part.save(update_fields=["state", "words", "to_take_back"])
    return True


def _stop(run: SetRun, deploy: Deploy) -> None:
    if deploy.cancel_requested_at is not None or run.cancelled_by is None:
        return
    try:
        cancel_deploy(actor=run.cancelled_by, deploy=deploy, reason=str(run))
    except DomainError:
        # It is being taken back, or has ended: the next look sees that.
        logger.info("set %s: deploy %s is not stopped", run.pk, deploy.pk)


# ---- Back


def _turn(run: SetRun, parts: list[SetPart], words: str) -> bool:
    """Turn a set around: what never began is left, what went comes back, the last one first."""
    for part in parts:
        if part.state == State.WAITING:
            _settle(part, State.SKIPPED, "")
    run.state, run.explanation = Run.GOING_BACK, words[:2000]
    run.save(update_fields=["state", "explanation"])
    audit.record(ENGINE, "releaseset.turn", run, reason=words[:500])
    return True


def _move_back(run: SetRun, parts: list[SetPart]) -> bool:
    going = next((part for part in parts if part.state == State.GOING_BACK), None)
    if going is not None:
        return _look_back(going)
    left = [part for part in parts if part.to_take_back]
    if left:
        return _take_back(run, left[-1])
    stuck = [str(part) for part in parts if part.state == State.STUCK]
    if stuck:
        words = _("Look there: %(parts)s.") % {"parts": ", ".join(stuck)}
        return _end(run, Run.FAILED, f"{run.explanation} {words}")
    cancelled = run.cancel_requested_at is not None
    back = _("What had gone came back.")
    words = f"{run.explanation} {back}"
    return _end(run, Run.CANCELLED if cancelled else Run.BACK, words)


def _take_back(run: SetRun, part: SetPart) -> bool:
    part.to_take_back = False
    made = part.request.deploy if part.request else None
    if part.before is None:
        return _settle(
            part,
            State.STUCK,
            _("Nothing was live before: there is nothing to go back to."),
        )
    if made is not None and made.artefact_id == part.before_id:
        return _settle(part, State.BACK, _("It had this release before, too."))
    part.back_request = _wished(
        run,
        part,
        "back",
        kind=Deploy.Kind.ROLLBACK,
        ref_kind=Deploy.RefKind.ARTEFACT,
        artefact=part.before,
        reason=_("%(run)s comes back: %(why)s") % {"run": run, "why": run.explanation},
    )
    part.state = State.GOING_BACK
    part.save(update_fields=["state", "back_request", "to_take_back"])
    return True


def _look_back(part: SetPart) -> bool:
    request = part.back_request
    if request is None or request.state == DeployRequest.State.REFUSED:
        return _settle(
            part,
            State.STUCK,
            request.words if request else _("Nobody may start it any more."),
        )
    deploy = request.deploy
    if request.is_open or (deploy is not None and deploy.is_open):
        return False
    if deploy is not None and deploy.status == Deploy.Status.OK:
        return _settle(part, State.BACK, "")
    return _settle(part, State.STUCK, deploy.explanation if deploy else request.words)


def _end(run: SetRun, state: str, words: str) -> bool:
    run.state, run.explanation, run.ended_at = (
        state,
        words.strip()[:4000],
        timezone.now(),
    )
    run.save(update_fields=["state", "explanation", "ended_at"])
    changes: list[audit.Change] = [{"field": "state", "old": None, "new": state}]
    audit.record(ENGINE, "releaseset.finish", run, changes=changes, reason=words[:500])
    return False
