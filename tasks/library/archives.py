"""Takes a role out of a tar.gz or zip that somebody sends: in memory, so that no name in it can lead anywhere."""

import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.library.contents import check_files
from tasks.library.repositories import as_text

# More than this many bytes from one is a trap; small archives of much white space are not.
MOST_RATIO = 200
LEAST_SUSPECT = 1024 * 1024
BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
# What systems put into archives beside what one meant.
DROSS = ("__MACOSX", ".git", ".DS_Store")


def role_files(upload: IO[bytes], size: int) -> dict[str, str]:
    """Give the files of a role that an archive holds; a single folder around them is taken off.

    Args:
        size: bytes of the archive.

    Raises:
        DomainError: no archive, a trap (paths that lead out, links, too many or too large files), no role.
        ValidationError: a file that a role cannot have; says which.
    """
    try:
        raw = dict(_members(upload, size))
    except DomainError:
        raise
    except BROKEN as error:
        raise DomainError(
            _("This is no archive that can be read."),
            _("Send a .tar.gz or a .zip file."),
            code="bad_archive",
        ) from error
    files = {path: as_text(path, data) for path, data in _bared(raw).items()}
    check_files(files)
    return files


def _members(upload: IO[bytes], size: int) -> Iterator[tuple[str, bytes]]:
    upload.seek(0)
    zipped = zipfile.is_zipfile(upload)
    upload.seek(0)
    found = _zip_members(upload) if zipped else _tar_members(upload)
    count, total = 0, 0
    for path, file, announced in found:
        count, left = count + 1, settings.LIBRARY_ROLE_BYTES - total
        if count > settings.LIBRARY_ROLE_FILES or announced > left:
            raise _trap(_("It holds too many files, or too large ones."))
        data = file.read(left + 1)
        total += len(data)
        if total > settings.LIBRARY_ROLE_BYTES or (
            total > max(LEAST_SUSPECT, MOST_RATIO * size)
        ):
            raise _trap(_("What it unpacks to is too large."))
        yield path, data


def _zip_members(upload: IO[bytes]) -> Iterator[tuple[str, IO[bytes], int]]:
    with zipfile.ZipFile(upload) as archive:
        for number, info in enumerate(archive.infolist()):
            _count(number)
            mode = info.external_attr >> 16
            if info.is_dir():
                continue
            path = _safe(info.filename)
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise _trap(_("%(path)s is a link.") % {"path": path[:100]})
            if not _is_dross(path):
                with archive.open(info) as file:
                    yield path, file, info.file_size


def _tar_members(upload: IO[bytes]) -> Iterator[tuple[str, IO[bytes], int]]:
    bounded = _Bounded(gzip.GzipFile(fileobj=upload))
    with tarfile.open(fileobj=bounded, mode="r|") as archive:
        for number, member in enumerate(archive):
            _count(number)
            if member.isdir():
                continue
            # Debian 12's Python has no tarfile.data_filter; nothing is unpacked to a disk, so path and kind are all there is to judge.
            path = _safe(member.name)
            if not member.isreg():
                raise _trap(_("%(path)s is a link.") % {"path": path[:100]})
            file = archive.extractfile(member)
            if file is not None and not _is_dross(path):
                yield path, file, member.size


class _Bounded(io.RawIOBase):
    """Reads no more than a role may unpack to, whatever the archive's headers say."""

    def __init__(self, inner: gzip.GzipFile) -> None:
        self._inner = inner
        # Each file has a header of 512 bytes and is filled up to 512; long names have headers of their own.
        self._left = settings.LIBRARY_ROLE_BYTES + 4096 * (
            4 * settings.LIBRARY_ROLE_FILES + 64
        )

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Read some more.

        Raises:
            DomainError: it was too much.
        """
        data = self._inner.read(self._left + 1 if size < 0 else size)
        self._left -= len(data)
        if self._left < 0:
            raise _trap(_("What it unpacks to is too large."))
        return data


def _count(number: int) -> None:
    if number > 4 * settings.LIBRARY_ROLE_FILES:
        raise _trap(_("It holds too many files, or too large ones."))


def _safe(name: str) -> str:
    """Give a name without `./` before it; one that leads out is refused."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\\" in name or not parts:
        raise _trap(_("The path %(path)s leads out of it.") % {"path": name[:100]})
    return "/".join(parts)


def _is_dross(path: str) -> bool:
    return any(part in DROSS for part in PurePosixPath(path).parts)


def _trap(words: str) -> DomainError:
    return DomainError(
        _("The archive is refused.") + " " + words,
        _("Send the files of one role, within the limits of docs/tasks-library.md."),
        code="bad_archive",
    )


def _bared(raw: dict[str, bytes]) -> dict[str, bytes]:
    """Take off the folder that archives have around everything, unless it is one of a role's own."""
    tops = {path.partition("/")[0] for path in raw}
    own = {
        "tasks",
        "handlers",
        "defaults",
        "vars",
        "meta",
        "files",
        "templates",
        "library",
    }
    if len(tops) != 1 or tops & own or any("/" not in path for path in raw):
        return raw
    cut = len(next(iter(tops))) + 1
    return {path[cut:]: data for path, data in raw.items()}
