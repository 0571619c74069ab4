"""One kept-alive HTTP connection of a simulated agent, with as little work as may be."""

import asyncio
from typing import Any, NamedTuple, Self

END = b"\r\n\r\n"


class Answer(NamedTuple):
    """What came back; `retry_after` in seconds where the portal said it."""

    status: int
    retry_after: float | None
    body: bytes


class Connection(asyncio.Protocol):
    """Sends a request and waits for its answer; one at a time."""

    def __init__(self) -> None:
        self._got = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self._transport: Any = None
        self.is_open = False

    @classmethod
    async def to(cls, port: int) -> Self:
        """Open one to this machine.

        Raises:
            OSError: nobody listens.
        """
        loop = asyncio.get_running_loop()
        _transport, made = await loop.create_connection(cls, "127.0.0.1", port)
        return made

    def connection_made(self, transport: Any) -> None:
        """Remember where to write to."""
        self._transport, self.is_open = transport, True

    def data_received(self, data: bytes) -> None:
        """Collect an answer until it is whole."""
        self._got += data
        answer = _whole(self._got)
        if answer and self._waiting and not self._waiting.done():
            self._got.clear()
            self._waiting.set_result(answer)

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell who waits that no answer comes."""
        self.is_open = False
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError("hung up"))

    async def ask(self, sent: bytes, seconds: float) -> Answer:
        """Send a request and give its answer.

        Raises:
            OSError: the connection broke, or nothing came in time.
        """
        if not self.is_open:
            raise ConnectionResetError("closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(sent)
        async with asyncio.timeout(seconds):
            return await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self.is_open:
            self.is_open = False
            self._transport.abort()


def _whole(got: bytearray) -> Answer | None:
    place = got.find(END)
    if place < 0:
        return None
    head = bytes(got[:place]).lower()
    length = int(_header(head, b"content-length") or 0)
    body = got[place + len(END) :]
    if len(body) < length:
        return None
    wait = _header(head, b"retry-after")
    status = int(head.split(b" ", 2)[1])
    return Answer(status, float(wait) if wait else None, bytes(body))


def _header(head: bytes, name: bytes) -> bytes:
    return head.partition(b"\r\n" + name + b":")[2].partition(b"\r\n")[0].strip()
