"""A web socket whose page may stop taking what it is sent: the server would wait for it for ever, this gives it up."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer

# A page that takes nothing for so long is gone: its network is, or its machine sleeps.
SEND_SECONDS = 20.0
# One that was sent away has so long to take its last word.
LAST_SECONDS = 5.0
# A page says three times a minute how far it is (static/terminal/link.js), a hidden one once: one that was sent something and
# is silent for so long is gone, though there is room left in the buffers of the network.
SILENT_SECONDS = 90.0


class PatientConsumer(AsyncWebsocketConsumer):
    """Serves a page for as long as it takes what it is sent; `leave` is called once it does not, however it ends."""

    # Nobody sends to it by the channel layer.
    channel_layer_alias = "none"
    talk: asyncio.Task[None]
    last: asyncio.TimerHandle | None = None
    lost = False
    # When the page said something, and when it was sent something.
    heard = told = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the page."""

        async def patient(message: Any) -> None:
            self.told = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await send(message)
            except TimeoutError:
                self.lose()
                raise

        self.talk = asyncio.create_task(super().__call__(scope, receive, patient))
        try:
            await self.talk
        except (asyncio.CancelledError, TimeoutError):
            if not self.lost:
                raise
        finally:
            if self.last is not None:
                self.last.cancel()
            await self.leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand a message on at once: channels looks at the database's connections first, in a thread that others are in."""
        self.heard = asyncio.get_running_loop().time()
        await getattr(self, get_handler_name(message))(message)

    def lose(self) -> None:
        """Give the page up: nothing that waits for it goes on."""
        self.lost = True
        self.talk.cancel()

    def lose_soon(self) -> None:
        """Give the page up unless it takes its last word: what is being sent may wait for it."""
        if self.last is None:
            loop = asyncio.get_running_loop()
            self.last = loop.call_later(LAST_SECONDS, self.lose)

    @property
    def is_silent(self) -> bool:
        """Whether the page is gone without a word: it should have said that it got what it was sent."""
        silence = asyncio.get_running_loop().time() - self.heard
        return self.told > self.heard and silence > SILENT_SECONDS

    async def disconnect(self, code: int) -> None:
        """Leave; once more at the very end changes nothing."""
        await self.leave()

    async def leave(self) -> None:
        """Let go of what is held for the page; may be called more than once."""
