"""Unpacks a tar or zip that somebody sends into a folder: no name leads out, links come last, and what comes out is counted."""

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.artefacts.bounded import Counted, Head, check_zip, trap
from delivery.artefacts.folders import Folders
from delivery.artefacts.paths import PathError, check_link, check_path, shown

CHUNK_BYTES = 1024 * 1024
# Small archives of much white space are no trap.
LEAST_SUSPECT = 16 * 2**20
LONGEST_TARGET = 1024
BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
OPENERS: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}


@dataclass(frozen=True)
class Member:
    """A file (its bytes), a link (`target`), a second name of a file before it (`same_as`), or a folder (none of these)."""

    path: str
    executable: bool = False
    file: IO[bytes] | None = None
    target: str = ""
    same_as: str = ""


def unpack(upload: IO[bytes], size: int, into: Path, *, bare: bool = True) -> int:
    """Unpack an archive into an empty folder and give how many bytes came out.

    Args:
        size: bytes of the archive. bare: take off a single folder around everything.

    Raises:
        DomainError: no archive, or a trap: paths or links that lead out, devices, too much of it.
    """
    try:
        total = _Into(into, size).take(_members(upload))
    except DomainError:
        raise
    except BROKEN as error:
        raise DomainError(
            _("This is no archive that can be read."),
            _("Send a .tar.gz, .tar.xz, .tar.bz2, .tar or .zip file."),
            code="bad_archive",
        ) from error
    if bare:
        _bare(into)
    return total


def _members(upload: IO[bytes]) -> Iterator[Member]:
    upload.seek(0)
    if zipfile.is_zipfile(upload):
        check_zip(upload)
        yield from _zip_members(upload)
        return
    upload.seek(0)
    head = upload.read(6)
    upload.seek(0)
    opener = next(
        (how for magic, how in OPENERS.items() if head.startswith(magic)), None
    )
    plain = opener(upload, "rb") if opener else upload
    stream: Any = Counted(plain)
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=Head) as archive:
        while (member := archive.next()) is not None:
            # It keeps all of them otherwise, each with whatever its head said.
            archive.members = []  # type: ignore[attr-defined]
            found = _tar_member(archive, member)
            if found is not None:
                yield found


def _tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Member | None:
    path = _plain(member.name)
    if not path:
        return None
    if member.isdir():
        return Member(path)
    if member.issym():
        return Member(path, target=member.linkname)
    if member.islnk():
        return Member(path, same_as=_plain(member.linkname))
    if not member.isreg():
        raise trap(_("%(path)s is a device.") % {"path": shown(path)})
    executable = bool(member.mode & 0o111)
    return Member(path, executable, file=archive.extractfile(member))


def _zip_members(upload: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(upload) as archive:
        for info in archive.infolist():
            mode, path = info.external_attr >> 16, _plain(info.filename)
            kind = stat.S_IFMT(mode)
            if not path:
                continue
            if info.is_dir():
                yield Member(path)
            elif kind == stat.S_IFLNK:
                with archive.open(info) as file:
                    raw = file.read(LONGEST_TARGET + 1)
                yield Member(path, target=raw.decode("utf-8", "surrogateescape"))
            elif kind not in (0, stat.S_IFREG):
                raise trap(_("%(path)s is a device.") % {"path": shown(path)})
            else:
                with archive.open(info) as file:
                    yield Member(path, bool(mode & 0o111), file=file)


def _plain(name: str) -> str:
    """Give a member's name without `./` before and `/` behind it; "" for the folder itself.

    Raises:
        DomainError: it leads out.
    """
    if name.startswith("/"):
        raise trap(_("The path %(path)s leads out of it.") % {"path": shown(name)})
    path = "/".join(part for part in name.split("/") if part not in ("", "."))
    if path:
        try:
            check_path(path)
        except PathError as error:
            raise trap(error.message) from None
    return path


class _Into:
    """Writes members below a folder. Until the last file is written no link is there that a path could go through."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._links: dict[str, str] = {}
        self._count = self._total = 0
        self._folders = Folders()
        ratio = settings.ARTEFACT_UPLOAD_RATIO
        self._most = min(settings.ARTEFACT_BYTES, max(LEAST_SUSPECT, ratio * size))

    def take(self, members: Iterator[Member]) -> int:
        """Write all of them; give how many bytes."""
        for member in members:
            self._count += 1
            self._folders.above(member.path)
            if self._count + len(self._folders) > settings.ARTEFACT_FILES:
                raise trap(_("It holds too many files."))
            self._take(member)
        for path, target in self._links.items():
            try:
                check_link(path, target, self._links)
            except PathError as error:
                raise trap(error.message) from None
            place = self._place(path)
            place.symlink_to(target)
        return self._total

    def _take(self, member: Member) -> None:
        if member.path in self._links:
            raise self._twice(member.path)
        if member.target:
            self._links[member.path] = member.target
        elif member.same_as:
            with self._source(member.same_as).open("rb") as file:
                executable = bool(os.fstat(file.fileno()).st_mode & 0o100)
                self._write(member.path, file, executable)
        elif member.file is not None:
            self._write(member.path, member.file, member.executable)
        else:
            self._place(f"{member.path}/x")

    def _source(self, path: str) -> Path:
        place = self._folder / path
        if not path or not place.is_file():
            raise trap(
                _("%(path)s is a link to something outside.") % {"path": shown(path)}
            )
        return place

    def _place(self, path: str) -> Path:
        place = self._folder / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise self._twice(path) from None
        return place

    def _write(self, path: str, file: IO[bytes], executable: bool) -> None:
        place = self._place(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            handle = os.open(place, flags, 0o755 if executable else 0o644)
        except FileExistsError:
            raise self._twice(path) from None
        with os.fdopen(handle, "wb") as out:
            while chunk := file.read(CHUNK_BYTES):
                self._total += len(chunk)
                if self._total > self._most:
                    raise trap(_("What it unpacks to is too large."))
                out.write(chunk)

    def _twice(self, path: str) -> DomainError:
        return trap(_("%(path)s is in it twice.") % {"path": shown(path)})


def _bare(folder: Path) -> None:
    """Take off the one folder that archives have around everything. Links within it are relative and stay right."""
    inside = list(folder.iterdir())
    if len(inside) != 1 or inside[0].is_symlink() or not inside[0].is_dir():
        return
    around = folder / ".adminset-around"
    inside[0].rename(around)
    for each in list(around.iterdir()):
        each.rename(folder / each.name)
    around.rmdir()
