"""What begins, judges and stops a step of each kind."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.engine import (
    back_steps,
    claim_steps,
    host_steps,
    legwork,
    local_steps,
    people_steps,
    send_steps,
    switch_steps,
)
from delivery.engine.moves import OK, Outcome
from delivery.engine.people_steps import Measured
from delivery.models import DeployStep

Kind = DeployStep.Kind
# Gives how the step ended; None while it goes on.
Handler = Callable[[DeployStep], Outcome | None]
BEGIN: dict[str, Handler] = {
    Kind.CHECK: host_steps.begin_check,
    Kind.FETCH: local_steps.begin_local,
    Kind.BUILD: local_steps.begin_local,
    Kind.PACK: local_steps.begin_local,
    Kind.CLAIM: claim_steps.begin_claim,
    Kind.READ: host_steps.begin_read,
    Kind.DISTRIBUTE: send_steps.begin_distribute,
    Kind.COMMAND: host_steps.begin_command,
    Kind.CONFIRM: people_steps.begin_confirm,
    Kind.ACTIVATE: switch_steps.begin_activate,
    Kind.AFTER: local_steps.begin_local,
    Kind.WATCH: people_steps.begin_watch,
    Kind.FINISH: host_steps.begin_finish,
    Kind.LOOK: back_steps.begin_look,
    Kind.SWITCH_BACK: back_steps.begin_switch_back,
    Kind.UNLOCK: claim_steps.begin_unlock,
}
JUDGE: dict[str, Handler] = {
    Kind.CHECK: host_steps.judge_check,
    Kind.FETCH: local_steps.judge_local,
    Kind.BUILD: local_steps.judge_local,
    Kind.PACK: local_steps.judge_local,
    Kind.CLAIM: claim_steps.judge_claim,
    Kind.READ: host_steps.judge_read,
    Kind.DISTRIBUTE: send_steps.judge_distribute,
    Kind.COMMAND: host_steps.judge_command,
    Kind.CONFIRM: lambda step: OK,
    Kind.ACTIVATE: switch_steps.judge_activate,
    Kind.AFTER: local_steps.judge_local,
    Kind.FINISH: host_steps.judge_finish,
    Kind.LOOK: back_steps.judge_look,
    Kind.SWITCH_BACK: back_steps.judge_switch_back,
    Kind.UNLOCK: claim_steps.judge_unlock,
}


def begin(step: DeployStep) -> Outcome | None:
    """Begin a step."""
    return BEGIN[step.kind](step)


def judge(step: DeployStep, measured: Measured | None = None) -> Outcome | None:
    """Say how a step that was begun ended; None while it goes on.

    Args:
        measured: what the values of the canary said, where the step watches one.
    """
    if step.kind == Kind.WATCH:
        return people_steps.judge_watch(step, measured)
    return JUDGE[step.kind](step)


def stopped(step: DeployStep) -> bool:
    """Stop what a step began; True once nothing of it goes on."""
    if step.kind in DeployStep.LOCAL:
        return local_steps.stop(step)
    return legwork.stop(step)


def words_of(error: Exception) -> str:
    """Say why a step could not begin."""
    if isinstance(error, DomainError):
        return error.sentence
    return _("The portal could not go on; its log says why.")
