"""A terminal for tests of the guard: a clock that stands, a shell that only echoes, and what came of it all."""

from __future__ import annotations

import itertools
from typing import Any

from tasks.guard.verdicts import Judgement, Typed
from tasks.guard.watcher import Watcher
from tasks.models import GuardRule

PROMPT = b"root@web1:~# "
_numbers = itertools.count(1)


def make_guard_rule(patterns: str = "forbidden", **fields: Any) -> GuardRule:
    """Make a rule that refuses."""
    given = {"name": f"rule {next(_numbers)}", "action": "refuse"} | fields
    return GuardRule.objects.create(patterns=patterns, **given)


def judge(line: str) -> Judgement:
    """Judge by words that stand anywhere in a line."""
    for word in ("refuse", "confirm", "warn", "notify"):
        if f"{word}-me" in line:
            return Judgement(word, 2, f"rule {word}", f"This is {word}.")
    return Judgement()


class EchoShell:
    """Does with keys what a line editor does, as far as tests need it: text, backspace, Enter, Ctrl-C, Ctrl-U."""

    def __init__(self, prompt: bytes = PROMPT) -> None:
        self.prompt = prompt
        self.echo = True
        self.lines: list[bytes] = []
        self._line = b""

    def answer(self, data: bytes) -> bytes:
        """Take keys, give what it prints."""
        return b"".join(self._key(bytes([key])) for key in data)

    def _key(self, key: bytes) -> bytes:
        if key in b"\r\n":
            self.lines.append(self._line)
            self._line = b""
            return b"\r\n" + self.prompt
        if key == b"\x03":
            self._line = b""
            return b"^C\r\n" + self.prompt
        if key == b"\x15":
            gone = len(self._line.decode("utf-8", "replace"))
            self._line = b""
            return b"\b \b" * gone
        if key == b"\x7f":
            self._line = self._line[:-1]
            return b"\b \b" if self.echo else b""
        if key < b" ":
            return b"\x07"
        self._line += key
        return key if self.echo else b""


class Desk:
    """Somebody at a terminal.

    Attributes:
        entered: (text, verdict) of every line. sent: all that went to the host. shell: what answers there, if anything does.
    """

    def __init__(
        self,
        shell: EchoShell | None = None,
        *,
        columns: int = 80,
        rows: int = 24,
        judged_by: Any = judge,
    ) -> None:
        self.now = 100.0
        self.shell = shell
        self.watcher = Watcher(columns, rows, judged_by, lambda: self.now)
        self.sent = b""
        self.entered: list[tuple[str, str]] = []
        self.dropped = 0
        if shell:
            self.says(shell.prompt)

    @property
    def texts(self) -> list[str]:
        """The lines without their verdicts."""
        return [text for text, _verdict in self.entered]

    def says(self, data: bytes) -> None:
        """The host prints."""
        self.now += 0.001
        self._act(self.watcher.output(data))

    def types(self, data: bytes, after: float = 0.2) -> None:
        """Somebody types, some seconds after what was before."""
        self.passes(after)
        self._act(self.watcher.typed(data))

    def passes(self, seconds: float) -> None:
        """Time goes by; what is due is done."""
        end = self.now + seconds
        while self.watcher.due is not None and self.watcher.due <= end:
            self.now = max(self.now, self.watcher.due)
            self._act(self.watcher.tick())
        self.now = end

    def release(self, yes: bool) -> None:
        """Somebody answers."""
        self._act(self.watcher.release(yes))

    def _act(self, out: Typed) -> None:
        self.entered += [(each.text, str(each.verdict)) for each in out.commands]
        self.dropped += out.dropped
        self.sent += out.send
        if self.shell and out.send:
            printed = self.shell.answer(out.send)
            if printed:
                self.says(printed)
