"""Writes a recording as it happens: what was flushed is on the disk's side of a crash, a frame a flush."""

import codecs
import fcntl
import hashlib
import logging
import os
import threading
import time
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.errors import Unavailable
from adminset.measures import filesize_iec
from tasks.models import TerminalSession
from tasks.recording import keys, sealing
from tasks.recording.cast import MARK, OUTPUT, RESIZE, Event, head_line, line_of
from tasks.recording.frames import MAGIC, path_of
from tasks.recording.sealing import Sealed

# What a host prints in so short a time is one event: no eye sees the difference.
MERGE_MS = 10
# So much waits in memory at most, whoever forgets to flush; and an event, a frame holds no more.
MOST_WAITING = 2**18
EVENT_CHARACTERS = 64 * 1024
FRAME_BYTES = 2**18
LONGEST_MARK = 4096
# So many times what a recording may take of the disk may its text be: `yes` packs to nothing, and somebody has to read it.
UNPACKED = 8
DISK = gettext_lazy("Look at the disk of the portal, then open a new terminal.")
OTHER = gettext_lazy("Open a new terminal: it has a recording of its own.")
logger = logging.getLogger(__name__)


class RecordingError(Unavailable):
    """A recording cannot be made, or cannot go on."""


class Recorder:
    """Records one terminal; threads may call it at the same time.

    `output`, `resize` and `mark` only remember, except where too much waits; `flush` encrypts and writes and belongs in a thread.
    After a RecordingError every further call raises the same one; `close` still seals what is there.

    Args:
        started: when the session began, for the head of the recording.

    Raises:
        RecordingError: the file cannot be made, or there is one already.
    """

    def __init__(
        self, session: TerminalSession, started: datetime, columns: int, rows: int
    ) -> None:
        self.session = session
        self._began = time.monotonic()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting: list[Event] = []
        self._characters = 0
        self._memory, self._disk = threading.Lock(), threading.Lock()
        self._number, self._size, self._unpacked = 0, 0, 0
        self._hash = hashlib.sha256()
        self._broken: RecordingError | None = None
        self._sealed: Sealed | None = None
        self._descriptor = _create(session)
        try:
            self._cipher = keys.make(session)
            sealing.begun(session)
            self._put(MAGIC)
            self._frame(head_line(started, columns, rows, str(session)), 0)
        except BaseException:
            os.close(self._descriptor)
            raise

    @property
    def now_ms(self) -> int:
        """Milliseconds since the beginning: the clock of the recording."""
        return int((time.monotonic() - self._began) * 1000)

    @property
    def waiting(self) -> int:
        """Characters that are not written yet."""
        return self._characters

    def output(self, data: bytes) -> None:
        """Record what the host printed."""
        with self._memory:
            self._print(self._decoder.decode(data))
        if self._characters >= MOST_WAITING:
            self.flush()

    def resize(self, columns: int, rows: int) -> None:
        """Record a new size."""
        with self._memory:
            self._remember(RESIZE, f"{columns}x{rows}")

    def mark(self, text: str) -> int:
        """Record a mark (a command that was entered); gives its time in milliseconds."""
        with self._memory:
            return self._remember(MARK, text[:LONGEST_MARK])

    def flush(self) -> None:
        """Write what waits.

        Raises:
            RecordingError: the disk does not take it, or the recording has become too long.
        """
        with self._disk:
            self._ensure_open()
            self._write()

    def close(self) -> Sealed:
        """Write the rest, and put the SHA-256 of the whole into the session's row and into the audit trail.

        A second call changes nothing. Where the database is away the reaper seals later.
        """
        with self._disk:
            if self._sealed is not None:
                return self._sealed
            self._write_rest()
            sealed = self._sealed = Sealed(self._hash.hexdigest(), self._size)
            self._leave_file()
        problem = str(self._broken.message) if self._broken else ""
        try:
            sealing.seal(self.session, sealed, problem)
        except DatabaseError:
            logger.exception("the recording of %s is sealed later", self.session.pk)
        return sealed

    def _write(self) -> None:
        """Write what waits, as few frames as it fits in. The lock of the disk is held."""
        with self._memory:
            events, self._waiting = self._waiting, []
            self._characters = 0
        lines, first = bytearray(), 0
        for event in events:
            first = first if lines else event.at_ms
            lines += line_of(event)
            if len(lines) >= FRAME_BYTES:
                self._frame(bytes(lines), first)
                lines.clear()
        if lines:
            self._frame(bytes(lines), first)

    def _write_rest(self) -> None:
        if self._broken is not None:
            return
        with self._memory:
            # Half a character that nothing follows any more.
            self._print(self._decoder.decode(b"", final=True))
        # What was written until then is sealed all the same; the error is kept as the problem.
        with suppress(RecordingError):
            self._write()

    def _print(self, text: str) -> None:
        for at in range(0, len(text), EVENT_CHARACTERS):
            self._remember(OUTPUT, text[at : at + EVENT_CHARACTERS])

    def _remember(self, kind: str, text: str) -> int:
        """Add an event, or to the last one. The lock of the memory is held."""
        self._ensure_open()
        at_ms = self.now_ms
        last = self._waiting[-1] if self._waiting else None
        self._characters += len(text)
        if (
            last is not None
            and last.kind == kind == OUTPUT
            and at_ms - last.at_ms < MERGE_MS
            and len(last.text) + len(text) <= EVENT_CHARACTERS
        ):
            self._waiting[-1] = Event(last.at_ms, kind, last.text + text)
        else:
            self._waiting.append(Event(at_ms, kind, text))
        return at_ms

    def _ensure_open(self) -> None:
        if self._broken is not None:
            raise self._broken
        if self._sealed is not None:
            raise RecordingError(_("The recording has been closed."))

    def _frame(self, text: bytes, at_ms: int) -> None:
        """Write a frame. The lock of the disk is held, or nobody else is there yet."""
        frame = self._cipher.seal(text, self._number, at_ms)
        self._ensure_room(len(frame), len(text))
        self._put(frame)
        self._number += 1
        self._unpacked += len(text)
        self._hash.update(text)

    def _ensure_room(self, packed: int, unpacked: int) -> None:
        most = settings.TERMINAL_RECORDING_BYTES
        reached = most if self._size + packed > most else 0
        if self._unpacked + unpacked > most * UNPACKED:
            reached = most * UNPACKED
        if reached:
            words = _(
                "The recording has reached %(size)s; what came later is not in it."
            )
            raise self._break(words % {"size": filesize_iec(reached)}, OTHER)

    def _put(self, data: bytes) -> None:
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as error:
            raise self._break(_cannot_write(error), DISK) from error
        finally:
            self._size += written

    def _break(self, words: str, hint: Any) -> RecordingError:
        self._broken = RecordingError(words, str(hint))
        return self._broken

    def _leave_file(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            if self._broken is None:
                self._break(_cannot_write(error), DISK)
        # This takes the lock off as well.
        os.close(self._descriptor)


def _cannot_write(error: OSError) -> str:
    words = _("The recording cannot be written: %(problem)s.")
    return words % {"problem": error.strerror or error}


def _create(session: TerminalSession) -> int:
    """Make the file, which only the portal may read, and hold its lock for as long as this process lives."""
    path = path_of(session.key)
    try:
        path.parents[1].mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        words = _("The recording cannot be begun: %(problem)s.")
        raise RecordingError(
            words % {"problem": error.strerror or error}, str(DISK)
        ) from error
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor
