"""Whose query is evaluated now: so many at once in a process and of one user; the others wait a while, or are told to come later."""

import functools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from monitor.prometheus.faults import QueryError

# For their turn, in a thread each: a dashboard asks for all of its panels at once.
WAIT_SECONDS = 5.0
RETRY_SECONDS = 5
# Of one user, in times of what may be evaluated for him.
MOST_WAITING = 5


class NoTurnError(QueryError):
    """There are too many queries: in all (503), or of one user (429)."""

    kind = "unavailable"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(
            message,
            "Ask again in a while, or for fewer panels at once.",
            code="too_many_queries",
            status=status,
            retry_after=RETRY_SECONDS,
        )


class Turns:
    """Threads may share it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: Counter[int] = Counter()
        self._waiting: Counter[int] = Counter()

    @contextmanager
    def turn(self, user_id: int) -> Iterator[None]:
        """Have a turn as long as it lasts.

        Raises:
            NoTurnError: it did not come in time, or too many of the user's wait already.
        """
        with self._changed:
            self._wait(user_id)
            self._running[user_id] += 1
        try:
            yield
        finally:
            with self._changed:
                _take_off(self._running, user_id)
                self._changed.notify_all()

    def _wait(self, user_id: int) -> None:
        if self._waiting[user_id] >= settings.PROM_QUERIES_PER_USER * MOST_WAITING:
            raise _too_many_of_user()
        self._waiting[user_id] += 1
        try:
            until = time.monotonic() + WAIT_SECONDS
            while not self._is_free(user_id):
                if not self._changed.wait(until - time.monotonic()):
                    raise self._refusal(user_id)
        finally:
            _take_off(self._waiting, user_id)

    def _is_free(self, user_id: int) -> bool:
        mine = self._running[user_id] < settings.PROM_QUERIES_PER_USER
        return mine and self._running.total() < settings.PROM_QUERIES_AT_ONCE

    def _refusal(self, user_id: int) -> NoTurnError:
        if self._running[user_id] >= settings.PROM_QUERIES_PER_USER:
            return _too_many_of_user()
        most = settings.PROM_QUERIES_AT_ONCE
        return NoTurnError(f"The portal evaluates {most} queries already.", 503)


def _too_many_of_user() -> NoTurnError:
    most = settings.PROM_QUERIES_PER_USER
    return NoTurnError(
        f"You have {most} queries under way already, and others that wait.", 429
    )


def _take_off(counts: Counter[int], user_id: int) -> None:
    counts[user_id] -= 1
    if not counts[user_id]:
        del counts[user_id]


@functools.cache
def turns() -> Turns:
    """Give those of this process."""
    return Turns()
