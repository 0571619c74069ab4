"""Asciicast version 2: the text that a recording holds, line by line."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

VERSION = 2
OUTPUT, RESIZE, MARK = "o", "r", "m"
KINDS = frozenset({OUTPUT, RESIZE, MARK})


@dataclass(frozen=True)
class Event:
    """Something that happened: milliseconds since the beginning, kind ("o" output, "r" resize, "m" mark), text."""

    at_ms: int
    kind: str
    text: str

    @property
    def size(self) -> tuple[int, int] | None:
        """Columns and rows that a resize gave."""
        columns, x, rows = self.text.partition("x")
        if self.kind != RESIZE or not (x and columns.isdecimal() and rows.isdecimal()):
            return None
        return int(columns), int(rows)


def head_line(started: datetime, columns: int, rows: int, title: str) -> bytes:
    """Give the first line of a recording."""
    head = {
        "version": VERSION,
        "width": columns,
        "height": rows,
        "timestamp": int(started.timestamp()),
        "title": title,
        "env": {"TERM": "xterm-256color"},
    }
    return json.dumps(head).encode() + b"\n"


def line_of(event: Event) -> bytes:
    """Give the line of an event; pure ASCII, so that half characters of a hostile text do no harm."""
    return b'[%d.%03d, "%s", %s]\n' % (
        event.at_ms // 1000,
        event.at_ms % 1000,
        event.kind.encode(),
        json.dumps(event.text).encode(),
    )


def event_of(line: bytes) -> Event | None:
    """Read the line of an event; None where it is something else, such as the first line."""
    if not line.startswith(b"["):
        return None
    at, kind, text = json.loads(line)
    return Event(round(at * 1000), kind, text)


def head_of(line: bytes) -> dict[str, Any]:
    """Read the first line."""
    head = json.loads(line) if line.startswith(b"{") else {}
    return head if isinstance(head, dict) else {}
