"""The web socket of a run: output and states as they come, woken by Redis, looking by itself where Redis is away."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qs

import redis.asyncio
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.urls import path
from django.utils import translation
from redis.exceptions import RedisError

from accounts import door
from accounts.models import User
from adminset.sockets import language_of
from tasks.feed import Feed, Message
from tasks.output import channel
from tasks.terminal import sockets as terminals

LOOK_SECONDS = 1.0
RECHECK_SECONDS = 10.0


class Hints:
    """Waits for a hint that concerns a watcher, a second at most."""

    def __init__(self, pubsub: Any, feed: Feed) -> None:
        self._pubsub = pubsub
        self._feed = feed
        self.turned = asyncio.Event()

    async def wait(self) -> None:
        """Return on a hint, on a change of what is watched, or after a second."""
        waiting = [
            asyncio.create_task(self._hint()),
            asyncio.create_task(self.turned.wait()),
        ]
        try:
            await asyncio.wait(
                waiting, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        self.turned.clear()

    async def _hint(self) -> None:
        while True:
            try:
                message = await self._pubsub.get_message(
                    ignore_subscribe_messages=True, timeout=LOOK_SECONDS
                )
            except (RedisError, OSError, RuntimeError):
                await asyncio.sleep(LOOK_SECONDS)
                continue
            if message is not None and self._concerns(json.loads(message["data"])):
                return

    def _concerns(self, hint: dict[str, Any]) -> bool:
        return "status" in hint or hint.get("output", "") == self._feed.host_id


@asynccontextmanager
async def listening(run_id: int, feed: Feed) -> AsyncIterator[Hints]:
    """Listen to the hints of a run."""
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1)
    pubsub = client.pubsub()
    try:
        with suppress(RedisError, OSError):
            await pubsub.subscribe(channel(run_id))
        yield Hints(pubsub, feed)
    finally:
        with suppress(RedisError, OSError):
            await pubsub.aclose()
        with suppress(RedisError, OSError):
            await client.aclose()


class RunConsumer(AsyncWebsocketConsumer):
    """`ws/tasks/runs/<run>/` and `.../hosts/<run host>/?offset=n`; `{"host", "offset"}` turns to another host."""

    permission = "tasks.view_run"

    async def connect(self) -> None:
        """Let in who may see the run; refuse the handshake (403) to everybody else."""
        route = self.scope["url_route"]["kwargs"]
        asked = parse_qs(
            self.scope.get("query_string", b"").decode(errors="replace")
        ).get("offset", ["0"])[0]
        offset = int(asked) if asked.isdecimal() and len(asked) < 16 else 0
        user = self.scope.get("user")
        self.feed = Feed(user, route["pk"], route.get("host"), offset, skips=True)
        self.stream: asyncio.Task[None] | None = None
        if (
            user is None
            or not user.is_authenticated
            or not await database_sync_to_async(self._may_enter)()
        ):
            await self.close()
            return
        await self.accept()
        # A task keeps the language in which it was made.
        with translation.override(language_of(self.scope)):
            self.stream = asyncio.create_task(self._stream())

    def _may_enter(self) -> bool:
        return (
            bool(self.feed.user.has_perm(self.permission))
            and not door.has_duty(self.feed.user, self.scope.get("session"))
            and self.feed.run() is not None
        )

    async def disconnect(self, code: int) -> None:
        """Stop."""
        if self.stream is not None:
            self.stream.cancel()
            await asyncio.gather(self.stream, return_exceptions=True)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        """Turn to another host, from an offset on; what cannot be understood is left alone."""
        with suppress(ValueError, TypeError, AttributeError, RecursionError):
            asked = json.loads(text_data or "")
            host, offset = asked.get("host"), asked.get("offset") or 0
            if (host is None or isinstance(host, int)) and isinstance(offset, int):
                self.feed.turn_to(host, offset)
                self.hints.turned.set()

    async def _stream(self) -> None:
        async with listening(self.feed.run_id, self.feed) as self.hints:
            checked = asyncio.get_running_loop().time()
            while True:
                if asyncio.get_running_loop().time() - checked > RECHECK_SECONDS:
                    checked = asyncio.get_running_loop().time()
                    await database_sync_to_async(self._look_again)()
                messages = await database_sync_to_async(self.feed.read)()
                await self._send(messages or [])
                if messages is None or self.feed.ended:
                    await self.close(4403 if messages is None else 1000)
                    return
                await self.hints.wait()

    def _look_again(self) -> None:
        """Ask the database once more who this is and what that user may do; a session that ended, or a new password, is nobody.

        Watching is no act: it does not keep the session alive.
        """
        session = self.scope.get("session")
        if session is not None:
            user = door.whose(session.session_key)
        else:
            user = User.objects.active().filter(pk=self.feed.user.pk).first()
        self.feed.see_as(user)

    async def _send(self, messages: list[Message]) -> None:
        for message in messages:
            await self.send(text_data=json.dumps(message))


at_end = terminals.at_end
socket_patterns = [
    path("ws/tasks/runs/<int:pk>/", RunConsumer.as_asgi()),
    path("ws/tasks/runs/<int:pk>/hosts/<int:host>/", RunConsumer.as_asgi()),
    *terminals.socket_patterns,
]
