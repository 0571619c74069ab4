"""Deleting: into a waste folder on the host first; for good only out of it, by who has that right as well."""

import secrets
from contextlib import suppress
from datetime import UTC, datetime

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.hostfiles import paths
from tasks.hostfiles.access import Place
from tasks.hostfiles.door import Files, files_of
from tasks.hostfiles.ground import PRIVATE, base_for, check_ground, check_own
from tasks.hostfiles.known import told_of
from tasks.hostfiles.listing import FOLDER, kind_of
from tasks.hostfiles.removal import remove_all
from tasks.hostfiles.told import tell
from tasks.ssh.sftp_wire import SftpError


def waste_of(files: Files) -> bytes:
    """Name the waste folder of a login."""
    wanted = settings.FILES_WASTE.encode()
    if wanted.startswith(b"~/"):
        return paths.checked(paths.join(files.home(), wanted[2:]))
    return paths.checked(wanted)


def throw_away(*, place: Place, path: bytes) -> bytes:
    """Move a file, folder or link into the waste; gives where it lies now.

    Where the waste is on another disk, one of the same name is made in the folder itself; for root where it is root's.

    Raises:
        DomainError: it lies in the waste already, or cannot be moved.
    """
    with files_of(place.host) as files:
        waste = waste_of(files)
        found = files.look(path)
        _check(files, path, waste)
        check_ground(files, path)
        known = told_of(files, path, found)
        try:
            lies = _move(files, path, waste)
        except DomainError:
            base = base_for(files, paths.parent_of(path))
            beside = paths.join(base, paths.name_of(waste))
            if beside == waste:
                raise
            lies = _move(files, path, beside)
    tell(place, "delete", path, waste=lies, **known)
    return lies


def purge(*, place: Place, path: bytes) -> int:
    """Remove for good what lies in the waste, or all of it; gives how many files, folders and links these were.

    Raises:
        DomainError: it does not lie in the waste, is too much for one go, or the host refuses.
    """
    with files_of(place.host) as files:
        if not is_in_waste(files, path):
            raise DomainError(
                _("%(path)s does not lie in the waste.") % {"path": paths.shown(path)},
                _("Delete it first."),
                code="not_in_waste",
            )
        found = files.look(path)
        known = told_of(files, path, found) | {"at_least": None}
        is_all = paths.name_of(path) == paths.name_of(waste_of(files))
        holder = path if is_all else paths.parent_of(path)
        # What is purged goes through it.
        check_own(files, holder)
        wanted = None if is_all else [(path, kind_of(found.mode))]
        known["count"] = count = remove_all(files, holder, wanted)
        if not is_all:
            _tidy(files, path)
    tell(place, "purge", path, **known)
    return count


def is_in_waste(files: Files, path: bytes) -> bool:
    """Say whether a path is a waste folder or lies in one."""
    return paths.name_of(waste_of(files)) in path.split(b"/")


def _check(files: Files, path: bytes, waste: bytes) -> None:
    """Refuse what must not go: what lies in the waste already, and what everything hangs on."""
    words = ""
    if paths.name_of(waste) in path.split(b"/"):
        words = _("%(path)s lies in the waste already: it can only be purged.")
    elif path == b"/" or path == files.home() or paths.is_within(files.home(), path):
        words = _("%(path)s holds the home of the login, or is it.")
    if words:
        raise DomainError(words % {"path": paths.shown(path)}, code="not_deleted")


def _move(files: Files, path: bytes, waste: bytes) -> bytes:
    """Put something into a waste folder, under a folder of its own; gives where it lies."""
    _ensure(files, waste)
    check_own(files, waste)
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}".encode()
    folder = paths.join(waste, stamp)
    lies = paths.join(folder, paths.name_of(path))
    files.on(folder, files.sftp.make_folder, folder, PRIVATE)
    try:
        files.on(path, files.sftp.move, path, lies)
    except DomainError:
        with suppress(SftpError):
            files.sftp.remove_folder(folder)
        raise
    return lies


def _ensure(files: Files, waste: bytes) -> None:
    found = files.look_if_there(waste)
    if found is None:
        files.on(waste, files.sftp.make_folder, waste, PRIVATE)
    elif kind_of(found.mode) != FOLDER:
        raise DomainError(
            _("%(path)s should be the waste folder, and is something else.")
            % {"path": paths.shown(waste)},
            _("Move it away, or set ADMINSET_FILES_WASTE."),
            code="no_waste",
        )


def _tidy(files: Files, path: bytes) -> None:
    """Remove the folder that held a thing in the waste, where it is empty now."""
    with suppress(SftpError):
        files.sftp.remove_folder(paths.parent_of(path))
