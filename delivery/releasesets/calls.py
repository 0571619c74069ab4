"""Calls workers for sets that go: after each word, each wish that is decided, each deploy that ended."""

import logging
from functools import partial

import redis
from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from kombu.exceptions import OperationalError

from delivery.models import SetPart, SetRun

ADVANCE = "delivery.advance_set"
logger = logging.getLogger(__name__)


def call(pk: int) -> None:
    """Call a worker for a set once this transaction is written; where Redis is away the sweeper calls later."""
    transaction.on_commit(partial(send, pk))


def send(pk: int) -> None:
    """Call a worker for a set."""
    try:
        current_app.send_task(ADVANCE, (pk,), queue=settings.CELERY_TASK_DEFAULT_QUEUE)
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("set %s: no worker could be called (%s)", pk, error)


def deploy_ended(pk: int) -> None:
    """Move on the set to which a deploy belongs, if it belongs to one."""
    _move(Q(request__deploy=pk) | Q(back_request__deploy=pk))


def wish_decided(pk: int) -> None:
    """Move on the set to which a wish belongs, if it belongs to one."""
    _move(Q(request=pk) | Q(back_request=pk))


def _move(which: Q) -> None:
    parts = SetPart.objects.filter(which, set_run__state__in=SetRun.OPEN)
    for pk in parts.values_list("set_run", flat=True):
        send(pk)
