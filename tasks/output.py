"""The output of runs: append-only files, read by byte offset. The one file that knows where they lie."""

import codecs
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from adminset import redis_door
from tasks.redaction import StreamRedactor

WHOLE_RUN = None
CHUNK_BYTES = 128 * 1024
HINT_SECONDS = 0.1
# A Redis that takes so long to be told is left alone for a while: the run goes first.
SLOW_SECONDS = 0.5
PAUSE_SECONDS = 5.0


def channel(run_id: int) -> str:
    """Name the Redis channel on which a run says that something is new."""
    return f"adminset:run:{run_id}"


def folder(run_id: int) -> Path:
    """Name the folder of a run's output."""
    return Path(settings.RUN_DIR) / str(run_id)


def path_of(run_id: int, host_id: int | None) -> Path:
    """Name the file of one host of a run (RunHost's id), or of the whole run (None)."""
    return folder(run_id) / ("run.log" if host_id is WHOLE_RUN else f"{host_id}.log")


class Hints:
    """Tells whoever watches a run that something is new, and never what: the files and the database say that."""

    def __init__(self, run_id: int) -> None:
        self._channel = channel(run_id)
        self._told: dict[object, float] = {}
        self._silent_until = 0.0

    def output(self, host_id: int | None) -> None:
        """Say that a file grew; at most ten times a second for each (watchers look by themselves each second)."""
        now = time.monotonic()
        if now - self._told.get(host_id, 0.0) >= HINT_SECONDS:
            self._told[host_id] = now
            self._tell({"output": host_id})

    def status(self) -> None:
        """Say that a host, or the run itself, stands otherwise."""
        self._tell({"status": True})

    def _tell(self, hint: dict[str, object]) -> None:
        before = time.monotonic()
        if before < self._silent_until:
            return
        redis_door.publish(self._channel, json.dumps(hint))
        if time.monotonic() - before > SLOW_SECONDS:
            self._silent_until = time.monotonic() + PAUSE_SECONDS


class OutputFile:
    """Appends to one file: secrets masked, the head kept and a mark where the rest was left out."""

    def __init__(
        self, run_id: int, host_id: int | None, secrets: Iterable[str], hints: Hints
    ) -> None:
        self.host_id = host_id
        self.size = 0
        self._hints = hints
        self._secrets = list(secrets)
        self._redactors: dict[str, StreamRedactor] = {}
        self._full = False
        self._path = path_of(run_id, host_id)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.touch(mode=0o600)

    def write(self, data: bytes, stream: str = "stdout") -> None:
        """Append what a stream brought; the possible start of a secret waits for its rest."""
        redactor = self._redactors.setdefault(stream, StreamRedactor(self._secrets))
        self._append(redactor.feed(data))

    def close(self) -> None:
        """Append what was held back."""
        for redactor in self._redactors.values():
            self._append(redactor.flush())
        self._redactors.clear()

    def _append(self, data: bytes) -> None:
        room = settings.RUN_OUTPUT_BYTES_PER_HOST - self.size
        if not data or self._full:
            return
        if len(data) > room:
            self._full = True
            mark = f"\n[AdminSet: the output is longer than {settings.RUN_OUTPUT_BYTES_PER_HOST} bytes; the rest is left out]\n"
            data = data[: max(room, 0)] + mark.encode()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            written = 0
            while written < len(data):
                written += os.write(descriptor, data[written:])
        finally:
            os.close(descriptor)
        self.size += len(data)
        self._hints.output(self.host_id)


@dataclass(frozen=True)
class Piece:
    """Text that begins at byte `offset`; the next piece begins at `next_offset`."""

    offset: int
    next_offset: int
    text: str


def read(
    run_id: int,
    host_id: int | None,
    offset: int,
    *,
    most: int = CHUNK_BYTES,
    last: bool = False,
) -> Piece:
    """Read from a byte offset on, whole characters only.

    Args:
        most: bytes at most.
        last: nothing will be added, so a broken character at the end is shown as such.
    """
    try:
        with path_of(run_id, host_id).open("rb") as file:
            file.seek(offset)
            data = file.read(most)
    except (FileNotFoundError, OSError, OverflowError):
        return Piece(offset, offset, "")
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data, final=last and len(data) < most)
    held = decoder.getstate()[0]
    return Piece(offset, offset + len(data) - len(held), text)


def size(run_id: int, host_id: int | None) -> int:
    """Give the number of bytes that are there."""
    try:
        return path_of(run_id, host_id).stat().st_size
    except OSError:
        return 0
