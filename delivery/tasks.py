"""Celery's door of the room: deploys move on, builds and packs are made, what is live is read back."""

import logging

from celery import Task, shared_task

from delivery.asked import answerers
from delivery.asked.answering import answer
from delivery.asked.asking import ANSWER
from delivery.building import tidying
from delivery.configs import preparing, sweeping
from delivery.engine import advance as engine
from delivery.engine import calls, local_work
from delivery.models import Deploy
from delivery.releasesets import advance as sets
from delivery.releasesets import calls as set_calls
from delivery.safety import drift
from delivery.triggers import clearing, following, making, ticking, wishing

logger = logging.getLogger(__name__)


@shared_task(name=calls.ADVANCE)
def advance(pk: int) -> None:
    """Move a deploy on as far as it goes."""
    engine.advance(pk)


@shared_task(name=calls.DO_STEP, bind=True)
def do_step(self: Task, pk: int) -> None:
    """Do a step of a deploy that is done at the portal: fetch, build or pack."""
    deploy_id = local_work.do_step(pk=pk, worker=self.request.hostname or "worker")
    if deploy_id is not None:
        engine.advance(deploy_id)


@shared_task(name="delivery.sweep_deploys", expires=30)
def sweep_deploys() -> None:
    """Move on what nobody was called for: a worker may have died at any moment."""
    for pk in Deploy.objects.open().order_by("pk").values_list("pk", flat=True):
        try:
            engine.advance(pk)
        except Exception:
            # One that is broken does not hold up the others.
            logger.exception("deploy %s: could not be moved on", pk)


@shared_task(name="delivery.read_live", expires=600)
def read_live() -> None:
    """Read back what is live where nobody has looked for a while."""
    drift.ask_due()


@shared_task(name=ANSWER, expires=600)
def answer_question(key: str) -> None:
    """Answer what a page asked: references of a source, a plan, the start of a deploy."""
    answerers.join()
    answer(key)


@shared_task(name="delivery.tidy", expires=3600)
def tidy() -> None:
    """Take away mirrors, uploads, outputs of builds, packs and artefacts that are old and that nobody needs."""
    logger.info("tidied: %s", tidying.tidy())
    logger.info("%s rows of triggers were forgotten", clearing.clear())


@shared_task(name="delivery.read_configs", expires=300)
def read_configs() -> None:
    """Read back files of configuration whose time has come, and settle what nobody was called for."""
    sweeping.sweep()


@shared_task(name=preparing.PREPARE)
def prepare_push(pk: int) -> None:
    """Fill in the texts of a push of configuration to very many hosts."""
    preparing.prepare(pk)


@shared_task(name=wishing.MAKE)
def make_deploy(pk: int) -> None:
    """Make the deploy of a request."""
    making.make(pk)


@shared_task(name=set_calls.ADVANCE)
def advance_set(pk: int) -> None:
    """Move a release run on as far as it can."""
    sets.advance(pk)


@shared_task(name="delivery.tick", expires=30)
def tick() -> None:
    """Begin planned deploys; look again at requests, follow-ups and sets for which nobody was called."""
    for each in (ticking.tick, making.sweep, following.sweep, sets.sweep):
        try:
            each()
        except Exception:
            # One of them does not hold up the others.
            logger.exception("%s: the tick failed", each.__module__)
