"""The portal's end of a connection that a site's worker passes on: behaves like a socket, holds no more than its window."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable

import redis

from tasks.sites import relay_wire as wire
from tasks.sites.relay_wire import Frame

LOOK_SECONDS = 0.25
LOST = "Bytes were lost on the way through Redis."


class RelaySocket:
    """One connection through a worker; one thread sends, one receives, `close` may come from any."""

    def __init__(
        self,
        key: bytes,
        window: int,
        post: Callable[[str, Frame], None],
        leave: Callable[[RelaySocket], None],
    ) -> None:
        self.key = key
        # The worker's, once one has taken the order.
        self.box = ""
        self.is_open = False
        # Why it is over; None while it is not.
        self.words: str | None = None
        self._window = window
        self._post = post
        self._leave = leave
        self._changed = threading.Condition()
        self._left = threading.Lock()
        self._timeout: float | None = None
        self._came = bytearray()
        self._got = self._sent = self._credit = self._eaten = 0

    @property
    def _closed(self) -> bool:
        return self.words is not None

    def settimeout(self, seconds: float | None) -> None:
        """Let `send` and `recv` wait for so long."""
        self._timeout = seconds

    def send(self, data: bytes) -> int:
        """Send what the worker takes now, and say how many bytes that were.

        Raises:
            TimeoutError: it takes none. BrokenPipeError: it is over.
        """
        with self._changed:
            if not self._changed.wait_for(self._may_send, self._timeout):
                raise TimeoutError
            if self.words is not None:
                raise BrokenPipeError(errno.EPIPE, self.words)
            piece = bytes(data[: min(self._credit, wire.PIECE_BYTES)])
            self._credit -= len(piece)
            offset = self._sent
            self._sent += len(piece)
        self._say(wire.DATA, wire.with_offset(offset, piece))
        return len(piece)

    def recv(self, most: int) -> bytes:
        """Give what has come, nothing when it is over; raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(self._may_read, self._timeout):
                raise TimeoutError
            with memoryview(self._came) as came:
                piece = bytes(came[:most])
            del self._came[:most]
            self._eaten += len(piece)
            owed = self._eaten if self._eaten >= self._window // 4 else 0
            self._eaten -= owed
        if owed:
            self._say(wire.CREDIT, wire.number(owed))
        return piece

    def close(self) -> None:
        """Hang up, once: the worker closes the connection to the host."""
        self.end("")
        if self._left.acquire(blocking=False):
            self._leave(self)
            if self.box:
                self._say(wire.END, b"")

    def end(self, words: str) -> None:
        """Let it be over, whoever waits; the first reason counts."""
        with self._changed:
            if self.words is None:
                self.words = words
            self._changed.notify_all()

    def take(self, frame: Frame) -> None:
        """Take in what the worker says."""
        with self._changed:
            if frame.kind == wire.DATA:
                self._take_data(frame.body)
            elif frame.kind == wire.CREDIT:
                self._credit += wire.number_of(frame.body)
            elif frame.kind == wire.TAKEN:
                self._credit = wire.number_of(frame.body)
                self.box = frame.body[4:].decode()
            elif frame.kind == wire.OPENED:
                self.is_open = True
            else:
                self.end(frame.body.decode(errors="replace"))
            self._changed.notify_all()

    def wait(
        self,
        until: Callable[[RelaySocket], bool],
        seconds: float,
        cancelled: Callable[[], bool],
    ) -> bool:
        """Wait until something is so, or it is over; False where it was not in time, or somebody gave up."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not until(self) and self.words is None:
                left = deadline - time.monotonic()
                if left <= 0 or cancelled():
                    return False
                self._changed.wait(min(left, LOOK_SECONDS))
        return True

    def _take_data(self, body: bytes) -> None:
        if int.from_bytes(body[:8]) != self._got:
            self.end(LOST)
            return
        self._got += len(body) - 8
        self._came += memoryview(body)[8:]
        if len(self._came) > self._window:
            self.end("The worker sent more than it may.")

    def _may_send(self) -> bool:
        return self._credit > 0 or self.words is not None

    def _may_read(self) -> bool:
        return bool(self._came) or self.words is not None

    def _say(self, kind: int, body: bytes) -> None:
        try:
            self._post(self.box, Frame(self.key, kind, body))
        except redis.RedisError as error:
            self.end(str(error))
