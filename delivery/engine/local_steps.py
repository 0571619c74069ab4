"""Steps that are done at the portal, by a worker with a lease: asking for them, and judging what came of them."""

from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset.clock import DatabaseNow
from delivery.engine.calls import call_step
from delivery.engine.moves import Outcome, failed
from delivery.models import DeployStep

# A message that was sent so lately may still be on its way.
ASK_AGAIN_SECONDS = 15


def begin_local(step: DeployStep) -> Outcome | None:
    """Call a worker for a step."""
    step.lease_until = None
    step.until = timezone.now() + timedelta(seconds=ASK_AGAIN_SECONDS)
    step.save(update_fields=["lease_until", "until"])
    call_step(step.pk)
    return None


def judge_local(step: DeployStep) -> Outcome | None:
    """Take what the worker left; call another one where it was lost, a few times."""
    told = step.found.get("outcome")
    if told is not None and told.get("attempt") == step.attempt:
        return Outcome(told["status"], told["words"])
    if step.lease_until is not None:
        return _lost(step) if _is_late(step) else None
    if step.until is None or step.until <= timezone.now():
        begin_local(step)
    return None


def _is_late(step: DeployStep) -> bool:
    """Whether the lease is over, by the clock that it was written by: those of machines may differ."""
    rows = DeployStep.objects.filter(pk=step.pk, lease_until__lt=DatabaseNow())
    return rows.exists()


def _lost(step: DeployStep) -> Outcome | None:
    step.losses += 1
    step.fence += 1
    step.save(update_fields=["losses", "fence"])
    if step.losses >= settings.DELIVERY_MOST_LOSSES:
        words = _("%(count)s workers were lost over it, the last one was %(worker)s.")
        return failed(words % {"count": step.losses, "worker": step.worker})
    return begin_local(step)


def stop(step: DeployStep) -> bool:
    """Take a step from its worker: what that still writes is refused, and it ends what it began when it sees so."""
    DeployStep.objects.filter(pk=step.pk).update(fence=F("fence") + 1, lease_until=None)
    step.refresh_from_db()
    return True
