"""A few threads for work that waits for SQL, beside an event loop that must not."""

import contextvars
import logging
import threading
import time
from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, connections

logger = logging.getLogger(__name__)
KEPT_SECONDS = 60.0
_mine = threading.local()
Told = ParamSpec("Told")
Result = TypeVar("Result")


class Side:
    """Runs functions in threads of its own, each with the request's context and with connections of their own."""

    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(
        self, work: Callable[Told, Result], *told: Told.args, **more: Told.kwargs
    ) -> Result:
        """Give what `work` gives, without holding the loop up."""
        return await get_running_loop().run_in_executor(
            self._pool,
            contextvars.copy_context().run,
            lambda: with_connections(lambda: work(*told, **more)),
        )

    def start(self, work: Callable[[], object]) -> None:
        """Do something that nobody waits for; what it raises is logged."""
        self._pool.submit(with_connections, work).add_done_callback(_log_fault)


def with_connections(work: Callable[[], Result]) -> Result:
    """Do something with this thread's own connections: kept for a minute, given up where one fails.

    Django's own rule closes them after every request, and opening one costs more than most of what is asked here.
    """
    now = time.monotonic()
    if now >= getattr(_mine, "until", 0.0):
        connections.close_all()
        _mine.until = now + KEPT_SECONDS
    try:
        return work()
    except DatabaseError:
        connections.close_all()
        raise


def _log_fault(done: "Future[object]") -> None:
    if error := done.exception():
        logger.warning("work on the side failed", exc_info=error)
