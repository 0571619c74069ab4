"""Calls the workers of the sites where checks are due; before that, says what is late."""

import logging

import redis
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from adminset import redis_door
from monitor.checks import rounds
from monitor.heartbeats import sweeping

logger = logging.getLogger(__name__)
TASK = "monitor.run_checks"
# More calls do not wait for a site: one whose workers are away must not fill the broker.
MOST_WAITING = 2


def start() -> None:
    """Do what each tick of the schedule does."""
    sweeping.sweep()
    rounds.mark_stale()
    for site in rounds.sites_with_work():
        call_worker(site)


def queue_of(site: str) -> str:
    """Name the queue from which the workers of a site take their rounds."""
    return f"checks-{site}" if site else settings.CELERY_TASK_DEFAULT_QUEUE


def call_worker(site: str) -> None:
    """Have a worker of a site begin a round; without a broker the next tick does."""
    queue = queue_of(site)
    try:
        if not site or redis_door.waiting(queue) < MOST_WAITING:
            expires = settings.CHECK_ROUND_SECONDS
            current_app.send_task(TASK, [site], queue=queue, expires=expires)
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("checks wait for the schedule: %s", error)
