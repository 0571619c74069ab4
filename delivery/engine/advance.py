"""Moves a deploy on. The database is the truth: anybody may call it at any time, and nothing begins twice."""

import logging
from collections.abc import Callable
from functools import partial

from django.db import DatabaseError, transaction

from adminset.redaction import clean
from delivery.engine import ending, handlers, pausing
from delivery.engine.beginning import begin_deploy, look_at_votes
from delivery.engine.judging import ensure_owner
from delivery.engine.moves import (
    LONGEST,
    Outcome,
    begin_step,
    end_step,
    failed,
    write,
)
from delivery.engine.people_steps import Measured, measure
from delivery.models import Deploy, DeployStep

# More moves than any deploy has: a fault of ours must not turn in circles.
MOST_MOVES = 5000
logger = logging.getLogger(__name__)
Status = Deploy.Status
Kind = DeployStep.Kind
# What stays as it is where these could not be done, somebody has to know.
TOLD_AT_THE_END = (Kind.LOOK, Kind.UNLOCK)


def advance(pk: int) -> None:
    """Move a deploy on as far as it goes now; it never waits for anything."""
    for _number in range(MOST_MOVES):
        # The store of measured values may take its time: it is asked before anything is locked.
        if not _move(pk, measure(pk)):
            return
    logger.error("deploy %s moves and moves", pk)


@transaction.atomic
def _move(pk: int, measured: Measured | None) -> bool:
    """Do one move; say whether there may be another."""
    deploy = Deploy.objects.select_for_update().filter(pk=pk).first()
    if deploy is None or not deploy.is_open:
        return False
    if deploy.cancel_requested_at and not deploy.ending:
        return _stop(deploy)
    if deploy.status == Status.WAITING_APPROVAL:
        return _or_ended(look_at_votes, deploy)
    if deploy.status == Status.WAITING:
        return _or_ended(begin_deploy, deploy)
    return _move_step(deploy, measured)


def _or_ended(act: Callable[[Deploy], bool], deploy: Deploy) -> bool:
    """Look whether a deploy may begin; one that an error of ours keeps from that ends, for it would hold up those behind it."""
    try:
        with transaction.atomic():
            return act(deploy)
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("deploy %s cannot begin", deploy.pk)
        # Of what was written meanwhile nothing counts.
        deploy.refresh_from_db()
        ending.begin_ending(deploy, Status.FAILED, None, handlers.words_of(error))
        return True


def _current(deploy: Deploy) -> DeployStep | None:
    steps = deploy.steps.filter(status__in=DeployStep.OPEN)
    step = steps.select_related("run").order_by("position").first()
    if step is not None:
        step.deploy = deploy
    return step


def _move_step(deploy: Deploy, measured: Measured | None) -> bool:
    step = _current(deploy)
    if step is None:
        ending.end_deploy(deploy)
        return deploy.is_open
    if step.status == DeployStep.Status.RUNNING:
        outcome = _or_failed(partial(handlers.judge, measured=measured), step)
        if outcome is None:
            # One that waits again wants something before it done anew.
            return step.status == DeployStep.Status.WAITING
        return _end(deploy, step, outcome)
    if deploy.status == Status.PAUSED and not deploy.ending:
        return False
    outcome = _or_failed(_begun, step)
    return outcome is None or _end(deploy, step, outcome)


def _begun(step: DeployStep) -> Outcome | None:
    begin_step(step)
    # All hosts have switched before the last step: it only tidies, whoever asked for the deploy need not be there any more.
    if not step.deploy.ending and step.kind != Kind.FINISH:
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
    if outcome.is_bad and deploy.ending and step.kind in TOLD_AT_THE_END:
        told = f"{deploy.explanation} {step.words}: {outcome.words}"
        write(deploy, explanation=clean(told)[:LONGEST])
    if not outcome.is_bad or deploy.ending:
        return True
    if pausing.may_wait(step):
        pausing.wait(step, outcome.words)
        return True
    ending.begin_ending(deploy, Status.FAILED, step, outcome.words)
    return True


def _stop(deploy: Deploy) -> bool:
    """Stop a deploy: what runs is told so and comes to its end first; then what was switched goes back."""
    step = _current(deploy)
    if deploy.started_at is None or step is None:
        ending.begin_ending(deploy, Status.CANCELLED, None, ending.cancel_words(deploy))
        return True
    if step.status == DeployStep.Status.RUNNING:
        if not handlers.stopped(step):
            return False
        if step.kind == Kind.ACTIVATE:
            # What its run came to counts; where that cannot be judged the hosts are looked at, as any that may be switched.
            _or_failed(handlers.judge, step)
        words = ending.cancel_words(deploy)
        end_step(step, Outcome(DeployStep.Status.CANCELLED, words))
    ending.begin_ending(deploy, Status.CANCELLED, step, ending.cancel_words(deploy))
    return True
