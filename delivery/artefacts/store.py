"""Keeps artefacts: each file once under its SHA-256, each artefact as a manifest. The one file that knows where they lie."""

import fcntl
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.blobs import SHA256, Blobs
from adminset.errors import DomainError
from adminset.growing_files import sync_folder
from delivery.artefacts import manifests
from delivery.artefacts.manifests import Entry, Manifest
from delivery.artefacts.paths import check_link
from delivery.artefacts.rules import Rules
from delivery.artefacts.walking import Found, found_below, too_large

CHUNK_BYTES = 1024 * 1024
BLOBS = Blobs("ARTEFACTS_DIR", "ADMINSET_ARTEFACT_BYTES", below="blobs")
MANIFESTS = Blobs("ARTEFACTS_DIR", "ADMINSET_ARTEFACT_BYTES", below="manifests")
# Where the bytes of a file lie, or would.
blob_path = BLOBS.path_of


@dataclass(frozen=True)
class Stored:
    """An artefact in the store: the SHA-256 of its manifest, bytes and number of its files."""

    sha256: str
    size: int
    count: int


def root() -> Path:
    """Name the folder of the store; it is made where it is missing."""
    folder = Path(settings.ARTEFACTS_DIR)
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    return folder


@contextmanager
def holding(*, alone: bool = False) -> Iterator[None]:
    """Keep the store as it is: many may add and read at once; who clears it away is alone."""
    with (root() / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


@contextmanager
def telling() -> Iterator[None]:
    """Say what the disk has to say in a sentence.

    Raises:
        DomainError: no room, no right, a file that goes away while it is read.
    """
    try:
        yield
    except OSError as error:
        raise DomainError(
            _("The files could not be stored: %(why)s.")
            % {"why": error.strerror or type(error).__name__},
            _(
                "Look at the disk of ADMINSET_ARTEFACTS_DIR, and who may read the files."
            ),
            code="store_failed",
            status=507,
        ) from error


def add(folder: Path, rules: Rules) -> Stored:
    """Store what the rules take of a folder. The same files give the same SHA-256, whenever and wherever.

    Raises:
        DomainError: something in it cannot be delivered, or it is too much, or nothing.
    """
    with holding(), telling():
        entries = list(_stored_entries(folder, rules))
        links = {entry.path: entry.target for entry in entries if entry.target}
        for path, target in links.items():
            check_link(path, target, links)
        if not entries:
            raise DomainError(
                _("There is nothing to deliver: the folder is empty."),
                _("Look at the include and exclude rules of the pipeline."),
                code="empty_artefact",
            )
        sha256, data = manifests.written(entries)
        _settle()
        _write(MANIFESTS.place_for(sha256), data)
    return Stored(sha256, sum(e.size for e in entries), len(entries))


def _stored_entries(folder: Path, rules: Rules) -> Iterator[Entry]:
    total = 0
    for found in found_below(folder, rules, most=settings.ARTEFACT_FILES):
        total += found.size
        if total > settings.ARTEFACT_BYTES:
            raise too_large()
        if found.target is not None:
            yield Entry(found.path, target=found.target)
        elif not found.name:
            yield Entry(found.path.rstrip("/"))
        else:
            sha256, size = _keep(found)
            yield Entry(found.path, sha256, size, found.executable)


def _keep(found: Found) -> tuple[str, int]:
    """Keep the bytes of a file that was found: (SHA-256, size). A link that took its place meanwhile is refused."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    handle = os.open(found.name, flags, dir_fd=found.folder_handle)
    with os.fdopen(handle, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
        place = blob_path(sha256)
        if place.is_file() and place.stat().st_size == size:
            return sha256, size
        file.seek(0)
        return _copied(file)


def _copied(file: IO[bytes]) -> tuple[str, int]:
    """Copy aside and hash what was copied: whoever still writes the file changes no byte of the store."""
    aside_root = root() / "aside"
    aside_root.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(dir=aside_root)
    aside, digest, size = Path(name), hashlib.sha256(), 0
    try:
        with os.fdopen(handle, "wb") as out:
            while chunk := file.read(CHUNK_BYTES):
                size += len(chunk)
                if size > settings.ARTEFACT_BYTES:
                    raise too_large()
                digest.update(chunk)
                out.write(chunk)
        aside.replace(BLOBS.place_for(digest.hexdigest()))
    finally:
        aside.unlink(missing_ok=True)
    return digest.hexdigest(), size


def _settle() -> None:
    """See that the files are on the disk before a manifest names them: one call for all is far less than one for each."""
    argv = ["sync", "-f", str(root())]
    done = subprocess.run(argv, check=False, capture_output=True)  # noqa: S603 - an argv list
    if done.returncode != 0:
        os.sync()


def _write(place: Path, data: bytes) -> None:
    if place.is_file() and place.read_bytes() == data:
        os.utime(place)
        return
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    Path(name).replace(place)
    sync_folder(place.parent)


def manifest(sha256: str) -> Manifest:
    """Read the manifest of an artefact.

    Raises:
        DomainError: it was cleared away, or is damaged.
    """
    try:
        data = MANIFESTS.path_of(sha256).read_bytes()
    except FileNotFoundError:
        raise manifests.missing(sha256) from None
    return manifests.read(sha256, data)


def has(sha256: str) -> bool:
    """Say whether an artefact is in the store."""
    return bool(SHA256.fullmatch(sha256)) and MANIFESTS.path_of(sha256).is_file()


def verify(sha256: str) -> list[str]:
    """Hash all files of an artefact again and give the paths of those that are not what they were.

    Raises:
        DomainError: the manifest itself is missing or damaged.
    """
    with holding():
        return [
            entry.path
            for entry in manifest(sha256).files.values()
            if not _is_whole(entry)
        ]


def _is_whole(entry: Entry) -> bool:
    try:
        with blob_path(entry.sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256
    except OSError:
        return False


def extract(sha256: str, path: str) -> Path:
    """Say where the bytes of one file of an artefact lie: for showing and comparing them.

    Raises:
        DomainError: the artefact has no such file.
    """
    entry = manifest(sha256).files.get(path)
    if entry is None:
        raise DomainError(_("The artefact has no such file."), status=404)
    return blob_path(entry.sha256)
