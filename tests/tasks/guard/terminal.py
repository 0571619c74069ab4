"""A shell of this machine behind a real pseudo-terminal, with the guard between it and what is typed."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from tasks.guard.verdicts import Typed
from tasks.guard.watcher import Watcher
from tests.tasks.guard.things import PROMPT, judge

LONGEST = 10.0


class ShellTerminal:
    """Types keys and waits for what they bring about.

    Attributes:
        entered: (text, verdict) of every line.
    """

    def __init__(self, argv: Sequence[str], home: Path, columns: int = 80) -> None:
        self.watcher = Watcher(columns, 24, judge)
        self.entered: list[tuple[str, str]] = []
        self.printed = b""
        # What is typed is held up on its way, and comes to the shell in one moment.
        self.is_slow = False
        self._on_its_way = b""
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.environ |= {
                "TERM": "xterm-256color",
                "PS1": PROMPT.decode(),
                "HOME": str(home),
                "HISTFILE": "/dev/null",
                "LC_ALL": "C.UTF-8",
            }
            os.chdir(home)
            os.execvp(argv[0], list(argv))  # noqa: S606 - a shell is what is tested
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, size)

    def __enter__(self) -> Self:
        self.shows(PROMPT)
        return self

    def __exit__(self, *_error: object) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._fd)

    @property
    def texts(self) -> list[str]:
        """The lines without their verdicts."""
        return [text for text, _verdict in self.entered]

    @property
    def line(self) -> str:
        """What stands in the line of the cursor."""
        return self.watcher._tape.draw().line().rstrip()

    def types(self, data: bytes, shows: bytes = b"") -> None:
        """Type; wait until something new is shown."""
        self.printed = b""
        self._act(self.watcher.typed(data))
        if shows:
            self.shows(shows)

    def shows(self, text: bytes) -> None:
        """Wait until something is printed."""
        self.until(lambda: text in self.printed)

    def draws(self, text: str) -> None:
        """Wait until something stands in the line of the cursor, however it was printed."""
        self.until(lambda: text in self.line)

    def hides(self) -> None:
        """Wait until a program reads a line that the terminal does not show."""
        self.until(self._is_hiding)

    def passes(self, seconds: float) -> None:
        """Go on for so long."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end)

    def arrives(self) -> None:
        """Let what was held up through."""
        self.is_slow = False
        self._act(Typed())

    def until(self, done: Callable[[], bool]) -> None:
        """Go on until something is so."""
        end = time.monotonic() + LONGEST
        while not done():
            assert time.monotonic() < end, (self.entered, self.printed[-500:])
            self._pump()

    def _is_hiding(self) -> bool:
        modes = termios.tcgetattr(self._fd)[3]
        return bool(modes & termios.ICANON) and not modes & termios.ECHO

    def _pump(self) -> None:
        if select.select([self._fd], [], [], 0.005)[0]:
            data = os.read(self._fd, 65536)
            self.printed += data
            self._act(self.watcher.output(data))
        due = self.watcher.due
        if due is not None and time.monotonic() >= due:
            self._act(self.watcher.tick())

    def _act(self, out: Typed) -> None:
        self.entered += [(each.text, str(each.verdict)) for each in out.commands]
        self._on_its_way += out.send
        if self._on_its_way and not self.is_slow:
            os.write(self._fd, self._on_its_way)
            self._on_its_way = b""
