"""Lets programs wait for new configuration without holding a thread: around Django, in the loop of the web process.

Django answers each look by itself (token, scope, ETag; appconf/pull/views.py) and knows nothing of waiting. Its 304 is held
back here while `?wait=` goes on; a change, told by Redis, or the end of the time makes it look again.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

from appconf.pull.listening import Listener

logger = logging.getLogger(__name__)
Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIX = "/api/v1/config/"
# Looks at once, of all who were woken: the other pages need the threads too.
LOOKS_AT_ONCE = 4


class Door:
    """The application: one for each process."""

    def __init__(self, pages: Application) -> None:
        self._pages = pages
        self._listener = Listener()
        self._waiting: Counter[bytes] = Counter()
        self._looks = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer who waits for configuration; pass everything else on."""
        seconds = wanted_seconds(scope)
        who = dict(scope["headers"]).get(b"authorization", b"")
        if not seconds or not self._has_room(who):
            await self._pages(scope, receive, send)
            return
        self._waiting[who] += 1
        try:
            await self._patiently(scope, receive, send, seconds)
        finally:
            self._waiting[who] -= 1
            if not self._waiting[who]:
                del self._waiting[who]

    def _has_room(self, who: bytes) -> bool:
        """Say whether one more may wait: of this process, and of this token."""
        return (
            self._waiting.total() < settings.CONFIG_PULL_WAITERS
            and self._waiting[who] < settings.CONFIG_PULL_WAITERS_PER_TOKEN
        )

    async def _patiently(
        self, scope: Scope, receive: Receive, send: Send, seconds: float
    ) -> None:
        gone = asyncio.create_task(_until_gone(receive))
        until = asyncio.get_running_loop().time() + seconds
        try:
            # Listened to before the first look, so that no change falls in between.
            async with self._listener.ear(project_of(scope)) as ear:
                while not gone.done():
                    answer = await self._look(scope)
                    left = until - asyncio.get_running_loop().time()
                    if answer.status != 304 or left <= 0:
                        await answer.send(send)
                        return
                    await ear.rest(min(left, settings.CONFIG_PULL_LOOK_SECONDS), gone)
        finally:
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone

    async def _look(self, scope: Scope) -> "_Answer":
        """Ask Django once, as if nobody waited."""
        answer = _Answer()
        async with self._looks:
            await self._pages({**scope, "state": {}}, _nothing_sent(), answer.take)
        return answer


class _Answer:
    """What Django answered, kept until it is sent."""

    def __init__(self) -> None:
        self.status = 0
        self._messages: list[Message] = []

    async def take(self, message: Message) -> None:
        """Keep a message."""
        self.status = message.get("status", self.status)
        self._messages.append(message)

    async def send(self, send: Send) -> None:
        """Send all."""
        for message in self._messages:
            await send(message)


def wanted_seconds(scope: Scope) -> float:
    """Say how long a request for configuration wants to wait; 0 for every other request and for what is no number."""
    if scope["method"] != "GET" or not scope["path"].startswith(PREFIX):
        return 0.0
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    text = query.get("wait", ["0"])[-1]
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        return 0.0
    return float(min(int(text), settings.CONFIG_PULL_WAIT_SECONDS))


def project_of(scope: Scope) -> str:
    """Give the project that a path names."""
    return str(scope["path"].removeprefix(PREFIX).partition("/")[0])


def _nothing_sent() -> Receive:
    """Give the end of a request without a body; what would come after it never does."""
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        return await asyncio.get_running_loop().create_future()

    return receive


async def _until_gone(receive: Receive) -> None:
    """Return once the client has hung up; what it sends meanwhile is dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass
