"""Speaks SFTP over a channel: names are bytes, so that none is refused or bent, and what is on its way at a time is bounded."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence

from tasks.ssh import sftp_wire as wire
from tasks.ssh.connect import Channel, Connection
from tasks.ssh.sftp_talk import TROUBLE, Talk
from tasks.ssh.sftp_wire import Answer, Attributes, Entry, SftpError, packed, text

__all__ = ["TROUBLE", "Sftp", "open_sftp"]
# Every server takes this much in one request; OpenSSH says that it takes more.
PLAIN_BYTES = 32 * 1024
MOST_BYTES = 224 * 1024
# Of one file so much is on its way at a time, whatever its size.
WINDOW_BYTES = 2 * 2**20
# A folder has one of each: `.` and `..`.
MOST_DOTS = 2
# Small questions that are on their way at a time.
AT_ONCE = 64


class Sftp(Talk):
    """One SFTP session on one channel, for one thread at a time. Any call may raise one of TROUBLE."""

    def __init__(self, channel: Channel, seconds: float) -> None:
        super().__init__(channel, seconds)
        self.most_read, self.most_written = self._limits()

    def ask(self, kind: int, *fields: bytes) -> Answer:
        """Ask something and wait for the answer; a refusal is raised."""
        return self.answer_to(self.request(kind, *fields))

    def extended(self, name: bytes, *fields: bytes) -> Answer:
        """Ask something that OpenSSH added to the protocol."""
        return self.ask(wire.EXTENDED, text(name), *fields)

    def each(self, kind: int, each: Sequence[bytes]) -> Iterator[Answer | None]:
        """Ask the same of many paths, several at a time; None where it is refused."""
        for first in range(0, len(each), AT_ONCE):
            some = each[first : first + AT_ONCE]
            for number in [self.request(kind, text(path)) for path in some]:
                try:
                    yield self.answer_to(number)
                except SftpError:
                    yield None

    def look(self, path: bytes) -> Attributes:
        """Say what stands at a path; of a link, what the link itself is."""
        return self.ask(wire.LSTAT, text(path)).attributes()

    def real_path(self, path: bytes) -> bytes:
        """Resolve a path on the host, links included."""
        return self._name(wire.REALPATH, path)

    def read_link(self, path: bytes) -> bytes:
        """Say where a link points, in its own words."""
        return self._name(wire.READLINK, path)

    def make_folder(self, path: bytes, mode: int) -> None:
        """Make a folder."""
        self.ask(wire.MKDIR, text(path), packed(Attributes(mode=mode)))

    def remove_folder(self, path: bytes) -> None:
        """Remove an empty folder."""
        self.ask(wire.RMDIR, text(path))

    def remove(self, path: bytes) -> None:
        """Remove a file or a link."""
        self.ask(wire.REMOVE, text(path))

    def rename(self, old: bytes, new: bytes) -> None:
        """Rename; where something stands at the new name already it is refused."""
        self.ask(wire.RENAME, text(old), text(new))

    def replace(self, old: bytes, new: bytes) -> None:
        """Rename over what stands there: in one step where the host knows how."""
        if b"posix-rename@openssh.com" in self.extensions:
            self.extended(b"posix-rename@openssh.com", text(old), text(new))
            return
        self.remove(new)
        self.rename(old, new)

    def move(self, old: bytes, new: bytes) -> None:
        """Rename to where nothing stands, as the host itself would; for places that nobody else writes to."""
        atomic = b"posix-rename@openssh.com" in self.extensions
        (self.replace if atomic else self.rename)(old, new)

    def change(self, path: bytes, attributes: Attributes) -> None:
        """Set what is known of a file; a link is followed."""
        self.ask(wire.SETSTAT, text(path), packed(attributes))

    @property
    def changes_links(self) -> bool:
        """Whether the host can set what is known of a path without following a link."""
        return b"lsetstat@openssh.com" in self.extensions

    def change_itself(self, path: bytes, attributes: Attributes) -> None:
        """Set what is known of what stands at a path, never of what a link leads to; only where `changes_links`."""
        self.extended(b"lsetstat@openssh.com", text(path), packed(attributes))

    def disk_of(self, path: bytes) -> int | None:
        """Give what tells the disk of a path from others; None where the host cannot tell."""
        if b"statvfs@openssh.com" not in self.extensions:
            return None
        answer = self.extended(b"statvfs@openssh.com", text(path))
        return [answer.long() for _each in range(9)][8]

    def open(self, path: bytes, flags: int, mode: int | None = None) -> bytes:
        """Open a file; gives its handle."""
        how = packed(Attributes(mode=mode))
        return self.ask(wire.OPEN, text(path), struct.pack(">I", flags), how).text()

    def look_inside(self, handle: bytes) -> Attributes:
        """Say what is known of an open file."""
        return self.ask(wire.FSTAT, text(handle)).attributes()

    def sync(self, handle: bytes) -> None:
        """Have the host put an open file on its disk, where it can be asked to."""
        if b"fsync@openssh.com" in self.extensions:
            self.extended(b"fsync@openssh.com", text(handle))

    def shut(self, handle: bytes) -> None:
        """Close a file or folder."""
        self.ask(wire.CLOSE, text(handle))

    def entries(self, path: bytes) -> Generator[Entry, None, None]:
        """Give the names of a folder, without `.` and `..`, as they come; each is one name and no way out of the folder."""
        handle, dots = self.ask(wire.OPENDIR, text(path)).text(), 0
        try:
            while answer := self.unless_end(self.request(wire.READDIR, text(handle))):
                count = answer.number()
                for _each in range(count):
                    name, line = answer.text(), answer.text()
                    entry = Entry(name, answer.attributes(), line)
                    if name in (b".", b".."):
                        dots += 1
                    else:
                        yield wire.checked_name(entry)
                # Answers without a name to give could go on for ever.
                if not count or dots > MOST_DOTS:
                    raise self.nonsense()
        finally:
            self.shut(handle)

    def read(self, handle: bytes, start: int, most: int) -> Iterator[bytes]:
        """Give the content of a file from `start` on, at most `most` bytes, in order; it ends where the file ends.

        No more than WINDOW_BYTES are on their way at a time.
        """
        end, following = start + most, start
        asked: deque[tuple[int, int, int]] = deque()
        try:
            while True:
                while following < end and len(asked) * self.most_read < WINDOW_BYTES:
                    size = min(self.most_read, end - following)
                    number = self._ask_for(handle, following, size)
                    asked.append((number, following, size))
                    following += size
                if not asked:
                    return
                number, offset, size = asked.popleft()
                # A server may give less than was asked for.
                while size and (data := self._data(number, size)):
                    yield data
                    offset, size = offset + len(data), size - len(data)
                    number = self._ask_for(handle, offset, size) if size else 0
                if size:
                    return
        finally:
            self.forget(number for number, _offset, _size in asked)

    def write(self, handle: bytes, start: int, pieces: Iterable[bytes]) -> int:
        """Write pieces from `start` on, and wait until all is taken; gives the offset behind the last."""
        asked: deque[int] = deque()
        at, most = start, self.most_written
        for piece in pieces:
            for first in range(0, len(piece), most):
                part = piece[first : first + most]
                if len(asked) * most >= WINDOW_BYTES:
                    self.answer_to(asked.popleft())
                where = text(handle) + struct.pack(">QI", at, len(part))
                asked.append(self.request(wire.WRITE, where, part))
                at += len(part)
        while asked:
            self.answer_to(asked.popleft())
        return at

    def change_open(self, handle: bytes, attributes: Attributes) -> None:
        """Set what is known of an open file, whatever stands at its path meanwhile."""
        self.ask(wire.FSETSTAT, text(handle), packed(attributes))

    def cut(self, handle: bytes, size: int) -> None:
        """Let an open file end at `size`."""
        self.change_open(handle, Attributes(size=size))

    def _name(self, kind: int, path: bytes) -> bytes:
        answer = self.ask(kind, text(path))
        if answer.number() != 1:
            raise SftpError(wire.FAILED, wire.NONSENSE)
        return answer.text()

    def _ask_for(self, handle: bytes, offset: int, size: int) -> int:
        return self.request(wire.READ, text(handle), struct.pack(">QI", offset, size))

    def _data(self, number: int, most: int) -> bytes:
        """Give what was read; nothing at the end of the file."""
        answer = self.unless_end(number)
        data = answer.text() if answer else b""
        if len(data) > most:
            raise self.nonsense()
        return data

    def _limits(self) -> tuple[int, int]:
        if b"limits@openssh.com" not in self.extensions:
            return PLAIN_BYTES, PLAIN_BYTES
        answer = self.extended(b"limits@openssh.com")
        answer.long()
        read, write = (
            min(answer.long() or PLAIN_BYTES, MOST_BYTES) for _each in range(2)
        )
        return max(read, 1024), max(write, 1024)


def open_sftp(connection: Connection, seconds: float) -> Sftp:
    """Open an SFTP session; what does not move for `seconds` is given up. Raises one of TROUBLE."""
    channel = connection.channel()
    try:
        channel.invoke_subsystem("sftp")
        return Sftp(channel, seconds)
    except BaseException:
        channel.close()
        raise
