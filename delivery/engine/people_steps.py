"""Steps that wait: for a person's yes, and for the time in which a canary is watched."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from delivery.engine.host_steps import rows_of, spoil
from delivery.engine.legwork import heard, request
from delivery.engine.moves import OK, Outcome, failed, pause
from delivery.models import DeployHost, DeployStep
from delivery.onhost import legs
from delivery.safety.gates import judge_gate
from delivery.way_models import Way


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


def judge_watch(step: DeployStep) -> Outcome | None:
    """Stop at the first bad value; when the time is over, and the values were well, ask the hosts once more for their health."""
    if step.run_id is not None:
        return _judge_health(step)
    now = timezone.now()
    began = step.started_at or now
    rows = _watched(step)
    ids = [row.host_id for row in rows if row.host_id]
    is_over = step.until is None or now >= step.until
    words = judge_gate(step.deploy.way, ids, began, now, is_over=is_over)
    if words:
        return failed(words)
    if is_over:
        asks = step.deploy.way["health_kind"] != Way.Health.NONE
        return None if asks and request(step, rows, legs.well_leg) else OK
    step.done = int((now - began).total_seconds())
    step.save(update_fields=["done"])
    return None


def _watched(step: DeployStep) -> list[DeployHost]:
    return [row for row in rows_of(step) if row.status == DeployHost.Status.OK]


def _judge_health(step: DeployStep) -> Outcome | None:
    said = heard(step)
    return None if said is None else spoil(_watched(step), said)
