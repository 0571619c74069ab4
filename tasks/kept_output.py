"""What is kept of an output: its head as it comes, its end when it is over, and between them a mark that says how much is left out."""

import hashlib
import os
import time
from pathlib import Path

# What stands at the end of a head without a line end is cut so many bytes earlier at most, to keep a character whole.
CHARACTER_BYTES = 4
# While more comes than is kept, the newest part is laid beside the file so often: for who watches, and if the worker dies.
ASIDE_SECONDS = 1.0
COUNT_DIGITS = 20


def mark_of(left_out: int, *, least: bool = False) -> bytes:
    """Give the line that stands where bytes are left out."""
    words = f"{'at least ' if least else ''}{left_out} bytes are left out here"
    return f"\n[AdminSet: {words}]\n".encode()


def aside_of(path: Path) -> Path:
    """Name the file that holds the newest part of an output of which more comes than is kept."""
    return path.with_suffix(".tail")


class Keeper:
    """Appends to one file at most `limit` bytes of what it is given: the first, and the last of all.

    Attributes:
        received: bytes that came. kept: those of them that are in the file. size: of the file, with the mark.
    """

    def __init__(self, path: Path, limit: int, tail: int) -> None:
        # A batch before, or a worker that was lost, may have written already.
        self.size = self.received = _size(path)
        self._path = path
        self._tail_most = min(tail, limit // 2)
        self._head_room = max(limit - self._tail_most - self.size, 0)
        self._tail = bytearray()
        self._left_out = 0
        self._hash = None if self.size else hashlib.sha256()
        self._laid_aside = 0.0

    @property
    def kept(self) -> int:
        """Bytes of what came that are in the file, or will be when it is closed."""
        return self.received - self._left_out

    @property
    def digest(self) -> str:
        """SHA-256 of the file as it is."""
        return self._hash.hexdigest() if self._hash else digest_of(self._path)

    def append(self, data: bytes) -> None:
        """Take what comes next."""
        self.received += len(data)
        head = _cut(data, self._head_room)
        if head:
            self._put(head)
        rest = data[len(head) :]
        # What was cut to keep a character whole does not make room for what comes later.
        self._head_room = 0 if rest else self._head_room - len(head)
        if rest:
            self._hold(rest)

    def close(self) -> None:
        """Write the end, and before it the mark where something is missing."""
        if not self._tail:
            return
        tail = bytes(self._tail[-self._tail_most :])
        if self.received > self.size + len(tail):
            tail = _from_line(tail)
            self._left_out = self.received - self.size - len(tail)
            self._put(mark_of(self._left_out))
        self._tail.clear()
        self._put(tail)
        aside_of(self._path).unlink(missing_ok=True)

    def _hold(self, data: bytes) -> None:
        self._tail += data[-self._tail_most :]
        if len(self._tail) > 2 * self._tail_most:
            del self._tail[: -self._tail_most]
        now = time.monotonic()
        if now - self._laid_aside >= ASIDE_SECONDS:
            self._laid_aside = now
            lay_aside(self._path, self.received, bytes(self._tail[-self._tail_most :]))

    def _put(self, data: bytes) -> None:
        append_to(self._path, data)
        self.size += len(data)
        if self._hash:
            self._hash.update(data)


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def append_to(path: Path, data: bytes) -> None:
    """Append bytes to a file that only the portal may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
    finally:
        os.close(descriptor)


def lay_aside(path: Path, received: int, tail: bytes) -> None:
    """Put the newest part beside the file, whole or not at all: how many bytes came so far, then the last of them."""
    place = aside_of(path)
    fresh = place.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    append_to(fresh, b"%0*d" % (COUNT_DIGITS, received) + tail)
    fresh.replace(place)


def laid_aside(path: Path) -> tuple[int, bytes] | None:
    """Give what lies beside a file: how many bytes had come, and the last of them; None where nothing does."""
    try:
        data = aside_of(path).read_bytes()
    except OSError:
        return None
    count = data[:COUNT_DIGITS]
    return (int(count), data[COUNT_DIGITS:]) if count.isdigit() else None


def mend(path: Path) -> bool:
    """Append to a file what lies beside it, because the worker that wrote it is gone; say whether there was anything."""
    found = laid_aside(path)
    if found is None:
        return False
    received, tail = found
    size = _size(path)
    # The end may reach back into what the file has already.
    begin = received - len(tail)
    if begin > size:
        tail = _from_line(tail)
        append_to(path, mark_of(received - len(tail) - size, least=True) + tail)
    else:
        append_to(path, tail[size - begin :])
    aside_of(path).unlink(missing_ok=True)
    return True


def _cut(data: bytes, room: int) -> bytes:
    """Give what has room, whole characters only."""
    if len(data) <= room:
        return data
    for cut in range(room, max(room - CHARACTER_BYTES, 0), -1):
        if data[cut] & 0xC0 != 0x80:
            return data[:cut]
    return data[:room]


def _from_line(data: bytes) -> bytes:
    """Give an end from where its first whole line begins, or its first whole character."""
    line = data.find(b"\n") + 1
    if 0 < line < len(data):
        return data[line:]
    broken = 0
    while broken < min(CHARACTER_BYTES, len(data)) and data[broken] & 0xC0 == 0x80:
        broken += 1
    return data[broken:]
