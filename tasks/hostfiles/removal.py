"""Removes folders with all that is in them, however deep, links themselves and never what they lead to.

Over SFTP a folder is named by its path, and who still holds a folder open that was thrown away may put a link in the place
of a folder in it. So each folder is moved into a folder of the login's own first, where nobody can exchange it, looked at
there, and emptied there: what is removed is a name in a folder that stays what it is.
"""

import secrets
from contextlib import suppress

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.hostfiles import paths
from tasks.hostfiles.door import Files
from tasks.hostfiles.ground import PRIVATE
from tasks.hostfiles.listing import FOLDER, kind_of
from tasks.ssh.sftp_wire import SftpError

# (path, kind) of something that goes.
Named = tuple[bytes, str]


def remove_all(files: Files, holder: bytes, wanted: list[Named] | None) -> int:
    """Remove things for good; gives how many files, folders and links it was.

    Args:
        holder: a folder of the login's own on the same disk, in which it works.
        wanted: None for all that is in `holder`.

    Raises:
        DomainError: it is too much for one go, or the host refuses.
    """
    if wanted is None:
        wanted = files.on(holder, _named, files, holder)
    den = paths.join(holder, b"purge-" + secrets.token_hex(8).encode())
    files.on(holder, files.sftp.make_folder, den, PRIVATE)
    try:
        return _Removal(files, den).remove(wanted)
    finally:
        # Where it broke off, the rest lies in the waste under this name.
        with suppress(SftpError):
            files.sftp.remove_folder(den)


class _Removal:
    """One go of it, in a den: a folder of its own."""

    def __init__(self, files: Files, den: bytes) -> None:
        self.count = 0
        self._files = files
        self._den = den
        self._moved = 0
        self._full: list[bytes] = []

    def remove(self, wanted: list[Named]) -> int:
        """Remove these; gives how many it was."""
        for path, kind in wanted:
            self._one(path, kind)
            while self._full:
                self._empty(self._full[-1])
        return self.count

    def _one(self, path: bytes, kind: str) -> None:
        """Remove one name; a folder that holds something is moved into the den, to be emptied there."""
        files = self._files
        if kind != FOLDER:
            files.on(path, files.sftp.remove, path)
            self._counted()
            return
        with suppress(SftpError):
            files.sftp.remove_folder(path)
            self._counted()
            return
        lies = paths.join(self._den, b"%d" % self._moved)
        files.on(path, files.sftp.move, path, lies)
        self._moved += 1
        found = files.on(lies, files.sftp.look, lies)
        if kind_of(found.mode) == FOLDER:
            self._full.append(lies)
        else:
            self._one(lies, kind_of(found.mode))

    def _empty(self, folder: bytes) -> None:
        """Remove what is in a folder of the den, and the folder once nothing is."""
        files = self._files
        entries = files.on(folder, _named, files, folder)
        for path, kind in entries:
            self._one(path, kind)
        self._full.remove(folder)
        files.on(folder, files.sftp.remove_folder, folder)
        self._counted()

    def _counted(self) -> None:
        self.count += 1
        if self.count > settings.FILES_TREE_MOST:
            raise DomainError(
                _("More than %(most)s files are too much for one go.")
                % {"most": settings.FILES_TREE_MOST},
                _("What was removed is gone; purge again for the rest."),
                code="too_many_files",
            )


def _named(files: Files, folder: bytes) -> list[Named]:
    """Take what is in a folder, whole, since it is removed meanwhile; no more than one go may remove."""
    found: list[Named] = []
    for entry in files.sftp.entries(folder):
        found.append((paths.join(folder, entry.name), kind_of(entry.attributes.mode)))
        if len(found) > settings.FILES_TREE_MOST:
            break
    return found
