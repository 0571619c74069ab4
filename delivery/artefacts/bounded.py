"""Bounds what the head of an archive may cost: heads of tar members, the directory of a zip, all that comes out of the compression."""

import tarfile
import zipfile
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError

# What a tar may say of one member beside its bytes: long names, times, owners.
LONGEST_HEAD = 256 * 1024
# What it says for all that follow; of git it is one word.
MOST_GLOBAL = 100
# A plain head, its padding, and a head of long names.
HEAD_BYTES = 2048
# What a zip says of one file, name and all, on average.
ENTRY_BYTES = 512
ENTRY_MARK = b"PK\x01\x02"
# Zip64 puts two records of its own between the directory and the end.
ZIP64_BYTES = 76
CHUNK_BYTES = 1024 * 1024


def trap(words: str) -> DomainError:
    """Refuse an archive, and say why."""
    return DomainError(
        _("The archive is refused.") + " " + words,
        _("Pack the files anew, within the limits of docs/delivery-sources.md."),
        code="bad_archive",
    )


class Counted:
    """Reads what comes out of a compression, and no more than files and heads of an artefact may be.

    Heads that lead to more heads cost no file, so the files alone would not end it.
    """

    def __init__(self, plain: IO[bytes]) -> None:
        self._plain = plain
        heads = settings.ARTEFACT_FILES * HEAD_BYTES
        self._left = settings.ARTEFACT_BYTES + heads

    def read(self, size: int) -> bytes:
        """Read some bytes.

        Raises:
            DomainError: there were too many before.
        """
        data = self._plain.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise trap(_("What it unpacks to is too large."))
        return data


class Head(tarfile.TarInfo):
    """The head of a member. One that says it is huge, or has lists of holes, is not read into memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise _sparse()
        if not self.isreg() and self.size > LONGEST_HEAD:
            raise trap(_("It holds a head that is too large."))
        if len(archive.pax_headers) > MOST_GLOBAL:
            raise trap(_("It holds a head that is too large."))
        return super()._proc_member(archive)  # type: ignore[misc]

    def _no_holes(self, *_given: Any) -> None:
        raise _sparse()

    # tarfile reads these lists without an end, of three kinds.
    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _no_holes


def _sparse() -> DomainError:
    return trap(_("It holds files with holes (sparse files): pack them without."))


def check_zip(upload: IO[bytes]) -> None:
    """See that the directory of a zip holds no more files than an artefact may, before all of it is read into memory.

    Raises:
        DomainError: it does. BadZipFile: it has none.
    """
    record: Any = zipfile._EndRecData(upload)  # type: ignore[attr-defined]
    if not record:
        raise zipfile.BadZipFile
    size, end = record[5], record[9]
    if size > settings.ARTEFACT_FILES * ENTRY_BYTES:
        raise _too_many()
    # Its own number of files is not asked: ZipFile reads as many as the directory has.
    upload.seek(max(0, end - size - ZIP64_BYTES))
    left, rest, count = size + ZIP64_BYTES, b"", 0
    while left > 0 and (chunk := upload.read(min(left, CHUNK_BYTES))):
        left -= len(chunk)
        count += (rest + chunk).count(ENTRY_MARK)
        rest = chunk[-len(ENTRY_MARK) + 1 :]
    if count > settings.ARTEFACT_FILES:
        raise _too_many()


def _too_many() -> DomainError:
    return trap(_("It holds too many files."))
