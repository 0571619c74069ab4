"""The scheduler of `celery beat`: django-celery-beat's, which also gives a sign of life."""

import time
from typing import Any

import redis
from django_celery_beat.schedulers import DatabaseScheduler

from adminset import redis_door
from adminset.health import SIGN_OF_LIFE

EVERY_SECONDS = 5


class PortalScheduler(DatabaseScheduler):
    """Ticks as its parent does and writes the time of the last tick to Redis."""

    _said_at = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Send what is due; then say that we live."""
        wait = super().tick(*args, **kwargs)
        self._say_so()
        return min(wait, EVERY_SECONDS)

    def _say_so(self) -> None:
        now = time.time()
        if now - self._said_at < EVERY_SECONDS:
            return
        try:
            redis_door.client().set(SIGN_OF_LIFE, now)
        except redis.RedisError:
            return
        self._said_at = now
