"""An archive (tar) of folders of a host, made while it is sent: names as they are, links as links, nothing kept."""

import os
import posixpath
import stat
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.hostfiles import paths
from tasks.hostfiles.door import Files, is_same
from tasks.ssh import sftp_wire as wire
from tasks.ssh.sftp_wire import Attributes, Entry, SftpError

DEEPEST = 100
# What could not be read is named in a file at the end: an archive never seems to hold more than it does.
NOTE = "ADMINSET-INCOMPLETE.txt"
MOST_PROBLEMS = 1000
LONGEST_PROBLEM = 1000


@dataclass
class Archive:
    """Makes an archive of some paths.

    Attributes:
        count: files, folders and links so far. problems: what could not be read, and why.
    """

    files: Files
    wanted: Sequence[bytes]
    count: int = 0
    problems: list[str] = field(default_factory=list)
    _bytes: int = 0

    def parts(self) -> Iterator[bytes]:
        """Give the archive, piece by piece.

        Raises:
            DomainError: it became too large: what was sent so far is no whole archive.
        """
        for path in self.wanted:
            try:
                found = self.files.sftp.look(path)
            except SftpError as error:
                self._miss(path, error)
                continue
            entry = Entry(paths.name_of(path) or b"root", found)
            yield from self._one(path, entry.name, entry, 0)
        if self.problems:
            yield from self._note()
        yield bytes(2 * tarfile.BLOCKSIZE)

    def _one(
        self, path: bytes, name: bytes, entry: Entry, depth: int
    ) -> Iterator[bytes]:
        self._count(1, 0)
        mode = entry.attributes.mode or 0
        try:
            if stat.S_ISREG(mode):
                yield from self._file(path, name, entry.attributes)
            elif stat.S_ISLNK(mode):
                leads = self.files.sftp.read_link(path)
                yield _head(name, entry, tarfile.SYMTYPE, leads_to=leads)
            elif stat.S_ISDIR(mode):
                yield _head(name + b"/", entry, tarfile.DIRTYPE)
                yield from self._below(path, name, depth)
            else:
                self._miss(path, _("no file, folder or link"))
        except SftpError as error:
            self._miss(path, error)

    def _below(self, path: bytes, name: bytes, depth: int) -> Iterator[bytes]:
        if depth >= DEEPEST:
            self._miss(path, _("lies too deep"))
            return
        for entry in self.files.sftp.entries(path):
            below = posixpath.join(path, entry.name)
            yield from self._one(
                below, posixpath.join(name, entry.name), entry, depth + 1
            )

    def _file(self, path: bytes, name: bytes, known: Attributes) -> Iterator[bytes]:
        sftp = self.files.sftp
        handle = sftp.open(path, wire.FOR_READING)
        try:
            found = sftp.look_inside(handle)
            if not is_same(found, known):
                self._miss(path, _("another file took its place meanwhile"))
                return
            size, came = found.size or 0, 0
            # What it is now, not what the folder said of it: so much is sent, by zeros in the end.
            self._count(0, size)
            yield _head(name, Entry(name, found), tarfile.REGTYPE)
            try:
                for piece in sftp.read(handle, 0, size):
                    came += len(piece)
                    yield piece
            except SftpError as error:
                self._miss(path, error)
            if came < size:
                # The head has said how much comes.
                told = {"came": came, "size": size}
                self._miss(path, _("ends after %(came)s of %(size)s bytes") % told)
                yield from _zeros(size - came)
            yield bytes(-size % tarfile.BLOCKSIZE)
        finally:
            sftp.shut(handle)

    def _count(self, count: int, size: int) -> None:
        self.count += count
        self._bytes += size
        told = {"most": settings.FILES_TREE_MOST, "bytes": settings.FILES_ARCHIVE_BYTES}
        if self.count > told["most"] or self._bytes > told["bytes"]:
            raise DomainError(
                _("The archive is larger than %(most)s files or %(bytes)s bytes.")
                % told,
                _("Choose less, or raise ADMINSET_FILES_ARCHIVE_BYTES."),
                code="too_large",
            )

    def _miss(self, path: bytes, why: SftpError | str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            # A path of bytes that are no text is shown four times as long.
            where = paths.shown(path)[-LONGEST_PROBLEM:]
            self.problems.append(f"{where}: {why}")

    def _note(self) -> Iterator[bytes]:
        text = "\n".join([_("What is not in this archive:"), *self.problems, ""])
        content = text.encode("utf-8", "replace")
        known = Attributes(len(content), mode=0o644, changed=int(time.time()))
        yield _head(NOTE.encode(), Entry(b"", known), tarfile.REGTYPE)
        yield content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _head(name: bytes, entry: Entry, kind: bytes, leads_to: bytes = b"") -> bytes:
    """Give the block that stands before a file; names keep every byte."""
    known = entry.attributes
    info = tarfile.TarInfo(os.fsdecode(name.lstrip(b"/")))
    info.type = kind
    info.linkname = os.fsdecode(leads_to)
    info.size = (known.size or 0) if kind == tarfile.REGTYPE else 0
    info.mode = stat.S_IMODE(known.mode or 0)
    info.mtime = known.changed or 0
    info.uid, info.gid = known.uid or 0, known.gid or 0
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _zeros(size: int) -> Iterator[bytes]:
    piece = bytes(64 * 1024)
    while size > 0:
        yield piece[:size]
        size -= len(piece)
