"""Celery's door of the room: what is asked for is sent to a worker, which does it."""

import logging
from functools import partial
from typing import Any

import redis
from celery import Task, shared_task
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from adminset import redis_door
from tasks.models import Run, Schedule
from tasks.services import execute, launch, reap, schedules

logger = logging.getLogger(__name__)


def enqueue_run(*, actor: Any, spec: launch.RunSpec) -> Run:
    """Ask for a run and call a worker for it; see services.launch.request_run."""
    run = launch.request_run(actor=actor, spec=spec)
    send(run.pk)
    return run


def enqueue_repeat(*, actor: Any, run: Run, failed_only: bool) -> Run:
    """Ask for the same run once more and call a worker for it."""
    again = launch.repeat_run(actor=actor, run=run, failed_only=failed_only)
    send(again.pk)
    return again


def enqueue_schedule(*, actor: Any, schedule: Schedule) -> Run:
    """Run a schedule's work now, as the one who asks."""
    run = schedules.run_now(actor=actor, schedule=schedule)
    send(run.pk)
    return run


def send(pk: int) -> None:
    """Call a worker once the run is committed; where Redis is away the run stays queued and the sweeper calls later."""
    transaction.on_commit(partial(_send, pk))


def _send(pk: int) -> None:
    try:
        run_run.delay(pk)
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("run %s: no worker could be called (%s)", pk, error)
        reap.note_unsent(pk=pk)


@shared_task(name="tasks.run_run", bind=True)
def run_run(self: Task, pk: int) -> None:
    """Do a run."""
    execute.execute_run(pk=pk, worker=self.request.hostname or "worker")


@shared_task(name="tasks.reap_runs", expires=30)
def reap_runs() -> None:
    """End runs whose worker is lost; call a worker for queued runs that have no message."""
    reap.reap_lost()
    if _queue_is_empty():
        for pk in reap.unsent_runs():
            _send(pk)


def _queue_is_empty() -> bool:
    """Messages that wait may be those of the queued runs: more of them would only pile up."""
    return not redis_door.client().llen(settings.RUN_QUEUE)


@shared_task(name="tasks.fire_schedule")
def fire_schedule(pk: int) -> None:
    """Make the run of a schedule's planned time."""
    run = schedules.fire_schedule(pk=pk)
    if run is not None:
        send(run.pk)
