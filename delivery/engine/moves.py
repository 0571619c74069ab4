"""Single moves of steps and deploys, each written at once; the row of the deploy is locked by whoever moves it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from adminset import audit
from adminset.many_rows import update_rows
from adminset.names import listed
from adminset.redaction import clean
from delivery.models import Deploy, DeployHost, DeployStep

ENGINE = audit.SystemActor("delivery")
LONGEST = 4000
# What the engine writes of a host: all of it at once, for a statement a host adds up to seconds.
OF_A_HOST = (
    "status",
    "from_release",
    "to_release",
    "now_release",
    "has_said",
    "touched",
    "drained",
    "checks",
    "explanation",
    "sent_bytes",
    "total_bytes",
)


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


def mark(row: DeployHost, **values: Any) -> None:
    """Set fields of a host's row; `keep` writes them."""
    for name, value in values.items():
        setattr(row, name, value)


def keep(rows: Sequence[DeployHost]) -> None:
    """Write the rows of hosts, in one go; whoever holds the row of their deploy is the only one who does."""
    update_rows(DeployHost, OF_A_HOST, rows)


def bad_words(rows: Sequence[DeployHost]) -> str:
    """Name hosts on which something went wrong, and what it was on the first of them."""
    names = listed([row.host_name for row in rows])
    return f"{names}: {rows[0].explanation}"
