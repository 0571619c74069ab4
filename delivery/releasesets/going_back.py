"""The way back of a release run: the last part first; what cannot be taken back is named, and the others still are."""

from django.utils.translation import gettext as _

from adminset import audit
from delivery.models import Deploy, DeployRequest, SetPart, SetRun
from delivery.releasesets.parts import ENGINE, asked, end, settle

State, Run = SetPart.State, SetRun.State


def turn(run: SetRun, parts: list[SetPart], words: str) -> bool:
    """Turn a release run around: what was not started is left, what was delivered is taken back, the last one first."""
    for part in parts:
        if part.state == State.WAITING:
            settle(part, State.SKIPPED, "")
    run.state, run.explanation = Run.GOING_BACK, words[:2000]
    run.save(update_fields=["state", "explanation"])
    audit.record(ENGINE, "releaseset.turn", run, reason=words[:500])
    return True


def move_back(run: SetRun, parts: list[SetPart]) -> bool:
    """Do one move of the way back; say whether there may be another."""
    going = next((part for part in parts if part.state == State.GOING_BACK), None)
    if going is not None:
        return _look_back(going)
    left = [part for part in parts if part.to_take_back]
    if left:
        return _take_back(run, left[-1])
    stuck = [str(part) for part in parts if part.state == State.STUCK]
    if stuck:
        words = _("Look there: %(parts)s.") % {"parts": ", ".join(stuck)}
        return end(run, Run.FAILED, f"{run.explanation} {words}")
    cancelled = run.cancel_requested_at is not None
    back = _("What was delivered was taken back.")
    words = f"{run.explanation} {back}"
    return end(run, Run.CANCELLED if cancelled else Run.BACK, words)


def _take_back(run: SetRun, part: SetPart) -> bool:
    part.to_take_back = False
    made = part.request.deploy if part.request else None
    if part.before is None:
        return settle(
            part,
            State.STUCK,
            _("Nothing was live before: there is nothing to go back to."),
        )
    if made is not None and made.artefact_id == part.before_id:
        return settle(part, State.BACK, _("It had this release before, too."))
    part.back_request = asked(
        run,
        part,
        "back",
        kind=Deploy.Kind.ROLLBACK,
        ref_kind=Deploy.RefKind.ARTEFACT,
        artefact=part.before,
        # Not why: that may name hosts, and whoever sees the deploy would read them. The release run says it.
        reason=_("%(run)s is taken back.") % {"run": run},
    )
    part.state = State.GOING_BACK
    part.save(update_fields=["state", "back_request", "to_take_back"])
    return True


def _look_back(part: SetPart) -> bool:
    request = part.back_request
    if request is None or request.state == DeployRequest.State.REFUSED:
        return settle(
            part,
            State.STUCK,
            request.words if request else _("Nobody may start it any more."),
        )
    deploy = request.deploy
    if request.is_open or (deploy is not None and deploy.is_open):
        return False
    if deploy is not None and deploy.status == Deploy.Status.OK:
        return settle(part, State.BACK, "")
    return settle(part, State.STUCK, deploy.explanation if deploy else request.words)
