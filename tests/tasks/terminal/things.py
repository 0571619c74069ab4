"""A page at a terminal, in tests: the browser's end of the web socket, and the emulator that acknowledges what it has shown."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.routing import URLRouter

from accounts.models import User
from accounts.sessions import SessionStore
from tasks import sockets
from tasks.models import TerminalSession
from tasks.terminal.live import LiveTerminal
from tasks.terminal.opening import ticket_for
from tasks.terminal.registry import REGISTRY

ADDRESS = "192.0.2.7"
PATIENCE_SECONDS = 15


class Page(ApplicationCommunicator):
    """One page with its socket; reads by itself and, unless told otherwise, acknowledges all that it reads."""

    def __init__(
        self,
        key: str,
        user: Any,
        *,
        session_key: str | None = None,
        address: str = ADDRESS,
    ) -> None:
        scope = {
            "type": "websocket",
            "path": f"/ws/tasks/terminals/{key}/",
            "query_string": b"",
            "headers": [],
            "client": (address, 40000),
            "user": user,
        }
        if session_key is not None:
            scope["session"] = SessionStore(session_key)
        super().__init__(URLRouter(sockets.socket_patterns), scope)
        self.output = b""
        self.offset = 0
        self.told: list[dict[str, Any]] = []
        self.code: int | None = None
        self.acknowledges = True

    async def open(self, hello: dict[str, Any] | None = None) -> bool:
        """Connect, and say hello where told so; False where the handshake is refused."""
        await self.send_input({"type": "websocket.connect"})
        accepted = await self.receive_output(timeout=PATIENCE_SECONDS)
        if accepted["type"] != "websocket.accept":
            self.code = accepted.get("code", 1000)
            return False
        if hello is not None:
            await self.say("hello", **hello)
        return True

    async def say(self, kind: str, **more: Any) -> None:
        """Send a message."""
        text = json.dumps({"t": kind, **more})
        await self.send_input({"type": "websocket.receive", "text": text})

    async def type(self, text: str | bytes) -> None:
        """Send what is typed."""
        data = text.encode() if isinstance(text, str) else text
        await self.send_input({"type": "websocket.receive", "bytes": data})

    async def read(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Take in the next thing that comes."""
        message = await self.receive_output(timeout=seconds)
        if message["type"] == "websocket.close":
            self.code = message.get("code", 1000)
        elif message.get("bytes") is not None:
            self.output += message["bytes"]
            self.offset += len(message["bytes"])
            if self.acknowledges:
                await self.say("ack", n=self.offset)
        else:
            told = json.loads(message["text"])
            self.told.append(told)
            if told["t"] in ("ready", "skip"):
                self.offset = told["from"]

    async def shows(self, text: str | bytes) -> bytes:
        """Wait until the output holds a text; give what came up to its end, and forget it."""
        wanted = text.encode() if isinstance(text, str) else text
        while wanted not in self.output and self.code is None:
            try:
                await self.read()
            except TimeoutError:
                raise AssertionError(f"{self.output[-2000:]!r} {self.told}") from None
        found, mark, self.output = self.output.partition(wanted)
        assert mark, f"closed with {self.code}: {self.told}"
        return found + mark

    async def hears(self, kind: str, **values: Any) -> dict[str, Any]:
        """Wait for a message of a kind, with these values; messages before it are forgotten."""
        while True:
            while self.told:
                told = self.told.pop(0)
                if told["t"] == kind and values.items() <= told.items():
                    return told
            assert self.code is None, f"closed with {self.code} without {kind}"
            await self.read()

    async def closes(self) -> int:
        """Wait for the end of the socket."""
        while self.code is None:
            await self.read()
        return self.code

    async def leave(self, code: int = 1001) -> None:
        """Go, as a page that is closed does."""
        await self.send_input({"type": "websocket.disconnect", "code": code})
        await self.wait(timeout=PATIENCE_SECONDS)


async def in_thread(work: Callable[..., Any], *values: Any, **more: Any) -> Any:
    """Do something with the database."""
    return await database_sync_to_async(work)(*values, **more)


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Play a scene."""
    asyncio.run(work())  # type: ignore[arg-type]


async def row_of(session: TerminalSession) -> TerminalSession:
    """Read a session's row anew."""
    return await in_thread(TerminalSession.objects.get, pk=session.pk)


async def row_becomes(session: TerminalSession, *states: str) -> TerminalSession:
    """Wait until a session's row has one of these states."""
    for _number in range(PATIENCE_SECONDS * 20):
        row = await row_of(session)
        # Threads see here what is not committed yet: at its end a terminal is forgotten last.
        lives = any(one.session.key == session.key for one in REGISTRY.all())
        if row.state in states and (row.is_open or not lives):
            return row
        await asyncio.sleep(0.05)
    raise AssertionError(f"it is {row.state}, not {states}: {row.end_reason}")


def terminal_of(session: TerminalSession) -> LiveTerminal:
    """Give the terminal of a session in this process."""
    return next(one for one in REGISTRY.all() if one.session.key == session.key)


async def until(
    condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS
) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def ticks(terminal: LiveTerminal, count: int) -> None:
    """Wait until a terminal has done so many times what it does once a second: what it had to do before is done then."""
    for _number in range(count):
        before = terminal._ticked
        await until(lambda before=before: terminal._ticked > before)  # type: ignore[misc]


async def begin(session: TerminalSession, user: User, hello: dict[str, Any]) -> Page:
    """Come as the owner, and wait for the shell."""
    page = Page(session.key, user)
    assert await page.open(hello)
    await page.hears("ready")
    return page


async def come(session: TerminalSession, user: User) -> Page:
    """Come to a terminal that is open, as somebody else does."""
    ticket = await in_thread(ticket_for, actor=user, session=session)
    page = Page(session.key, user)
    assert await page.open({"ticket": ticket, "columns": 10, "rows": 10, "from": None})
    return page
