"""Asks checks in threads of this process, so many at once in all its rounds together; one that never comes back keeps its place."""

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from django.conf import settings

Result = TypeVar("Result")


class Crew:
    """Counts who is at work, also for rounds that are over: they give a stuck question up, its thread is still there.

    A process that ends does not wait for its threads, as it would for those of a ThreadPoolExecutor.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = 0

    def free(self) -> int:
        """Say how many more questions may be asked now."""
        with self._lock:
            return max(settings.CHECK_THREADS - self._busy, 0)

    def start(self, work: Callable[[], Result]) -> "Future[Result]":
        """Do something in a thread of its own."""
        future: Future[Result] = Future()
        thread = threading.Thread(
            target=self._do, args=(work, future), name="check", daemon=True
        )
        self._count(1)
        try:
            thread.start()
        except RuntimeError:
            self._count(-1)
            raise
        return future

    def _do(self, work: Callable[[], Result], future: "Future[Result]") -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is the answer to who waits
            self._count(-1)
            future.set_exception(error)
        else:
            self._count(-1)
            future.set_result(result)

    def _count(self, more: int) -> None:
        with self._lock:
            self._busy += more


@functools.cache
def crew() -> Crew:
    """Give the one of this process."""
    return Crew()
