"""Looks for words in what terminals printed: recording after recording, the newest first, bounded, from where the last look ended."""

import re
import time
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from django.conf import settings
from django.db.models import QuerySet

from adminset.errors import DomainError
from tasks.models import TerminalSession
from tasks.recording import reading
from tasks.recording.frames import Cipher, walk
from tasks.recording.lines import BEGIN, Lines, Spot
from tasks.recording.reading import place_of

SECONDS_AT_ONCE = 2.0
# Of one recording in one look, and of one look.
MOST_OF_ONE = 20
MOST_SAID = 100


@dataclass(frozen=True)
class Cursor:
    """Where a look goes on: in this session, at this line."""

    session: int
    spot: Spot = BEGIN

    def __str__(self) -> str:
        return f"{self.session}.{self.spot}"

    @property
    def following(self) -> "Cursor | None":
        """Where the next older recording begins; None where it begins here."""
        return Cursor(self.session - 1) if self.spot != BEGIN else None


@dataclass(frozen=True)
class Said:
    """A line with the words: in which recording, when it stood there, the line."""

    session: TerminalSession
    at_ms: int
    text: str


@dataclass
class Look:
    """What one look brought.

    Attributes:
        recordings: how many were looked through, whole or in part. bytes: of text.
        oldest: the last of them. unreadable: how many cannot be opened.
        after: where the next look goes on; None where all were looked through.
    """

    said: list[Said] = field(default_factory=list)
    recordings: int = 0
    bytes: int = 0
    unreadable: int = 0
    oldest: TerminalSession | None = None
    after: Cursor | None = None


def cursor_of(text: str) -> Cursor | None:
    """Read a cursor as `str(cursor)` wrote it; None where it is none."""
    session, _dot, spot = text.partition(".")
    written, _dot, lines = spot.partition(".")
    place = place_of(written)
    if place is None or not (_is_number(session) and _is_number(lines)):
        return None
    return Cursor(int(session), Spot(place, int(lines)))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def search(
    rows: QuerySet[TerminalSession], wanted: str, since: Cursor | None = None
) -> Look:
    """Look through recordings until one of the limits: time, bytes, lines found.

    Args:
        rows: sessions whose recordings may be read. since: where the look before ended.
    """
    until = time.monotonic() + SECONDS_AT_ONCE
    rows = rows.filter(recording_key__isnull=False).order_by("-pk")
    if since is not None:
        rows = rows.filter(pk__lte=since.session)
    # Not by lower(): of some letters that makes two, and all places behind them would be others.
    pattern = re.compile(re.escape(wanted), re.IGNORECASE)
    look = Look()
    for session in rows.iterator(chunk_size=100):
        if look.recordings and _enough(look, until):
            look.after = Cursor(session.pk)
            break
        look.recordings, look.oldest = look.recordings + 1, session
        spot = since.spot if since and since.session == session.pk else BEGIN
        left = _through(_Reading(look, session, pattern, until), spot)
        if left is not None:
            look.after = Cursor(session.pk, left)
            break
    return look


def _enough(look: Look, until: float) -> bool:
    return (
        look.bytes >= settings.TERMINAL_SEARCH_BYTES
        or len(look.said) >= MOST_SAID
        or time.monotonic() >= until
    )


def _through(one: "_Reading", spot: Spot) -> Spot | None:
    """Look through one recording; gives where it was left, None at its end."""
    try:
        file, cipher = reading.opened(one.session)
    except DomainError:
        one.look.unreadable += 1
        return None
    with file:
        return one.through(file, cipher, spot)


@dataclass
class _Reading:
    """One recording that is looked through."""

    look: Look
    session: TerminalSession
    wanted: re.Pattern[str]
    until: float
    found: int = 0

    def through(self, file: BinaryIO, cipher: Cipher, since: Spot) -> Spot | None:
        """Look through its frames; gives where it was left, None at its end."""
        lines, behind = Lines(self.wanted), since.lines
        for frame in walk(file, since.place):
            text = cipher.open(file, frame)
            if text is None:
                self.look.unreadable += 1
                break
            self.look.bytes += len(text)
            lines.add(frame, reading.events_in(text), behind)
            behind = 0
            self._take(lines)
            if self.found < MOST_OF_ONE and not _enough(self.look, self.until):
                continue
            if lines.spot == since and time.monotonic() >= self.until:
                # A line without end: each look brings one further.
                self._take(lines, last=True)
            if lines.spot != since:
                return lines.spot
        self._take(lines, last=True)
        return None

    def _take(self, lines: Lines, *, last: bool = False) -> None:
        for at_ms, line in lines.found(MOST_OF_ONE - self.found, last=last):
            self.look.said.append(Said(self.session, at_ms, line))
            self.found += 1


def wanted_of(text: Any) -> str:
    """Give what is looked for, "" where it is too short or too long: one line."""
    line = str(text or "").split("\n")[0].strip().replace("\0", "")
    return line if 2 <= len(line) <= 200 else ""
