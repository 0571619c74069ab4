"""One connection of a site's worker to a host, for a process of the portal: bytes go both ways, within the windows of both ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import redis
from django.conf import settings

from adminset import redis_boxes
from tasks.sites import relay_wire as wire
from tasks.sites.relay_wire import Frame, Order
from tasks.ssh.words import connect_sentence

# What is read ahead of the portal's window, and how long a host may take what was written before the end.
AHEAD_BYTES = 64 * 1024
LAST_SECONDS = 1.0


class Link:
    """Lives in the station's event loop, in a task of its own."""

    def __init__(self, client: Any, order: Order, own_box: str) -> None:
        self.order = order
        self.key = bytes.fromhex(order.key)
        self.descriptor = -1
        self.task: asyncio.Task[None] | None = None
        self._client = client
        self._own_box = own_box
        self._window = settings.RELAY_BYTES
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._credit = order.window
        self._may_send = asyncio.Event()
        # What came, what of it the host has, and what of that the portal was told.
        self._got = self._passed = self._told = 0

    async def run(self) -> None:
        """Open the connection and serve it until one of its ends is gone."""
        with suppress(redis.RedisError):
            words = "The connection was closed by the worker."
            try:
                head = wire.number(self._window) + self._own_box.encode()
                await self._say(wire.TAKEN, head)
                words = await self._open_and_serve()
            finally:
                await self._say(wire.END, words.encode())

    def cancel(self) -> None:
        """End it."""
        if self.task is not None:
            self.task.cancel()

    def take(self, frame: Frame) -> None:
        """Take in what the portal says."""
        if frame.kind == wire.CREDIT:
            self._credit += wire.number_of(frame.body)
            self._may_send.set()
        elif frame.kind == wire.DATA:
            self._take_data(frame.body)
        elif frame.kind == wire.END:
            self._waiting.put_nowait(b"")
            asyncio.get_running_loop().call_later(LAST_SECONDS, self.cancel)

    def _take_data(self, body: bytes) -> None:
        lost = int.from_bytes(body[:8]) != self._got
        self._got += len(body) - 8
        if lost or self._got - self._told > self._window:
            self.cancel()
        elif len(body) > 8:
            self._waiting.put_nowait(body[8:])

    async def _open_and_serve(self) -> str:
        order = self.order
        try:
            async with asyncio.timeout(order.seconds):
                reader, writer = await asyncio.open_connection(
                    order.address, order.port, limit=AHEAD_BYTES
                )
        except (OSError, UnicodeError) as error:
            words = connect_sentence(error, order.label, order.seconds)
            return f"{words} A worker of {order.queue} tried it."
        self.descriptor = writer.get_extra_info("socket").fileno()
        try:
            await self._say(wire.OPENED, b"")
            await self._serve(reader, writer)
        finally:
            self.descriptor = -1
            writer.transport.abort()
        return ""

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        ways = {
            asyncio.create_task(self._to_portal(reader)),
            asyncio.create_task(self._to_host(writer)),
        }
        try:
            await asyncio.wait(ways, return_when="FIRST_COMPLETED")
        finally:
            for way in ways:
                way.cancel()
            both = asyncio.gather(*ways, return_exceptions=True)
            await asyncio.wait({both}, timeout=LAST_SECONDS)

    async def _to_portal(self, reader: asyncio.StreamReader) -> None:
        sent = 0
        while True:
            while self._credit <= 0:
                self._may_send.clear()
                await self._may_send.wait()
            most = min(self._credit, wire.PIECE_BYTES)
            data = await reader.read(most)
            if not data:
                return
            self._credit -= len(data)
            await self._say(wire.DATA, wire.with_offset(sent, data))
            sent += len(data)

    async def _to_host(self, writer: asyncio.StreamWriter) -> None:
        while data := await self._waiting.get():
            writer.write(data)
            await writer.drain()
            self._passed += len(data)
            owed = self._passed - self._told
            if owed >= self._window // 4:
                self._told = self._passed
                await self._say(wire.CREDIT, wire.number(owed))
        writer.close()
        await writer.wait_closed()

    async def _say(self, kind: int, body: bytes) -> None:
        piece = Frame(self.key, kind, body).packed()
        if await redis_boxes.put(self._client, self.order.box, piece) is None:
            raise redis.RedisError("the portal's process is gone")
