"""Steps that wait: for a person's yes, and for the time in which a canary is watched."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery.engine.host_steps import rows_of, spoil
from delivery.engine.legwork import heard, request, stop
from delivery.engine.moves import OK, Outcome, failed, pause
from delivery.models import DeployHost, DeployStep
from delivery.onhost import legs
from delivery.onhost.ended import is_ok
from delivery.safety.gates import judge_gate
from delivery.way_models import Way
from tasks.legs.reading import HostReport

# With it a host says that its release is not well.
ILL = 78


@dataclass(frozen=True)
class Measured:
    """What the measured values of a canary said, and of which attempt of which step; `is_over`: its time was over then."""

    step_id: int
    attempt: int
    is_over: bool
    words: str

    def is_of(self, step: DeployStep) -> bool:
        """Whether they are of this attempt of a step."""
        return (self.step_id, self.attempt) == (step.pk, step.attempt)


def begin_confirm(step: DeployStep) -> Outcome | None:
    """Wait for a person."""
    words = _(
        "Stage %(name)s: resume it to go on, or cancel to take back what was switched."
    )
    pause(step.deploy, words % {"name": step.words})
    return OK


def begin_watch(step: DeployStep) -> Outcome | None:
    """Watch the canary for its time."""
    seconds = step.deploy.way["canary_watch_seconds"]
    step.until = timezone.now() + timedelta(seconds=seconds)
    step.total = seconds
    step.save(update_fields=["until", "total"])
    return None


def measure(deploy_id: int) -> Measured | None:
    """Ask the measured values of the canary that a deploy watches now; None where it watches none, or asks for no value.

    It may take seconds, so nothing is locked meanwhile. Of a deploy that is stopped nobody asks.
    """
    rows = DeployStep.objects.filter(
        deploy=deploy_id,
        deploy__cancel_requested_at=None,
        deploy__ending="",
        kind=DeployStep.Kind.WATCH,
        status=DeployStep.Status.RUNNING,
    )
    step = rows.select_related("deploy").first()
    if step is None or not step.deploy.way.get("gate_metric"):
        return None
    now = timezone.now()
    ids = [row.host_id for row in _watched(step) if row.host_id]
    is_over, began = _is_over(step, now), step.started_at or now
    # Once the end was reached with good values only a bad one counts: hosts are still asked whether they are well.
    ends = is_over and not step.found.get("last")
    words = judge_gate(step.deploy.way, ids, began, now, is_over=ends)
    return Measured(step.pk, step.attempt, is_over, words)


def judge_watch(step: DeployStep, measured: Measured | None) -> Outcome | None:
    """Stop at the first bad value and at the first host that is ill; the hosts are asked again and again, and once more at the end.

    Args:
        measured: what the values said a moment ago; of another attempt it says nothing.
    """
    now = timezone.now()
    is_over = _is_over(step, now)
    if step.deploy.way.get("gate_metric"):
        if measured is None or not measured.is_of(step):
            return None
        if measured.words:
            # What hosts still say of their health changes nothing, and asking them stands in nobody's way.
            stop(step)
            return failed(measured.words)
        is_over = measured.is_over
    if step.run_id is not None:
        outcome = _judge_health(step)
        if outcome is None or outcome.is_bad or step.found.get("last"):
            return outcome
    if step.deploy.way["health_kind"] == Way.Health.NONE:
        return OK if is_over else _tell(step, now)
    if is_over or _is_time(step, now):
        return _ask_health(step, now, is_last=is_over)
    return _tell(step, now)


def _is_over(step: DeployStep, now: datetime) -> bool:
    return step.until is None or now >= step.until


def _is_time(step: DeployStep, now: datetime) -> bool:
    """Whether it is time to ask the hosts again; the switch has just asked them."""
    began = (step.started_at or now).timestamp()
    last = step.found.get("asked_at", began)
    return now.timestamp() - last >= settings.DELIVERY_WATCH_SECONDS


def _ask_health(step: DeployStep, now: datetime, *, is_last: bool) -> Outcome | None:
    number = step.found.get("asked", 0) + 1
    told = {"asked": number, "asked_at": now.timestamp(), "last": is_last}
    step.found = {**step.found, **told}
    step.save(update_fields=["found"])
    rows = _watched(step)
    if request(step, rows, legs.well_leg, phase=f".{number}"):
        return _tell(step, now)
    # Hosts that may not be asked any more were told so: nobody knows whether they are well.
    return spoil(rows, {})


def _judge_health(step: DeployStep) -> Outcome | None:
    """Say whether the hosts are well: ill is who says so, or who said nothing two times in a row; None while they are asked."""
    said = heard(step)
    if said is None:
        return None
    rows = _watched(step)
    silent = {row.pk for row in rows if _is_silent(said.get(row.host_id or 0))}
    unsure = silent - set(step.found.get("silent", ()))
    outcome = spoil([row for row in rows if row.pk not in unsure], said)
    is_last = bool(step.found.get("last")) and not unsure
    if not outcome.is_bad and not is_last:
        # The next question is another run.
        step.run = None
        step.found = {**step.found, "silent": sorted(silent), "last": False}
        step.save(update_fields=["run", "found"])
    return outcome


def _is_silent(report: HostReport | None) -> bool:
    """Whether a host did not say how it is: it is away, no worker took it, or another program was at work there."""
    return report is None or not (is_ok(report) or report.exit_code == ILL)


def _tell(step: DeployStep, now: datetime) -> Outcome | None:
    """Say how much of the time is over: whoever looks sees the watch, not the hosts that are asked meanwhile."""
    step.done = int((now - (step.started_at or now)).total_seconds())
    step.total = step.deploy.way["canary_watch_seconds"]
    step.save(update_fields=["done", "total"])
    return None


def _watched(step: DeployStep) -> list[DeployHost]:
    return [row for row in rows_of(step) if row.status == DeployHost.Status.OK]
