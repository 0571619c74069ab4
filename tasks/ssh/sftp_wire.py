"""What SFTP (version 3) puts on the wire: numbers, byte strings, what is known of a file; names are bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

# Requests and answers.
INIT, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT = range(1, 11)
OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, READLINK = range(11, 20)
STATUS = 101
EXTENDED = 200
# What a status says.
OK, END, MISSING, DENIED, FAILED = range(5)
UNKNOWN = 8
# How a file is opened.
FOR_READING, FOR_WRITING, CREATE, TRUNCATE, ONLY_NEW = 0x1, 0x2, 0x8, 0x10, 0x20
# What is known of a file.
HAS_SIZE, HAS_OWNER, HAS_MODE, HAS_TIMES, HAS_MORE = 1, 2, 4, 8, 0x80000000
# No file system that is in use takes more; Linux takes 255.
LONGEST_NAME = 1024
NONSENSE = "The host's SFTP server answers nonsense."


class SftpError(Exception):
    """What a host's SFTP server refused: its code, and its own words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class Attributes(NamedTuple):
    """What a server says of a file, or what is to be set; None where nothing is said."""

    size: int | None = None
    uid: int | None = None
    gid: int | None = None
    mode: int | None = None
    accessed: int | None = None
    changed: int | None = None


@dataclass(frozen=True)
class Entry:
    """One name of a folder; `line` is what the server would print as `ls -l` does, with the names of owner and group."""

    name: bytes
    attributes: Attributes
    line: bytes = b""


def checked_name(entry: Entry) -> Entry:
    """Let pass an entry whose name is one: a host must not lead those who join it to a path elsewhere.

    Raises:
        SftpError: it is empty, too long, or holds a slash or a NUL.
    """
    name = entry.name
    if not 0 < len(name) <= LONGEST_NAME or b"/" in name or b"\0" in name:
        raise SftpError(FAILED, NONSENSE)
    return entry


class Answer:
    """Reads the fields of one answer, one after the other; raises SftpError where it is too short."""

    def __init__(self, kind: int, body: bytes) -> None:
        self.kind = kind
        self._body = body
        self._at = 0

    def number(self) -> int:
        """Read 32 bits."""
        return int.from_bytes(self._take(4))

    def long(self) -> int:
        """Read 64 bits."""
        return int.from_bytes(self._take(8))

    def text(self) -> bytes:
        """Read a byte string."""
        return self._take(self.number())

    def attributes(self) -> Attributes:
        """Read what is said of a file."""
        flags = self.number()
        size = self.long() if flags & HAS_SIZE else None
        uid, gid = self._pair(flags & HAS_OWNER)
        mode = self.number() if flags & HAS_MODE else None
        accessed, changed = self._pair(flags & HAS_TIMES)
        for _more in range(self.number() if flags & HAS_MORE else 0):
            self.text()
            self.text()
        return Attributes(size, uid, gid, mode, accessed, changed)

    @property
    def size(self) -> int:
        """Bytes of it, read or not."""
        return len(self._body)

    @property
    def has_more(self) -> bool:
        """Whether there are fields left."""
        return self._at < len(self._body)

    def _pair(self, there: int) -> tuple[int | None, int | None]:
        return (self.number(), self.number()) if there else (None, None)

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._body):
            raise SftpError(FAILED, NONSENSE)
        piece, self._at = self._body[self._at : end], end
        return piece


def text(value: bytes) -> bytes:
    """Pack a byte string."""
    return struct.pack(">I", len(value)) + value


def packed(attributes: Attributes) -> bytes:
    """Pack what is to be set of a file: what is None stays as it is."""
    size, uid, gid, mode, accessed, changed = attributes
    flags, fields = 0, b""
    if size is not None:
        flags, fields = flags | HAS_SIZE, fields + struct.pack(">Q", size)
    if uid is not None and gid is not None:
        flags, fields = flags | HAS_OWNER, fields + struct.pack(">II", uid, gid)
    if mode is not None:
        flags, fields = flags | HAS_MODE, fields + struct.pack(">I", mode)
    if accessed is not None and changed is not None:
        flags, fields = (
            flags | HAS_TIMES,
            fields + struct.pack(">II", accessed, changed),
        )
    return struct.pack(">I", flags) + fields
