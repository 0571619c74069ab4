"""A page at a terminal over a real web socket; it acknowledges what it gets as the emulator does (static/terminal/flow.js)."""

import asyncio
import json
import time
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

# As flow.js has it: at the latest after so much; after 100 ms else.
ACK_BYTES = 64 * 1024
PATIENCE_SECONDS = 60
QUIET_SECONDS = 0.3
# The same for all: a shell that reads nobody's start-up files, at a prompt that its own echo does not look like.
SHELL = b"exec bash --norc --noprofile\r"
ASK_PROMPT = b"PS1='ready'\"> \"\r"
PROMPT = b"ready> "


class OverError(Exception):
    """The portal says that the terminal is over; the text says why."""


class Page:
    """One page. Whoever waits for something reads; nothing is read meanwhile.

    Attributes:
        said: what the portal told besides the output.
    """

    def __init__(self, port: int, cookie: str, key: str, ticket: str) -> None:
        self.key = key
        self._port, self._cookie, self._ticket = port, cookie, ticket
        self._socket: ClientConnection | None = None
        self._received = self._acked = 0
        self.said: list[str] = []

    @property
    def socket(self) -> ClientConnection:
        """Its web socket."""
        assert self._socket is not None, "it has not come"
        return self._socket

    async def come(self, columns: int = 120, rows: int = 40) -> None:
        """Connect, say hello, and wait for the shell; raises OverError."""
        origin = f"http://127.0.0.1:{self._port}"
        self._socket = await connect(
            f"ws://127.0.0.1:{self._port}/ws/tasks/terminals/{self.key}/",
            origin=origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": self._cookie},
            max_size=None,
            ping_interval=None,
            close_timeout=2,
        )
        size = {"columns": columns, "rows": rows, "from": None}
        await self.tell("hello", ticket=self._ticket, **size)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "ready" not in self.said:
                await self.read()
        self.said.remove("ready")

    async def tell(self, kind: str, **more: Any) -> None:
        """Send a message."""
        await self.socket.send(json.dumps({"t": kind, **more}))

    async def type(self, data: bytes) -> None:
        """Send what is typed."""
        await self.socket.send(data)

    async def ack(self) -> None:
        """Say that all is drawn."""
        if self._acked != self._received:
            self._acked = self._received
            await self.tell("ack", n=self._acked)

    async def read(self) -> bytes:
        """Take in what comes next; b"" where it was no output."""
        message = await self.socket.recv()
        if isinstance(message, str):
            self._hear(json.loads(message))
            return b""
        self._received += len(message)
        if self._received - self._acked >= ACK_BYTES:
            await self.ack()
        return message

    def _hear(self, told: dict[str, Any]) -> None:
        if told["t"] == "end":
            raise OverError(told["words"])
        if told["t"] in ("ready", "skip"):
            self._received = self._acked = told["from"]
            self.said.append(told["t"])
        elif told["t"] == "say":
            self.said.append(told["words"])

    async def passes(self, mark: bytes, seconds: float = PATIENCE_SECONDS) -> int:
        """Read until the output has a mark, and count the bytes; nothing is kept."""
        tail, size = b"", 0
        async with asyncio.timeout(seconds):
            while mark not in tail:
                piece = await self.read()
                size += len(piece)
                tail = tail[-len(mark) :] + piece
        return size

    async def shows(self, mark: bytes, seconds: float = PATIENCE_SECONDS) -> bytes:
        """Read until the output has a mark, and give all of it."""
        found = bytearray()
        async with asyncio.timeout(seconds):
            while mark not in found:
                found += await self.read()
        return bytes(found)

    async def plain_shell(self) -> None:
        """Get to the prompt of a plain bash."""
        for line in (SHELL, ASK_PROMPT):
            await self.settle()
            await self.type(line)
        await self.passes(PROMPT)
        await self.settle()

    async def listen(self, seconds: float) -> bytes:
        """Read for a while, whatever comes."""
        found, until = bytearray(), time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    found += await self.read()
            except TimeoutError:
                break
        await self.ack()
        return bytes(found)

    async def echo(self, key: bytes) -> float:
        """Type a key and wait for its echo; give the milliseconds. The screen acknowledges it afterwards."""
        began = time.perf_counter()
        await self.socket.send(key)
        while key not in await self.read():
            pass
        took = (time.perf_counter() - began) * 1000
        await self.ack()
        return took

    async def settle(self) -> None:
        """Read until nothing more comes for a moment."""
        while True:
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    await self.read()
            except TimeoutError:
                await self.ack()
                return

    def drop(self) -> None:
        """Be gone without a word, as a machine is that lost its network."""
        self.socket.transport.abort()

    async def leave(self) -> None:
        """Go, as a page that is closed does; the shell is kept for a while."""
        await self.socket.close()

    async def bye(self) -> None:
        """Close the shell."""
        await self.tell("bye")
        await self.leave()
