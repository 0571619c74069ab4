"""Moves a deploy on. The database is the truth: anybody may call it at any time, and nothing begins twice."""

import logging
from collections.abc import Callable

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from delivery.engine import ending, handlers
from delivery.engine.beginning import begin_deploy, look_at_votes
from delivery.engine.judging import ensure_owner
from delivery.engine.moves import (
    LONGEST,
    Outcome,
    begin_step,
    end_step,
    failed,
    pause,
    write,
)
from delivery.models import Deploy, DeployStep
from delivery.way_models import Way

# More moves than any deploy has: a fault of ours must not turn in circles.
MOST_MOVES = 5000
logger = logging.getLogger(__name__)
Status = Deploy.Status


def advance(pk: int) -> None:
    """Move a deploy on as far as it goes now; it never waits for anything."""
    for _number in range(MOST_MOVES):
        if not _move(pk):
            return
    logger.error("deploy %s moves and moves", pk)


@transaction.atomic
def _move(pk: int) -> bool:
    """Do one move; say whether there may be another."""
    deploy = Deploy.objects.select_for_update().filter(pk=pk).first()
    if deploy is None or not deploy.is_open:
        return False
    if deploy.cancel_requested_at and not deploy.ending:
        return _stop(deploy)
    if deploy.status == Status.WAITING_APPROVAL:
        return look_at_votes(deploy)
    if deploy.status == Status.WAITING:
        return begin_deploy(deploy)
    return _move_step(deploy)


def _current(deploy: Deploy) -> DeployStep | None:
    steps = deploy.steps.filter(status__in=DeployStep.OPEN)
    step = steps.select_related("run").order_by("position").first()
    if step is not None:
        step.deploy = deploy
    return step


def _move_step(deploy: Deploy) -> bool:
    step = _current(deploy)
    if step is None:
        ending.end_deploy(deploy)
        return deploy.is_open
    if step.status == DeployStep.Status.RUNNING:
        outcome = _or_failed(handlers.judge, step)
        return outcome is not None and _end(deploy, step, outcome)
    if deploy.status == Status.PAUSED and not deploy.ending:
        return False
    outcome = _or_failed(_begun, step)
    return outcome is None or _end(deploy, step, outcome)


def _begun(step: DeployStep) -> Outcome | None:
    begin_step(step)
    if not step.deploy.ending:
        ensure_owner(step.deploy)
    return handlers.begin(step)


def _or_failed(
    act: Callable[[DeployStep], Outcome | None], step: DeployStep
) -> Outcome | None:
    """Begin or judge a step; an error of ours, or a refusal, is its end and not that of the worker."""
    try:
        with transaction.atomic():
            return act(step)
    except DatabaseError:
        # It is away, or busy: nothing of this counts, and the sweeper tries again.
        raise
    except Exception as error:
        logger.exception("deploy %s: %s cannot go on", step.deploy_id, step)
        return failed(handlers.words_of(error))


def _end(deploy: Deploy, step: DeployStep, outcome: Outcome) -> bool:
    end_step(step, outcome)
    if outcome.is_bad and deploy.ending and step.kind == DeployStep.Kind.UNLOCK:
        write(deploy, explanation=f"{deploy.explanation} {outcome.words}"[:LONGEST])
    if not outcome.is_bad or deploy.ending:
        return True
    if _may_wait(deploy, step):
        words = _(
            "%(words)s Resume it to go on without them, retry the stage, or cancel to take back what was switched."
        )
        pause(deploy, words % {"words": outcome.words})
        return True
    ending.begin_ending(deploy, Status.FAILED, step, outcome.words)
    return True


def _may_wait(deploy: Deploy, step: DeployStep) -> bool:
    """Whether a person is asked instead of taking it all back."""
    return (
        step.kind == DeployStep.Kind.ACTIVATE
        and not deploy.is_rollback
        and deploy.way["pause_after"] != Way.Pause.NEVER
    )


def _stop(deploy: Deploy) -> bool:
    """Stop a deploy: what runs is told so and comes to its end first; then what was switched goes back."""
    step = _current(deploy)
    if deploy.started_at is None or step is None:
        ending.begin_ending(deploy, Status.CANCELLED, None, ending.cancel_words(deploy))
        return True
    if step.status == DeployStep.Status.RUNNING:
        if not handlers.stopped(step):
            return False
        words = ending.cancel_words(deploy)
        end_step(step, Outcome(DeployStep.Status.CANCELLED, words))
    ending.begin_ending(deploy, Status.CANCELLED, step, ending.cancel_words(deploy))
    return True
