"""Says what simple commands print without running them: echo and printf, through base64 -d, rev, xxd -r and cat."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Protocol

from tasks.guard.shell_marks import Word
from tasks.guard.shell_scan import ansi

LONGEST = 65536


class Command(Protocol):
    """A command with its words."""

    @property
    def words(self) -> tuple[Word, ...]:
        """Its words."""


def printed_by_pipe(pipe: Sequence[Command]) -> str | None:
    """Say what a pipe prints; None where only running it would tell."""
    text: str | None = None
    for place, command in enumerate(pipe):
        texts = [word.text for word in command.words]
        if not texts or not all(word.known for word in command.words):
            return None
        name, arguments = texts[0].rpartition("/")[2], texts[1:]
        if place == 0:
            text = _source(name, arguments)
        elif text is not None:
            text = _filtered(name, arguments, text)
        if text is None:
            return None
    return None if text is None else text[:LONGEST].rstrip("\n")


def _source(name: str, arguments: list[str]) -> str | None:
    if name == "echo":
        escapes = False
        while (
            arguments and set(arguments[0]) <= set("-neE") and arguments[0][:1] == "-"
        ):
            escapes = escapes or "e" in arguments[0]
            arguments = arguments[1:]
        text = " ".join(arguments)
        return ansi(text) if escapes else text
    if name == "printf" and arguments:
        return _printf(arguments[0], arguments[1:])
    return None


def _printf(pattern: str, arguments: list[str]) -> str | None:
    pattern = ansi(pattern)
    if "%" not in pattern:
        return pattern
    if pattern.replace("%s", "").replace("%b", "").count("%"):
        return None
    pieces = pattern.replace("%b", "%s").split("%s")
    holes = len(pieces) - 1
    parts: list[str] = []
    for begin in range(0, max(len(arguments), 1), holes):
        if begin // holes * len(pattern) > LONGEST:
            break
        given = [*arguments[begin : begin + holes], *[""] * holes][:holes]
        for piece, argument in zip(pieces, [*given, ""], strict=True):
            parts += (piece, argument)
    return "".join(parts)


def _filtered(name: str, arguments: list[str], text: str) -> str | None:
    maker = FILTERS.get(name)
    return maker(arguments, text) if maker else None


def _base64(arguments: list[str], text: str) -> str | None:
    decodes = any(
        each in ("-d", "-D", "-di", "-id") or each == "--decode" for each in arguments
    )
    if not decodes:
        return base64.b64encode(f"{text}\n".encode()).decode()
    try:
        return base64.b64decode(text.encode(), validate=False).decode(
            "utf-8", "replace"
        )
    except (binascii.Error, ValueError):
        return None


def _xxd(arguments: list[str], text: str) -> str | None:
    if not {"-r", "-p"} <= set(arguments) and not {"-rp", "-pr"} & set(arguments):
        return None
    try:
        return bytes.fromhex(text).decode("utf-8", "replace")
    except ValueError:
        return None


FILTERS: dict[str, Callable[[list[str], str], str | None]] = {
    "base64": _base64,
    "xxd": _xxd,
    "rev": lambda arguments, text: text[::-1] if not arguments else None,
    "cat": lambda arguments, text: text if not arguments else None,
}
