"""Goes through a folder that somebody else made: by handles, never through a link, in an order that is always the same."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.artefacts.folders import Folders
from delivery.artefacts.paths import OWN_FOLDERS, check_path, shown
from delivery.artefacts.rules import Rules


@dataclass(frozen=True)
class Found:
    """A file, a link (`target`) or an empty folder (path with `/` behind) of a folder.

    Attributes:
        size: bytes of a file, else 0. folder_handle: opens the file by `name`, as long as the walk stands here.
    """

    path: str
    size: int
    executable: bool
    target: str | None
    folder_handle: int
    name: str


def found_below(folder: Path, rules: Rules, *, most: int | None) -> Iterator[Found]:
    """Give what the rules take of a folder; at most so many files and folders, where `most` says so.

    Raises:
        DomainError: something is neither file, folder nor link; names that cannot be delivered; too many of them.
        OSError: it cannot be read.
    """
    count, above = 0, Folders()
    walk = os.fwalk(folder, topdown=True, follow_symlinks=False, onerror=_raise)
    for root, folders, files, handle in walk:
        at = os.path.relpath(root, folder)
        before = "" if at == "." else f"{at}/"
        links = [name for name in folders if _is_link(name, handle)]
        folders[:] = sorted(
            name
            for name in folders
            if name not in OWN_FOLDERS
            and name not in links
            and not rules.skips_folder(before + name)
        )
        for name in sorted([*files, *links]):
            if rules.takes(before + name):
                above.above(before + name)
                yield _found(before + name, name, handle)
                count += 1
        if before and not folders and not files and not links and rules.takes(before):
            check_path(before.rstrip("/"))
            above.above(before)
            yield Found(before, 0, False, None, handle, "")
            count += 1
        if most is not None and count + len(above) > most:
            raise too_many()


def _raise(error: OSError) -> None:
    raise error


def _is_link(name: str, handle: int) -> bool:
    return stat.S_ISLNK(os.lstat(name, dir_fd=handle).st_mode)


def _found(path: str, name: str, handle: int) -> Found:
    check_path(path)
    about = os.lstat(name, dir_fd=handle)
    if stat.S_ISLNK(about.st_mode):
        target = os.readlink(name, dir_fd=handle)
        return Found(path, 0, False, target, handle, name)
    if not stat.S_ISREG(about.st_mode):
        raise DomainError(
            _("%(path)s is neither a file nor a folder nor a link.")
            % {"path": shown(path)},
            _("Leave it out by a rule."),
            code="bad_kind",
        )
    executable = bool(about.st_mode & 0o111)
    return Found(path, about.st_size, executable, None, handle, name)


def too_many() -> DomainError:
    """Say that an artefact would have too many files."""
    return DomainError(
        _("There are more than %(most)s files.") % {"most": settings.ARTEFACT_FILES},
        _("Leave some out by a rule, or raise ADMINSET_ARTEFACT_FILES."),
        code="too_many_files",
    )


def too_large() -> DomainError:
    """Say that an artefact would be too large."""
    return DomainError(
        _("It is larger than %(most)s MiB.")
        % {"most": settings.ARTEFACT_BYTES // 2**20},
        _("Leave something out by a rule, or raise ADMINSET_ARTEFACT_BYTES."),
        code="too_large",
        status=413,
    )
