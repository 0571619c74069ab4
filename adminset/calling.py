"""Calls workers: where Redis is away it is said in the log, and nobody falls over it; what sweeps calls again later."""

import logging
from functools import partial
from typing import Any

import redis
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def send(task: str, *args: Any, queue: str) -> bool:
    """Call a worker now; say whether the call went out.

    Args:
        task: name of the task. args: plain values that it gets.
    """
    try:
        current_app.send_task(task, args, queue=queue)
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("%s %s: no worker could be called (%s)", task, args, error)
        return False
    return True


def send_later(task: str, *args: Any, queue: str) -> None:
    """Call a worker once this transaction is written, as send."""
    transaction.on_commit(partial(send, task, *args, queue=queue))
