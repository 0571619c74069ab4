"""Single moves of steps and deploys, each written at once; the row of the deploy is locked by whoever moves it."""

from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.redaction import clean
from delivery.models import Deploy, DeployStep

ENGINE = audit.SystemActor("delivery")
LONGEST = 4000


@dataclass(frozen=True)
class Outcome:
    """How a step ended: `status` of DeployStep, why in words, and what later steps need of it."""

    status: str
    words: str = ""
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def is_bad(self) -> bool:
        """Whether the deploy cannot simply go on."""
        return self.status == DeployStep.Status.FAILED


OK = Outcome(DeployStep.Status.OK)


def failed(words: str) -> Outcome:
    """Say that a step went wrong."""
    return Outcome(DeployStep.Status.FAILED, words)


def begin_step(step: DeployStep, **values: Any) -> None:
    """Make a step a running one."""
    _write(step, status=DeployStep.Status.RUNNING, started_at=timezone.now(), **values)


def end_step(step: DeployStep, outcome: Outcome) -> None:
    """Give a step its end."""
    _write(
        step,
        status=outcome.status,
        explanation=clean(outcome.words)[:LONGEST],
        found={**step.found, **outcome.found},
        lease_until=None,
        ended_at=timezone.now(),
    )


def again(step: DeployStep) -> None:
    """Let a step that ended begin once more: its attempt counts up, what came of the one before is kept."""
    told = {
        "attempt": step.attempt,
        "status": step.status,
        "run": step.run_id,
        "explanation": step.explanation,
    }
    _write(
        step,
        status=DeployStep.Status.WAITING,
        attempt=step.attempt + 1,
        past=[*step.past, told][-20:],
        run=None,
        found={},
        explanation="",
        started_at=None,
        ended_at=None,
        until=None,
        losses=0,
        done=0,
        total=0,
    )


def _write(step: DeployStep, **values: Any) -> None:
    for name, value in values.items():
        setattr(step, name, value)
    step.save(update_fields=list(values))


def skip_waiting(deploy: Deploy, words: str = "") -> None:
    """Skip every step that has not begun."""
    waiting = deploy.steps.filter(status=DeployStep.Status.WAITING)
    waiting.update(
        status=DeployStep.Status.SKIPPED,
        explanation=words[:LONGEST],
        ended_at=timezone.now(),
    )


def pause(deploy: Deploy, words: str, who: str = "") -> None:
    """Let a deploy wait for a person."""
    write(
        deploy,
        status=Deploy.Status.PAUSED,
        waiting_for=words,
        paused_at=timezone.now(),
        paused_by_name=who[:150],
    )


def write(deploy: Deploy, **values: Any) -> None:
    """Write fields of a deploy."""
    for name, value in values.items():
        setattr(deploy, name, value)
    deploy.save(update_fields=list(values))


def listed(names: list[str], most: int = 5) -> str:
    """Name some hosts, and how many more there are."""
    shown = ", ".join(names[:most])
    more = len(names) - most
    return (
        _("%(names)s and %(more)s more") % {"names": shown, "more": more}
        if more > 0
        else shown
    )
