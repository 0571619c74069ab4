"""Calling the workers of a queue; which queue reaches a host, says sites/questions.py."""

import logging
from functools import partial

import redis
from celery import current_app
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from tasks.models import Run, RunPart
from tasks.services.apart import apart
from tasks.services.waiting import (
    beyond_quota,
    busy,
    cannot_say,
    obstacle,
    pending,
)

TASK = "tasks.run_run"
Status = RunPart.Status
logger = logging.getLogger(__name__)


def queued_parts(run_id: int) -> list[str]:
    """Name the queues whose workers are to be called for a run."""
    parts = RunPart.objects.filter(run=run_id, status=Status.QUEUED)
    return list(parts.order_by("pk").values_list("queue", flat=True))


def call(part: RunPart) -> None:
    """Call a worker for a part once this transaction is written; where Redis is away the sweeper calls later."""
    transaction.on_commit(partial(send, part.run_id, part.queue))


def send(run_id: int, queue: str) -> None:
    """Call a worker of a queue for its part of a run."""
    try:
        current_app.send_task(TASK, (run_id, queue), queue=queue)
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("run %s: no worker could be called (%s)", run_id, error)
        note_unsent(run_id=run_id)


def note_unsent(*, run_id: int) -> None:
    """Say on a queued run that nobody could be called for it."""
    words = _(
        "Queued; the dispatcher (Redis) cannot be reached. It starts by itself when that is back."
    )
    Run.objects.filter(pk=run_id, status=Run.Status.QUEUED).update(explanation=words)
    RunPart.objects.filter(run=run_id, status=Status.QUEUED).update(reason=words)


def wake(run_id: int) -> list[RunPart]:
    """Call workers for the parts of a run that wait and have hosts in its batch; give these parts."""
    parts = RunPart.objects.filter(run=run_id, status=Status.WAITING)
    return [
        part
        for part in parts.select_related("run")
        if pending(part.hosts.filter(batch=part.run.batch)).exists() and _wake(part)
    ]


def _wake(part: RunPart) -> bool:
    rows = RunPart.objects.filter(pk=part.pk, status=Status.WAITING)
    woken = rows.update(status=Status.QUEUED, reason="", sent_at=timezone.now())
    if woken:
        call(part)
    return bool(woken)


def wake_ready(near: RunPart | None = None) -> list[RunPart]:
    """Call workers for the parts that wait for nothing any more, the oldest first, as far as the quotas go.

    Args:
        near: look at the parts of its run and of its queue only. Judging a part may open what is secret in its run, which
            is nothing for the worker of another site.
    """
    waiting = RunPart.objects.filter(
        status=Status.WAITING, run__status__in=(Run.Status.QUEUED, Run.Status.RUNNING)
    )
    if near is not None:
        waiting = waiting.filter(Q(run=near.run_id) | Q(queue=near.queue))
    queued = RunPart.objects.filter(status=Status.QUEUED).order_by()
    called = dict(queued.values_list("queue").annotate(Count("pk")))
    woken = []
    for part in waiting.select_related("run").order_by("pk"):
        reason = _why_not(part, called.get(part.queue, 0))
        if reason:
            _say(part, reason)
        elif _wake(part):
            called[part.queue] = called.get(part.queue, 0) + 1
            woken.append(part)
    return woken


def _why_not(part: RunPart, taken: int) -> str:
    with apart(f"the waiting part {part}"):
        return obstacle(part) or beyond_quota(part, taken=taken)
    return cannot_say()


def _say(part: RunPart, reason: str) -> None:
    if reason[:500] != part.reason:
        RunPart.objects.filter(pk=part.pk, status=Status.WAITING).update(
            reason=reason[:500]
        )


def has_worker(run_id: int) -> bool:
    """Say whether a worker has a part of the run in hand."""
    return busy(run=run_id).exists()
