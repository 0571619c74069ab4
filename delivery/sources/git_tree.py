"""Lays the files of a commit into a folder, byte for byte as they are kept: no checkout, so no hook, filter or attribute has a say."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from delivery.artefacts.folders import Folders
from delivery.artefacts.paths import OWN_FOLDERS, PathError, check_path, shown
from delivery.sources.face import SourceError
from tasks.library.git_process import Workplace, run_to_file, too_large

CHUNK_BYTES = 1024 * 1024
LINK, SUBMODULE = "120000", "160000"
LONGEST_TARGET = 4096
# Of what ls-tree prints: a path and what stands before it.
LONGEST_LINE = 1200


@dataclass(frozen=True)
class Leaf:
    """A file, link or submodule of a commit."""

    path: str
    mode: str
    blob: str
    size: int


def lay(place: Workplace, commit: str, into: Path) -> tuple[int, int, list[str]]:
    """Lay a commit into an empty folder: (files, bytes, submodules that are left out).

    Raises:
        DomainError: a name that leads out or cannot be delivered, or it is too much.
    """
    leaves = _counted(place, commit)
    skipped = [leaf.path for leaf in leaves if leaf.mode == SUBMODULE]
    wanted = [leaf for leaf in leaves if leaf.mode != SUBMODULE]
    size = sum(leaf.size for leaf in wanted)
    if size > place.limits.size:
        raise too_large(place.limits)
    asked = "".join(f"{leaf.blob}\n" for leaf in wanted).encode("ascii")
    if asked:
        out = run_to_file(place, ["cat-file", "--batch", "--buffer"], given=asked)
        with out.open("rb") as file:
            _write_all(file, wanted, into)
        out.unlink()
    return len(wanted), size, skipped


def _counted(place: Workplace, commit: str) -> list[Leaf]:
    """List the files of a commit. A few trees that hold each other many times are more of them than any memory has."""
    most, folders, found = settings.ARTEFACT_FILES, Folders(), list[Leaf]()
    for leaf in _leaves(place, commit):
        folders.above(leaf.path)
        found.append(leaf)
        if len(found) + len(folders) > most:
            raise SourceError(
                _("There are more than %(most)s files.") % {"most": most},
                _("Use a smaller repository, or raise ADMINSET_ARTEFACT_FILES."),
                code="too_many_files",
                status=422,
            )
    return found


def _leaves(place: Workplace, commit: str) -> Iterator[Leaf]:
    asked = ["ls-tree", "-r", "-z", "-l", "--full-tree", commit]
    most = settings.ARTEFACT_FILES * LONGEST_LINE
    for line in _lines(run_to_file(place, asked, most=most)):
        head, _tab, name = line.partition(b"\t")
        mode, kind, blob, size = head.decode("ascii").split()
        path = name.decode("utf-8", "surrogateescape")
        _check(path)
        yield Leaf(path, mode, blob, int(size) if kind == "blob" else 0)


def _lines(path: Path) -> Iterator[bytes]:
    """Read what ls-tree printed, name by name."""
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            *whole, rest = (rest + chunk).split(b"\0")
            if len(rest) > CHUNK_BYTES:
                raise SourceError(_("The commit has names that are too long."))
            yield from whole


def _check(path: str) -> None:
    try:
        check_path(path)
    except PathError as error:
        raise SourceError(error.message, error.hint, code="bad_path") from None
    # git itself writes none; who does means to be run by the next git that comes along.
    if any(part.lower() in OWN_FOLDERS for part in path.split("/")):
        raise SourceError(
            _("The commit has a file %(path)s in it, which no repository may have.")
            % {"path": shown(path)},
            code="bad_path",
        )


def _write_all(file: IO[bytes], leaves: list[Leaf], into: Path) -> None:
    """Write what cat-file gives. Links come last: until then no path goes through one."""
    links: list[tuple[Path, bytes]] = []
    for leaf in leaves:
        head = file.readline().split()
        if len(head) != 3 or head[1] != b"blob" or int(head[2]) != leaf.size:
            raise SourceError(_("%(path)s could not be read.") % {"path": leaf.path})
        place = into / leaf.path
        if leaf.mode == LINK:
            if leaf.size > LONGEST_TARGET:
                raise SourceError(
                    _("%(path)s could not be read.") % {"path": leaf.path}
                )
            links.append((place, file.read(leaf.size)))
        else:
            _write(file, leaf, place)
        file.read(1)
    for place, target in links:
        place.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(target, os.fsencode(place))  # noqa: PTH211 - bytes, as git has them


def _write(file: IO[bytes], leaf: Leaf, place: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(place, flags, 0o755 if leaf.mode == "100755" else 0o644)
    except (FileExistsError, NotADirectoryError):
        raise SourceError(
            _("%(path)s is in the commit twice.") % {"path": shown(leaf.path)},
            code="bad_path",
        ) from None
    left = leaf.size
    with os.fdopen(handle, "wb") as out:
        while left:
            chunk = file.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise SourceError(
                    _("%(path)s could not be read.") % {"path": leaf.path}
                )
            out.write(chunk)
            left -= len(chunk)
