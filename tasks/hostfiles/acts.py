"""Small acts on files of a host: a new folder, another name or place, another mode; each is told in the trail."""

import re
import stat

from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError
from tasks.hostfiles import paths
from tasks.hostfiles.access import DELETE, Place
from tasks.hostfiles.door import Files, files_of
from tasks.hostfiles.downloads import open_found
from tasks.hostfiles.ground import check_ground, check_own
from tasks.hostfiles.known import told_of
from tasks.hostfiles.listing import FILE, FOLDER, LINK, kind_of
from tasks.hostfiles.told import tell
from tasks.hostfiles.waste import is_in_waste
from tasks.ssh.sftp_wire import Attributes

MODE = re.compile(r"[0-7]{3,4}", re.ASCII)
FOLDER_MODE = 0o755


def make_folder(*, place: Place, path: bytes, may_be_there: bool = False) -> None:
    """Make a folder.

    Args:
        may_be_there: a folder that is there already is as good: for whole folders that are uploaded.

    Raises:
        DomainError: something stands there already, or the host refuses.
    """
    with files_of(place.host) as files:
        found = files.look_if_there(path)
        if found is not None and may_be_there and kind_of(found.mode) == FOLDER:
            return
        check_free(found, path)
        check_ground(files, path)
        files.on(path, files.sftp.make_folder, path, FOLDER_MODE)
    tell(place, "make_folder", path)


def rename(*, place: Place, path: bytes, to: bytes) -> None:
    """Give a file, folder or link another name or place on the same disk; nothing is overwritten.

    Raises:
        DomainError: something stands there already, a folder would go into itself, or the host refuses.
        PermissionDenied: it would lie in a waste, out of which one purges: that is to delete.
    """
    if paths.is_within(to, path):
        raise DomainError(_("A folder cannot go into itself."), code="into_itself")
    with files_of(place.host) as files:
        found = files.look(path)
        check_free(files.look_if_there(to), to)
        if is_in_waste(files, to):
            place.need(DELETE)
        check_ground(files, path)
        check_ground(files, to)
        known = told_of(files, path, found)
        files.on(path, files.sftp.rename, path, to)
    tell(place, "rename", path, to=to, **known)


def change_mode(*, place: Place, path: bytes, mode: str) -> None:
    """Set the mode of a file or folder, an octal number such as 0644.

    Raises:
        DomainError: it is no mode, the path is a link, or the host refuses.
    """
    if not MODE.fullmatch(mode):
        told = _("A mode is an octal number such as 0644.")
        raise DomainError(told, code="bad_mode", fields={"mode": told})
    wanted = int(mode, 8)
    with files_of(place.host) as files:
        found = files.look(path)
        if kind_of(found.mode) == LINK:
            raise DomainError(
                _("%(path)s is a link, which has no mode of its own.")
                % {"path": paths.shown(path)},
                _("Go to what it leads to."),
                code="is_link",
            )
        check_ground(files, path)
        known = told_of(files, path, found)
        _set_mode(files, path, found, Attributes(mode=wanted))
    modes = {"mode": f"{wanted:04o}", "mode_before": octal(found)}
    tell(place, "mode", path, **modes, **known)


def _set_mode(files: Files, path: bytes, found: Attributes, wanted: Attributes) -> None:
    """Set the mode of what was looked at: never of what a link leads to that took its place meanwhile."""
    sftp = files.sftp
    if sftp.changes_links:
        files.on(path, sftp.change_itself, path, wanted)
    elif kind_of(found.mode) == FILE:
        handle = open_found(files, path, found)
        try:
            files.on(path, sftp.change_open, handle, wanted)
        finally:
            files.on(path, sftp.shut, handle)
    else:
        # A folder in somebody else's: an old server can name it by its path only.
        check_own(files, paths.parent_of(path))
        files.on(path, sftp.change, path, wanted)


def octal(found: Attributes) -> str | None:
    """Write the mode of what was found."""
    return None if found.mode is None else f"{stat.S_IMODE(found.mode):04o}"


def check_free(found: Attributes | None, path: bytes) -> None:
    """Let pass where nothing stands; raises Conflict (code `exists`)."""
    if found is not None:
        raise Conflict(
            _("%(path)s is there already.") % {"path": paths.shown(path)},
            _("Choose another name."),
            code="exists",
            fields={"kind": kind_of(found.mode)},
        )
