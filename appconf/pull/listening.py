"""One connection of a process to Redis on which it hears of changes, for all who wait in it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from appconf.pull.bell import ALL, CHANNEL

logger = logging.getLogger(__name__)
AGAIN_SECONDS = 2.0


class Ear:
    """What one who waits hears."""

    def __init__(self) -> None:
        self.rung = asyncio.Event()

    async def rest(self, seconds: float, other: "asyncio.Future[Any]") -> None:
        """Do nothing until there is a change, the time is over, or something `other` is done."""
        heard = asyncio.ensure_future(self.rung.wait())
        try:
            await asyncio.wait(
                {heard, other}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            heard.cancel()
            with suppress(asyncio.CancelledError):
                await heard
        self.rung.clear()


class Listener:
    """Hears changes while somebody waits for them; a Redis that is away is tried again, and the others look by themselves."""

    def __init__(self) -> None:
        self._ears: dict[str, set[Ear]] = {}
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @asynccontextmanager
    async def ear(self, project: str) -> AsyncIterator[Ear]:
        """Listen for changes of a project, by its code."""
        ear = Ear()
        self._ears.setdefault(project, set()).add(ear)
        if self._task is None or self._task.done():
            self._ready = asyncio.Event()
            self._task = asyncio.create_task(self._listen())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), 1.0)
        try:
            yield ear
        finally:
            self._ears[project].discard(ear)
            if not self._ears[project]:
                del self._ears[project]
            if not self._ears and self._task is not None:
                # Whoever comes while it ends begins a new one.
                ending, self._task = self._task, None
                ending.cancel()
                with suppress(asyncio.CancelledError):
                    await ending

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (RedisError, OSError) as error:
                words = "changes of configuration are not heard: %s"
                logger.warning(words, type(error).__name__)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _hear(self) -> None:
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=1, decode_responses=True
        )
        pubsub = client.pubsub(ignore_subscribe_messages=True)
        try:
            await pubsub.subscribe(CHANNEL)
            self._ready.set()
            while True:
                message = await pubsub.get_message(timeout=5.0)
                if message is not None:
                    self._wake(str(message["data"]))
        finally:
            with suppress(RedisError, OSError):
                await pubsub.aclose()
            with suppress(RedisError, OSError):
                await client.aclose()

    def _wake(self, project: str) -> None:
        """Wake who waits for a project."""
        woken = self._ears.values() if project == ALL else [self._ears.get(project, ())]
        for ears in woken:
            for ear in ears:
                ear.rung.set()
