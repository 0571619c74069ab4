"""What is typed at a terminal, on its way to the shell: by whom, past the guard, as fast as the program there reads."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.utils import timezone

from tasks.guard.keys import INTERRUPT, is_answer
from tasks.guard.verdicts import Entered, Held, Typed
from tasks.guard.watcher import Watcher
from tasks.models import TerminalCommand
from tasks.ssh.shell import Shell

# The page holds back what it would send beyond this.
MOST_WAITING = 256 * 1024
# Single keys by the same person become one piece, up to so much; besides its bytes a piece costs so many.
MOST_PIECE = 4 * 1024
PIECE_COST = 256
# So much stands before the shell at most; the rest waits before the guard.
MOST_PENDING = 64 * 1024
# What the program on the host does not read yet is offered to it again so soon.
AGAIN_SECONDS = 0.02
LONGEST_WAIT = 1.0
# What is typed behind one of these is a matter of its own.
ENDS = (b"\r", b"\n", INTERRUPT)
# What is typed behind a line that is taken away waits until the host has shown what it makes of that and is quiet again, but no
# longer than this; where the line is interrupted, the guard (Watcher) waits for the line editor besides.
SETTLE_SECONDS, LONGEST_SETTLING = 0.15, 2.0
# A line that was typed before there was a prompt comes back behind it, and is taken away again.
MOST_TRIES = 4
TAKEN_AWAY = {TerminalCommand.Verdict.DECLINED, TerminalCommand.Verdict.REFUSED}


class Hears(Protocol):
    """Who is told what the guard says."""

    def entered(self, command: Entered, by: str) -> None:
        """A line was entered, by somebody."""

    def held(self, held: Held | None) -> None:
        """A line waits for an answer, or none does (any more)."""

    def dropped(self, count: int) -> None:
        """So many bytes that were typed were thrown away."""


@dataclass(slots=True)
class Press:
    """A piece of what was typed, and by whom."""

    by: str
    data: bytearray

    def takes(self, by: str, data: bytes) -> bool:
        """Say whether what was typed next may be added."""
        fits = len(self.data) + len(data) <= MOST_PIECE
        apart = self.data.endswith(ENDS) or INTERRUPT in data
        return fits and by == self.by and not apart


class Keyboard:
    """Queues what pages send and passes it on; `press` may come from any thread, the rest from the terminal's own.

    Args:
        watcher: the guard of this terminal, which sees what is typed and what is shown, and holds back what it asks about.
        hears: is told what the guard says.

    Attributes:
        last_input: when somebody typed last (time.monotonic).
    """

    def __init__(self, watcher: Watcher, hears: Hears) -> None:
        self._watcher = watcher
        self._hears = hears
        self._queue: deque[Press] = deque()
        self._lock = threading.Lock()
        self._waiting = 0
        self._pending = bytearray()
        self._by = ""
        self._settled_at = self._settles_by = 0.0
        self._tries = 0
        self.locked_by = ""
        self.count = 0
        self.last_input = time.monotonic()
        self.last_input_at: datetime | None = None

    @property
    def full(self) -> bool:
        """Whether more waits than should: the program there does not read."""
        cost = PIECE_COST * len(self._queue)
        return self._waiting + cost + len(self._pending) > MOST_WAITING

    @property
    def typist(self) -> str:
        """Who typed what the guard got last."""
        return self._by

    def press(self, by: str, data: bytes) -> None:
        """Take in what somebody typed; nothing while it is locked."""
        if self.locked_by or not data:
            return
        if not is_answer(data):
            self.last_input, self.last_input_at = time.monotonic(), timezone.now()
        with self._lock:
            if self._queue and self._queue[-1].takes(by, data):
                self._queue[-1].data += data
            else:
                self._queue.append(Press(by, bytearray(data)))
            self._waiting += len(data)

    def answer(self, yes: bool) -> None:
        """Let go what the guard held, or drop it."""
        self._take(self._watcher.release(yes and not self.locked_by))

    def shown(self, data: bytes) -> None:
        """Let the guard see what the host printed."""
        if (now := time.monotonic()) < self._settled_at:
            self._settled_at = min(now + SETTLE_SECONDS, self._settles_by)
        self._take(self._watcher.output(data))

    @property
    def wait(self) -> float:
        """How many seconds there is nothing to do, unless somebody types."""
        now, due = time.monotonic(), self._watcher.due
        left = LONGEST_WAIT if due is None else due - now
        if self._settled_at > now and (self._waiting or self._tries):
            left = min(left, self._settled_at - now)
        return max(min(left, AGAIN_SECONDS if self._pending else LONGEST_WAIT), 0.0)

    def lock(self, by: str) -> None:
        """Let nobody type any more, and drop what waits; "" lets people type again."""
        self.locked_by = by
        if by:
            self._clear()

    def discard(self) -> None:
        """Throw away what waits."""
        count = self._clear()
        if count:
            self._hears.dropped(count)

    def _clear(self) -> int:
        with self._lock:
            count = self._waiting + len(self._pending)
            self._queue.clear()
            self._waiting = 0
        self._pending.clear()
        # An Enter that waits for its echo, or for an answer, and what queues behind it.
        waited = self._watcher.drop()
        count, waited.dropped = count + waited.dropped, 0
        self._take(waited)
        return count

    def work(self, shell: Shell) -> bool:
        """Bring on what waits; say whether anything moved."""
        moved = False
        if self._watcher.due is not None:
            self._take(self._watcher.tick())
        self._settle()
        while len(self._pending) < MOST_PENDING and (press := self._next()):
            moved = True
            self._by = press.by
            self.count += len(press.data)
            self._take(self._watcher.typed(bytes(press.data)))
        if self._pending:
            sent = shell.write(bytes(self._pending[:MOST_PENDING]))
            del self._pending[:sent]
            moved = moved or sent > 0
        return moved

    def _settle(self) -> None:
        """Look, once the host is quiet, whether a line that was taken away is gone, and take it away again where it is not."""
        waits = self._watcher.due is not None
        if not self._tries or waits or time.monotonic() < self._settled_at:
            return
        self._tries -= 1
        if again := self._watcher.take_away():
            self._pending += again
            self._wait_for_host()
        else:
            self._tries = 0

    def _wait_for_host(self) -> None:
        self._settles_by = self._settled_at = time.monotonic() + LONGEST_SETTLING

    def _next(self) -> Press | None:
        """Give what the guard gets next: nothing while it waits, unless somebody interrupts."""
        if time.monotonic() < self._settled_at:
            return None
        waits = self._watcher.due is not None or self._watcher.held is not None
        with self._lock:
            stops = (INTERRUPT in press.data for press in self._queue)
            if not self._queue or (waits and not any(stops)):
                return None
            press = self._queue.popleft()
            self._waiting -= len(press.data)
            return press

    def _take(self, judged: Typed) -> None:
        if judged:
            self._pending += judged.send
            for command in judged.commands:
                self._hears.entered(command, self._by)
                if command.verdict in TAKEN_AWAY:
                    self._tries = MOST_TRIES
                    self._wait_for_host()
            if judged.dropped:
                self._hears.dropped(judged.dropped)
        self._hears.held(self._watcher.held)
