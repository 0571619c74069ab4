"""Reads recordings, also while they are written: a torn end is left out, what was altered ends the reading."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from django.utils.translation import gettext as _

from adminset.errors import NotFound
from tasks.models import TerminalSession
from tasks.recording import cast, keys
from tasks.recording.cast import Event
from tasks.recording.frames import (
    START,
    Cipher,
    Frame,
    Place,
    is_recording,
    path_of,
    walk,
)

# Text of one page of events.
PAGE_BYTES = 512 * 1024


@dataclass
class Page:
    """Some events of a recording.

    Attributes:
        after: where the next page begins; there may be nothing yet, while it is written.
        at_end: nothing more is there now.
        broken: what follows was altered, and is not shown.
    """

    events: list[Event] = field(default_factory=list)
    after: Place = START
    at_end: bool = False
    broken: bool = False


@dataclass(frozen=True)
class Summary:
    """What a recording says of itself."""

    columns: int
    rows: int
    length_ms: int
    bytes: int


def opened(session: TerminalSession) -> tuple[BinaryIO, Cipher]:
    """Open the file of a recording; the caller closes it.

    Raises:
        NotFound: there is none, or no key for it.
        DomainError: the key of the ring that sealed its key is gone.
    """
    cipher = keys.cipher_of(session)
    try:
        file = path_of(session.key).open("rb") if cipher else None
    except OSError:
        file = None
    if file is None or cipher is None:
        raise NotFound(
            _("There is no recording of this session."),
            _("The session's page says what became of it."),
        )
    if not is_recording(file):
        file.close()
        raise NotFound(_("The file of this recording is none."))
    return file, cipher


def texts(session: TerminalSession) -> Iterator[bytes]:
    """Give the text of a recording piece by piece, whole lines: together they are the .cast.

    Raises:
        NotFound, DomainError: see `opened`.
    """
    file, cipher = opened(session)
    with file:
        for frame in walk(file):
            text = cipher.open(file, frame)
            if text is None:
                return
            yield text


def events(session: TerminalSession, since_ms: int = 0) -> Iterator[Event]:
    """Give what happened, from a time on.

    Raises:
        NotFound, DomainError: see `opened`.
    """
    file, cipher = opened(session)
    with file:
        for frame in walk(file, _place_at(file, since_ms)):
            text = cipher.open(file, frame)
            if text is None:
                return
            for event in events_in(text):
                if event.at_ms >= since_ms:
                    yield event


def events_in(text: bytes) -> Iterator[Event]:
    """Give the events of some whole lines."""
    for line in text.splitlines():
        event = cast.event_of(line)
        if event is not None:
            yield event


def _place_at(file: BinaryIO, since_ms: int) -> Place:
    """Give the last frame that begins before a time: what is asked for may stand in it."""
    found = START
    if since_ms > 0:
        for frame in walk(file):
            if frame.at_ms > since_ms:
                break
            found = frame.place
    return found


def page(
    session: TerminalSession, place: Place = START, most: int = PAGE_BYTES
) -> Page:
    """Give the events from a frame on: as many frames as fit, one at least.

    Raises:
        NotFound, DomainError: see `opened`.
    """
    file, cipher = opened(session)
    found, size = Page(after=place), 0
    with file:
        for frame in walk(file, place):
            text = cipher.open(file, frame)
            if text is None:
                found.broken = found.at_end = True
                return found
            found.events += events_in(text)
            found.after = frame.after
            size += len(text)
            if size >= most:
                return found
    found.at_end = True
    return found


def summary(session: TerminalSession) -> Summary:
    """Give size and length; only the first and the last frame are opened.

    Raises:
        NotFound, DomainError: see `opened`.
    """
    file, cipher = opened(session)
    with file:
        first, last = _ends(file)
        head = cast.head_of(_text(cipher, file, first).partition(b"\n")[0])
        length = max(
            (event.at_ms for event in events_in(_text(cipher, file, last))),
            default=last.at_ms if last else 0,
        )
        size = file.seek(0, 2)
    columns, rows = head.get("width", 80), head.get("height", 24)
    return Summary(columns, rows, length, size)


def _ends(file: BinaryIO) -> tuple[Frame | None, Frame | None]:
    first = last = None
    for frame in walk(file):
        first, last = first or frame, frame
    return first, last


def _text(cipher: Cipher, file: BinaryIO, frame: Frame | None) -> bytes:
    return (cipher.open(file, frame) or b"") if frame else b""


def place_of(text: str) -> Place | None:
    """Read a place as `str(place)` wrote it; None where it is none."""
    offset, dash, number = text.partition("-")
    whole = all(each.isascii() and each.isdecimal() for each in (offset, number))
    if not (dash and whole) or len(text) > 40:
        return None
    place = Place(int(offset), int(number))
    return place if START.offset <= place.offset < 2**62 else None
