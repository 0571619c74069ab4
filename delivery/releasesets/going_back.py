"""The way back of a release run: the last part first; what cannot be taken back is named, and the others still are."""

from django.utils.translation import gettext as _

from adminset import audit
from appconf.vouching import hosts_of
from delivery.models import Deploy, DeployRequest, LiveRelease, SetPart, SetRun
from delivery.releasesets.parts import ENGINE, asked, end, settle
from delivery.releasesets.since import stay_of

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
    back = _("What was delivered was taken back.")
    return end(run, _ended_as(run), f"{run.explanation} {back}")


def _ended_as(run: SetRun) -> str:
    if run.take_backs:
        return Run.TAKEN_BACK
    return Run.BACK if run.cancel_requested_at is None else Run.CANCELLED


def _take_back(run: SetRun, part: SetPart) -> bool:
    part.to_take_back = False
    stay = stay_of(part)
    if stay is not None:
        return settle(part, stay.state, stay.words)
    # A further try is for the hosts that did not come back: the others are well, and are not restarted.
    further = part.back_request_id is not None
    delivered = _hosts_of(part)
    if not delivered:
        # They may run it still: nobody took anything back.
        words = _(
            "Nothing may be delivered here any more: it left the environment, nobody with the right to run work added it, or who asked may not deploy there."
        )
        return settle(part, State.STUCK, words)
    hosts = _hosts_out(part, delivered) if further else delivered
    if not hosts:
        return settle(part, State.BACK, _("Somebody took it back already."))
    part.back_request = _asked_back(run, part, hosts)
    part.state = State.GOING_BACK
    part.save(update_fields=["state", "back_request", "to_take_back"])
    return True


def _asked_back(run: SetRun, part: SetPart, hosts: list[int]) -> DeployRequest | None:
    return asked(
        run.goes_back_as,
        run,
        part,
        # Each time that people have it taken back is a request of its own.
        f"back:{run.take_backs}" if run.take_backs else "back",
        kind=Deploy.Kind.ROLLBACK,
        ref_kind=Deploy.RefKind.ARTEFACT,
        artefact=part.before,
        host_ids=hosts,
        # Not why: that may name hosts, and whoever sees the deploy would read them. The release run says it.
        reason=_("%(run)s is taken back.") % {"run": run},
    )


def _hosts_out(part: SetPart, delivered: list[int]) -> list[int]:
    """Give those of a part's hosts (ids) that do not run what they had before, or of which that is not known."""
    live = LiveRelease.objects.filter(environment=part.environment_id)
    release = part.before.release if part.before else ""
    back = live.filter(artefact=part.before_id, said=release)
    known = set(back.values_list("host", flat=True))
    return [pk for pk in delivered if pk not in known]


def _hosts_of(part: SetPart) -> list[int]:
    """Give the hosts (ids) to which a part was delivered, as far as something may be delivered to them: others keep nothing to go back to."""
    made = part.request.deploy if part.request else None
    had = made.hosts.values_list("host", flat=True) if made else []
    wanted = hosts_of(part.environment).filter(pk__in=[pk for pk in had if pk])
    return sorted(wanted.values_list("pk", flat=True))


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
