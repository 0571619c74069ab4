"""Says whose ground a path of a host stands on: root is not led elsewhere by who may rename folders on the way.

SFTP knows paths only. Between a look at a path and an act on it, whoever may write to a folder on the way can put a link in
the place of what was looked at. For root that would be a way to make root write where another user wants; so root changes
nothing below a folder that others could exchange, and what root puts down on its way lies where they cannot reach it.
"""

from __future__ import annotations

import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.hostfiles import paths
from tasks.hostfiles.door import Files
from tasks.ssh import sftp_wire as wire
from tasks.ssh.connect import Connection
from tasks.ssh.sftp_wire import Attributes, SftpError

PRIVATE = 0o700
PREFIX = b".adminset-"
ROOT = 0
# Everybody's, but what lies there is renamed by its owner only.
TRIAL_FOLDER = b"/tmp"
# Who signed in on a connection stays the same as long as it lives.
_ids: WeakKeyDictionary[Connection, int] = WeakKeyDictionary()


@dataclass(frozen=True)
class Ground:
    """What root may rely on, on the way to a folder.

    Attributes:
        base: the deepest folder on the way in which nobody but root can exchange what root makes.
        loose: the first folder on the way that others can exchange; None where there is none.
    """

    base: bytes
    loose: bytes | None


def ground_of(files: Files, folder: bytes) -> Ground:
    """Look at each folder from / down to this one, as root sees it."""
    way = [b"/", *paths.ways_of(folder)]
    said = list(files.sftp.each(wire.LSTAT, way))
    known = [Attributes() if one is None else one.attributes() for one in said]
    if not _is_roots(known[0]):
        return Ground(b"/", b"/")
    base = b"/"
    for above, found, path in zip(known[:-1], known[1:], way[1:], strict=True):
        if not _holds(above, found):
            return Ground(base, path)
        if _is_roots(found):
            base = path
    return Ground(base, None)


def check_ground(files: Files, path: bytes) -> None:
    """Refuse to change as root what stands in a folder that others could exchange meanwhile.

    The folder itself may be somebody else's: a name in it is renamed or removed, and never followed.

    Raises:
        DomainError: code `loose_ground`.
    """
    if not _is_guarded(files, paths.parent_of(path)):
        return
    loose = ground_of(files, paths.parent_of(path)).loose
    if loose is not None:
        raise _refusal(files, path, loose)


def check_own(files: Files, folder: bytes) -> None:
    """Refuse to work as root in a folder in which others could exchange what root puts there.

    Raises:
        DomainError: code `loose_ground`.
    """
    if not _is_guarded(files, folder):
        return
    ground = ground_of(files, folder)
    if ground != Ground(folder, None):
        raise _refusal(files, folder, ground.loose or folder)


def base_for(files: Files, folder: bytes) -> bytes:
    """Give the folder in which something on its way into `folder` may lie: that one, or for root one that is root's, on the same disk.

    Raises:
        DomainError: there is none on the same disk (code `loose_ground`).
    """
    if not _is_guarded(files, folder):
        return folder
    base = ground_of(files, folder).base
    if base == folder:
        return folder
    sftp = files.sftp
    disks = [files.on(path, sftp.disk_of, path) for path in (base, folder)]
    if disks[0] != disks[1]:
        raise _refusal(files, folder, folder)
    return base


def _is_guarded(files: Files, folder: bytes) -> bool:
    """Whether this login could be led elsewhere, and is to be kept from it."""
    return not settings.FILES_ROOT_ANYWHERE and own_id(files, folder) == ROOT


def own_id(files: Files, folder: bytes) -> int:
    """Give the number of the login's user; root where it cannot be told.

    Args:
        folder: one that the login writes to, for hosts where it may write nowhere else.
    """
    if files.login == "root":
        return ROOT
    known = _ids.get(files.connection)
    if known is None:
        known = _ids[files.connection] = _own_id(files, folder)
    return known


def _own_id(files: Files, folder: bytes) -> int:
    for where in (TRIAL_FOLDER, files.home(), folder):
        # The number of the login's user is that of what it makes.
        trial = paths.join(where, PREFIX + secrets.token_hex(12).encode())
        with suppress(SftpError):
            files.sftp.make_folder(trial, PRIVATE)
            uid = files.sftp.look(trial).uid
            files.sftp.remove_folder(trial)
            return ROOT if uid is None else uid
    return ROOT


def _is_roots(found: Attributes) -> bool:
    """Whether only root can exchange what root puts into a folder."""
    mode = found.mode or 0
    if not stat.S_ISDIR(mode) or found.uid != ROOT:
        return False
    return bool(mode & stat.S_ISVTX) or not _is_shared(found)


def _holds(above: Attributes, found: Attributes) -> bool:
    """Whether only root can exchange a folder in the one above it: where all may write, its owner can as well."""
    if not stat.S_ISDIR(found.mode or 0) or not _is_roots(above):
        return False
    return found.uid == ROOT or not _is_shared(above)


def _is_shared(found: Attributes) -> bool:
    mode = found.mode or 0
    by_group = mode & stat.S_IWGRP and found.gid != ROOT
    return bool(by_group or mode & stat.S_IWOTH)


def _refusal(files: Files, path: bytes, loose: bytes) -> DomainError:
    told = {"path": paths.shown(path), "folder": paths.shown(loose)}
    return DomainError(
        _(
            "Others than root can exchange %(folder)s while root changes %(path)s: root could be led elsewhere."
        )
        % told,
        _(
            "Use a credential of the owner of that folder; where its users are trusted, ADMINSET_FILES_ROOT_ANYWHERE lets root."
        ),
        code="loose_ground",
    )
