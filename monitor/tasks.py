"""Celery's door of the room: the roll-up, each minute."""

from celery import shared_task

from adminset import redis_door
from monitor import services

LEASE_SECONDS = 600


@shared_task(name="monitor.roll_up")
def roll_up() -> None:
    """Roll up what is due, unless another worker is at it."""
    with redis_door.lease("monitor.roll_up", LEASE_SECONDS) as held:
        if held:
            services.roll_up()
