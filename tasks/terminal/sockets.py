"""The web socket of a terminal: a ticket first, then bytes of the terminal both ways and messages as JSON (docs/terminal.md)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import door
from adminset.errors import DomainError
from adminset.middleware import address_of
from tasks.terminal import entering, patience
from tasks.terminal.judging import OWNER
from tasks.terminal.live import LiveTerminal
from tasks.terminal.patience import PatientConsumer
from tasks.terminal.registry import REGISTRY
from tasks.terminal.viewers import (
    BAD_TICKET,
    GONE,
    NOT_ALLOWED,
    SIGNED_OUT,
    WELL,
    Goodbye,
    Viewer,
)

MOST_BYTES = 64 * 1024
MOST_TEXT = 8 * 1024
HELLO_SECONDS = 15.0
# How often a page whose input waits is looked at again.
FULL_SECONDS = 0.02
# What it typed is thrown away when it has waited so long; well before a ping whose answer waits behind it ends the socket
# (--ws-ping-timeout, adminset/launch/programs.py).
PATIENCE_SECONDS = 10.0
TOO_BIG = 1009
CODES = {"ticket": BAD_TICKET, "signed_out": SIGNED_OUT, "terminal_over": GONE}
CODES |= {"elsewhere": GONE, "duty": SIGNED_OUT}
# What pages want of the database is done here: who waits for a lock there stops neither each other page nor other rooms' sockets.
DESK = ThreadPoolExecutor(8, thread_name_prefix="terminal-page")


def at_desk(work: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Have something done that asks the database."""
    found: Callable[..., Awaitable[Any]] = database_sync_to_async(
        work, thread_sensitive=False, executor=DESK
    )
    return found


