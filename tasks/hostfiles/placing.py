"""Puts what arrived under a temporary name into place: compared by SHA-256 on the host, with owner and mode of what was there."""

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError
from tasks.hostfiles import paths
from tasks.hostfiles.door import Files
from tasks.hostfiles.ground import check_ground
from tasks.hostfiles.listing import FILE, kind_of
from tasks.hostfiles.orders import Order
from tasks.hostfiles.staging import open_staged
from tasks.ssh import sftp_wire as wire
from tasks.ssh.hashes import sha256_there
from tasks.ssh.sftp import TROUBLE
from tasks.ssh.sftp_wire import Attributes, SftpError

# The slowest disk that is waited for, and the least time that a hash may take.
SLOWEST_BYTES_A_SECOND = 10 * 2**20
LEAST_SECONDS = 60.0


def standing(files: Files, path: bytes, *, replace: bool) -> Attributes | None:
    """Look at what a file would take the place of; None where nothing is there.

    Raises:
        Conflict: something is there that may not be replaced (code `exists`; `fields["kind"]` says what).
        DomainError: others could lead root elsewhere meanwhile (code `loose_ground`).
    """
    found = files.look_if_there(path)
    check_ground(files, path)
    if found is None:
        return None
    kind = kind_of(found.mode)
    if kind == FILE and replace:
        return found
    raise Conflict(
        _("%(path)s is there already.") % {"path": paths.shown(path)},
        _("Choose another name, or replace it.")
        if kind == FILE
        else _("It is no file: choose another name."),
        code="exists",
        fields={"kind": kind},
    )


def verify(files: Files, staged: bytes, *, size: int, sha256: str) -> None:
    """Compare what arrived with what was sent: the host hashes it, or it is read back where the host cannot.

    Raises:
        DomainError: it is not the same (code `damaged`).
    """
    found = files.on(staged, files.sftp.look, staged)
    is_file = kind_of(found.mode) == FILE
    seconds = max(LEAST_SECONDS, size / SLOWEST_BYTES_A_SECOND)
    there = ""
    if is_file and found.size == size:
        there = sha256_there(files.connection, staged, seconds) or read_back(
            files, staged, size
        )
    if not there or there != sha256.lower():
        raise DomainError(
            _("What arrived on %(host)s is not what was sent (SHA-256).")
            % {"host": files.host.hostname},
            _("It is removed there. Send it again."),
            code="damaged",
        )


def read_back(files: Files, path: bytes, size: int) -> str:
    """Hash a file by reading it from the host."""
    digest = hashlib.sha256()
    handle = files.on(path, files.sftp.open, path, wire.FOR_READING)
    try:
        for piece in files.sftp.read(handle, 0, size):
            digest.update(piece)
    finally:
        files.on(path, files.sftp.shut, handle)
    return digest.hexdigest()


def put_in_place(
    files: Files, order: Order, handle: bytes, old: Attributes | None
) -> None:
    """Rename a verified file into place; whoever reads the path sees the old one or the new one, never a half.

    Args:
        handle: that file, open since it was written.
        old: what stands there and is replaced: its owner and mode stay.

    Raises:
        DomainError: the owner cannot be kept, something came in between, or the host refuses.
    """
    path, staged = order.target, order.staged
    if old is None:
        # Refused where something came to stand there meanwhile.
        files.on(path, files.sftp.rename, staged, path)
        return
    _keep_owner(files, order, handle, old)
    now = files.look_if_there(path)
    if now is None or now[:4] != old[:4] or now.changed != old.changed:
        raise Conflict(
            _("%(path)s changed meanwhile.") % {"path": paths.shown(path)},
            _("Look at it again."),
            code="changed",
        )
    files.on(path, files.sftp.replace, staged, path)


def _keep_owner(files: Files, order: Order, handle: bytes, old: Attributes) -> None:
    """Give the new file owner and mode of the old one: the very file that is open, not what its path leads to by now."""
    mine = files.on(order.staged, files.sftp.look_inside, handle)
    if (mine.uid, mine.gid) != (old.uid, old.gid):
        owner = Attributes(uid=old.uid, gid=old.gid)
        try:
            files.sftp.change_open(handle, owner)
        except SftpError as error:
            raise _other_owner(files, order.target) from error
    if old.mode is not None:
        # After the owner: a change of owner takes special bits away.
        mode = Attributes(mode=stat.S_IMODE(old.mode))
        files.on(order.target, files.sftp.change_open, handle, mode)


def _other_owner(files: Files, path: bytes) -> DomainError:
    return DomainError(
        _("%(path)s belongs to another user or group than %(login)s can give.")
        % {"path": paths.shown(path), "login": files.login},
        _(
            "To replace it would take it from its owner. Use a credential of that owner."
        ),
        code="other_owner",
    )


def write_small(files: Files, order: Order, handle: bytes, content: bytes) -> None:
    """Write the whole of a small file under its temporary name, and have it put on the disk."""
    staged = order.staged
    files.on(staged, files.sftp.cut, handle, 0)
    files.on(staged, files.sftp.write, handle, 0, [content])
    files.on(staged, files.sftp.sync, handle)


@contextmanager
def opened(files: Files, order: Order) -> Iterator[bytes]:
    """Open the file of an upload for a moment."""
    handle, _size = open_staged(files, order)
    try:
        yield handle
    except TROUBLE:
        files.sftp.close()
        raise
    finally:
        with suppress(*TROUBLE):
            files.sftp.shut(handle)


def check_size(size: int) -> None:
    """Refuse what is larger than may be uploaded."""
    most = settings.FILES_UPLOAD_BYTES
    if not 0 <= size <= most:
        raise DomainError(
            _("The file is larger than %(most)s bytes.") % {"most": f"{most:,}"},
            _("Raise ADMINSET_FILES_UPLOAD_BYTES, or use the task centre."),
            code="too_large",
            status=413,
        )
