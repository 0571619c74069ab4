"""The pages at a terminal: what each has still to be sent, who they are, who types, and since when nobody is there."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from tasks.terminal.judging import OWNER
from tasks.terminal.ring import Backlog

FRAME_BYTES = 64 * 1024
# What a page is told and does not take: one that hangs is let go, not gathered for.
MOST_MESSAGES = 1000
WELL, SIGNED_OUT, NOT_ALLOWED, GONE, BAD_TICKET = 1000, 4401, 4403, 4404, 4409


@dataclass(frozen=True)
class Goodbye:
    """The last word to a page, and the code with which its socket closes."""

    code: int
    words: str = ""


@dataclass(eq=False)
class Viewer:
    """One page: `wake` is called, from any thread, when there is something for `next`.

    Attributes:
        role: owner, guest or watcher.
        session_key: of the portal's session that the page came with; None in tests only.
        wanted: from which byte it wants the output; None: what is there.
        offset: the next byte that it is sent.
    """

    user: Any
    role: str
    may_type: bool
    session_key: str | None
    wake: Callable[[], None]
    wanted: int | None = None
    offset: int | None = None
    goodbye: Goodbye | None = None
    _messages: deque[str] = field(default_factory=deque)

    def tell(self, kind: str, **more: Any) -> None:
        """Send the page a message."""
        if len(self._messages) >= MOST_MESSAGES:
            self.close(GONE)
            return
        self._messages.append(json.dumps({"t": kind, **more}))
        self.wake()

    def close(self, code: int, words: str = "") -> None:
        """Send the page away: with 1000 once it has what it has still to get, else at once; it types nothing any more.

        A page that reads nothing hears none of this and stays: so what it may not any more holds from here on.
        """
        self.goodbye = self.goodbye or Goodbye(code, words)
        self.may_type = False
        self.wake()

    @property
    def types(self) -> bool:
        """Whether what the page sends counts: it may type, and was not sent away."""
        return self.may_type and self.goodbye is None

    def may(self, role: str, types: bool) -> None:
        """Let the page be something else from now on, and tell it; one that was sent away stays away."""
        if self.goodbye is None and (role, types) != (self.role, self.may_type):
            self.role, self.may_type = role, types
            self.tell("rights", role=role, may_write=types)

    def place(self, backlog: Backlog) -> int:
        """Say from which byte on it is sent the output: the one that it wants, where that is still there."""
        here = self.wanted
        if here is not None and backlog.start <= here <= backlog.end:
            return here
        return backlog.opening()

    def begin(self, offset: int) -> None:
        """Send it the output from now on; what it was told before that comes first."""
        self.offset = offset
        self.wake()

    def next(self, backlog: Backlog) -> str | bytes | Goodbye | None:
        """Give what it is sent next: a message, a piece of output, the last word; None: nothing now."""
        if self.goodbye is not None and self.goodbye.code != WELL:
            # Who may not be there any more sees nothing more.
            return self.goodbye
        if self._messages:
            return self._messages.popleft()
        if self.offset is not None and self.offset < backlog.end:
            piece = backlog.read(self.offset, FRAME_BYTES)
            if piece:
                self.offset += len(piece)
                return piece
            # Whoever only looks and is slower than the host goes on near the end.
            self.offset = backlog.opening()
            return json.dumps({"t": "skip", "from": self.offset})
        return self.goodbye


class Audience:
    """All pages at a terminal; threads may call it at the same time.

    Attributes:
        doorway: held by who comes or goes while that is written down: two pages of the same guest must not overtake each other.
        acked: the byte up to which the page that types has shown the output; without a page: had.
        away_since: when the owner's page went (time.monotonic), None while it is there.
    """

    def __init__(self) -> None:
        self._viewers: list[Viewer] = []
        self._lock = threading.Lock()
        self._over: Goodbye | None = None
        self.doorway = threading.Lock()
        self.acked = 0
        self.away_since: float | None = time.monotonic()

    def all(self) -> list[Viewer]:
        """Give all pages."""
        with self._lock:
            return list(self._viewers)

    @property
    def owner(self) -> Viewer | None:
        """The owner's page, None while it is away."""
        return next((one for one in self.all() if one.role == OWNER), None)

    def enter(self, viewer: Viewer) -> None:
        """Let a page in; the owner's newest takes the place of the one before. After the end it is told how it ended."""
        with self._lock:
            before = [one for one in self._viewers if one.role == viewer.role == OWNER]
            self._viewers = [one for one in self._viewers if one not in before]
            self._viewers.append(viewer)
            if viewer.role == OWNER:
                self.away_since = None
            over = self._over
        for one in before:
            one.close(GONE, _("The terminal was opened in another page."))
        if over is not None:
            viewer.close(over.code, over.words)
        self._tell_names()

    def leave(self, viewer: Viewer) -> None:
        """Note that a page is gone."""
        with self._lock:
            there = viewer in self._viewers
            self._viewers = [one for one in self._viewers if one is not viewer]
            if there and viewer.role == OWNER:
                self.away_since = time.monotonic()
        if there:
            self._tell_names()

    def ack(self, viewer: Viewer, count: int) -> bool:
        """Note how far the page that types has shown the output; False where that says nothing new."""
        known = viewer.offset or 0
        if viewer.role != OWNER or viewer is not self.owner:
            return False
        if not self.acked < count <= known:
            return False
        self.acked = count
        return True

    def tell(self, kind: str, **more: Any) -> None:
        """Send all pages a message."""
        for one in self.all():
            one.tell(kind, **more)

    def wake(self) -> None:
        """Tell all pages that there is output."""
        for one in self.all():
            one.wake()

    def close(self, code: int, words: str) -> None:
        """Send all pages away, also those that come later."""
        with self._lock:
            self._over = Goodbye(code, words)
        for one in self.all():
            one.close(code, words)

    def _tell_names(self) -> None:
        names = sorted({one.user.username for one in self.all() if one.role != OWNER})
        self.tell("watchers", names=names)