class TerminalConsumer(PatientConsumer):
    """`ws/tasks/terminals/<key>/`: one page at one terminal."""

    permission = "cmdb.terminal_host"
    viewer: Viewer | None = None
    terminal: LiveTerminal | None = None
    sender: asyncio.Task[None] | None = None
    patience: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        """Let in who has any business at this terminal, and nothing else to do first; what opens it is the ticket."""
        user, session = self.scope.get("user"), self.scope.get("session")
        self.key = self.scope["url_route"]["kwargs"]["key"]
        # Taken before anybody reads it: one that has ended forgets its key, and must not pass for none.
        self.session_key = session.session_key if session is not None else None
        self.woken = asyncio.Event()
        self.entering = False
        signed_in = user is not None and user.is_authenticated
        keyless = session is not None and not self.session_key
        may_come = at_desk(self._may_come)
        if not signed_in or keyless or not await may_come(user, session):
            await self.close()
            return
        await self.accept()
        loop = asyncio.get_running_loop()
        self.patience = loop.call_later(HELLO_SECONDS, self._tired)

    def _may_come(self, user: Any, session: Any) -> bool:
        return not door.has_duty(user, session) and entering.may_come(user, self.key)

    def _tired(self) -> None:
        if self.viewer is None and not self.entering:
            self.entering = True
            self.late = asyncio.ensure_future(self.close(BAD_TICKET))

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        """Take what a page sends; what cannot be understood is left alone."""
        if bytes_data is not None:
            await self._typed(bytes_data)
            return
        if len(text_data or "") > MOST_TEXT:
            await self.close(TOO_BIG)
            return
        with suppress(ValueError, RecursionError):
            message = json.loads(text_data or "")
            if isinstance(message, dict):
                await self._told(message)

    async def _typed(self, data: bytes) -> None:
        if len(data) > MOST_BYTES:
            await self.close(TOO_BIG)
        elif self.viewer is not None and self.terminal is not None:
            self.terminal.press(self.viewer, data)
            await self._hold_back(self.terminal)

    async def _hold_back(self, terminal: LiveTerminal) -> None:
        """Let the page's next frames wait in the network while the program on the host does not read."""
        loop = asyncio.get_running_loop()
        patience = loop.time() + PATIENCE_SECONDS
        while terminal.keyboard.full and terminal.is_alive():
            if loop.time() > patience:
                # Nor would it be seen that the page is gone.
                terminal.discard()
                return
            await asyncio.sleep(FULL_SECONDS)

    async def _told(self, message: dict[str, Any]) -> None:
        kind = message.get("t")
        if kind == "hello" and self.viewer is None and not self.entering:
            self.entering = True
            await self._enter(message)
        elif kind == "bye":
            self._close_shell()
            await self.close()
        elif self.viewer is not None and self.terminal is not None:
            self._obey(self.terminal, self.viewer, message)

    def _close_shell(self) -> None:
        """The owner closes the shell for good; others only go, and so does who was sent away."""
        terminal, viewer = self.terminal, self.viewer
        if terminal is None or viewer is None or viewer.goodbye is not None:
            return
        if viewer.role == OWNER:
            with translation.override(self._language()):
                terminal.end(_("Closed by its user."))

    def _language(self) -> str:
        return getattr(self.scope["user"], "language", "") or settings.LANGUAGE_CODE

    def _obey(
        self, terminal: LiveTerminal, viewer: Viewer, message: dict[str, Any]
    ) -> None:
        kind = message.get("t")
        if viewer.goodbye is not None:
            # Who was sent away has nothing to say any more.
            return
        if kind == "ack" and (count := number(message.get("n"))) is not None:
            terminal.ack(viewer, count)
        elif kind == "resize":
            columns, rows = number(message.get("columns")), number(message.get("rows"))
            if columns and rows:
                terminal.resize(viewer, columns, rows)
        elif kind == "answer" and (count := number(message.get("id"))) is not None:
            terminal.answer(viewer, count, message.get("yes") is True)

    async def _enter(self, hello: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        asked = entering.Hello(
            key=self.key,
            ticket=str(hello.get("ticket", "")),
            user_id=self.scope["user"].pk,
            session_key=self.session_key,
            address=self._address(),
            columns=number(hello.get("columns")) or 0,
            rows=number(hello.get("rows")) or 0,
            wanted=number(hello.get("from")),
            wake=lambda: self._wake(loop),
            language=self._language(),
        )
        try:
            self.terminal, self.viewer = await at_desk(entering.enter)(asked)
        except DomainError as error:
            words = f"{error.message} {error.hint}".strip()
            await self.send(json.dumps({"t": "end", "words": words}))
            await self.close(CODES.get(error.code, NOT_ALLOWED))
            return
        self.sender = asyncio.create_task(self._send_all(self.terminal, self.viewer))

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        # Often there is more than one reason to; and a loop that has ended has nobody to wake.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._stir)

    def _stir(self) -> None:
        self.woken.set()
        goodbye = self.viewer.goodbye if self.viewer is not None else None
        if goodbye is not None and goodbye.code != WELL:
            self.lose_soon()

    def _address(self) -> str:
        headers = dict(self.scope.get("headers", ()))
        client = self.scope.get("client") or ("",)
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        return address_of(str(client[0]), forwarded)

    async def _send_all(self, terminal: LiveTerminal, viewer: Viewer) -> None:
        """Send the page what there is for it; it waits in the network where the page is slow."""
        while not self.is_silent:
            self.woken.clear()
            while (item := viewer.next(terminal.backlog)) is not None:
                if isinstance(item, Goodbye):
                    await self.send(json.dumps({"t": "end", "words": item.words}))
                    await self.close(item.code)
                    # Whether the page goes or not: it keeps nothing of the terminal.
                    await self._let_go()
                    return
                if isinstance(item, bytes):
                    await self.send(bytes_data=item)
                    # A flood of one terminal lets other pages be served between two pieces.
                    await asyncio.sleep(0)
                else:
                    await self.send(text_data=item)
            with suppress(TimeoutError):
                async with asyncio.timeout(patience.SILENT_SECONDS):
                    await self.woken.wait()
        self.lose()

    async def leave(self) -> None:
        """Leave the terminal; the owner may come back for a while."""
        if self.patience is not None:
            self.patience.cancel()
        sender, self.sender = self.sender, None
        if sender is not None:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        await self._let_go()

    async def _let_go(self) -> None:
        terminal, viewer = self.terminal, self.viewer
        self.terminal = self.viewer = None
        if terminal is None or viewer is None:
            return
        terminal.detach(viewer)
        if viewer.role != OWNER:
            # To be written down also where the server ends this socket meanwhile.
            await asyncio.shield(at_desk(entering.left)(terminal, viewer))


def number(value: Any) -> int | None:
    """Give a whole number that a page sent, None for anything else."""
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62
    return value if fits else None


def at_end() -> None:
    """End all terminals, for the end of the process (adminset/sockets.py)."""
    with translation.override(settings.LANGUAGE_CODE):
        REGISTRY.drain(_("The portal was stopped or restarted."))


socket_patterns = [path("ws/tasks/terminals/<str:key>/", TerminalConsumer.as_asgi())]
