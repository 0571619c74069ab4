"""Celery's door of the engine: after each event a worker moves the deploy on, and a sweeper sees that nothing is forgotten."""

from functools import partial

from django.conf import settings
from django.db import transaction

from adminset import calling
from delivery.engine.judging import deploy_of
from delivery.models import Deploy
from delivery.safety import deep_look, drift
from delivery.safety.subjects import DEEP, LOOK
from tasks.models import Run

ADVANCE = "delivery.advance"
DO_STEP = "delivery.do_step"


def call(pk: int) -> None:
    """Call a worker for a deploy once this transaction is written; where Redis is away the sweeper calls later."""
    transaction.on_commit(partial(send, ADVANCE, pk))


def call_step(pk: int) -> None:
    """Call a worker for a step that is done at the portal, once this transaction is written."""
    transaction.on_commit(partial(send, DO_STEP, pk))


def send(task: str, pk: int) -> None:
    """Call a worker: one that builds for work at the portal; any for the rest, which must not wait behind a build."""
    queues = {DO_STEP: settings.DELIVERY_QUEUE}
    queue = queues.get(task, settings.CELERY_TASK_DEFAULT_QUEUE)
    calling.send(task, pk, queue=queue)


def run_ended(run_id: int) -> None:
    """Move on the deploy to which a run belongs, if it belongs to one."""
    run = Run.objects.filter(pk=run_id, kind=Run.Kind.DEPLOY).first()
    if run is None:
        return
    pk = deploy_of(run)
    if pk is not None:
        send(ADVANCE, pk)
    elif run.subject.startswith(LOOK):
        drift.note(run)
    elif run.subject.startswith(DEEP):
        deep_look.note(run)


def call_waiting(environment_id: int) -> None:
    """Move on the deploys that wait for an environment."""
    waiting = Deploy.objects.filter(
        environment=environment_id, status=Deploy.Status.WAITING
    )
    for pk in waiting.order_by("pk").values_list("pk", flat=True):
        send(ADVANCE, pk)


def deploy_ended(pk: int) -> None:
    """Let those that waited for this deploy have their turn."""
    deploy = Deploy.objects.filter(pk=pk).first()
    if deploy is not None:
        call_waiting(deploy.environment_id)
