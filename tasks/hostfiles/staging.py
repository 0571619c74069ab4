"""Where a file lies on its way to its place: a private folder of the login, made, found again, and removed in the end."""

from __future__ import annotations

import hashlib
import re
import stat
from contextlib import closing, suppress
from itertools import islice

from django.core.cache import cache
from django.utils.translation import gettext as _
from redis import RedisError  # what Django's cache raises when Redis is away

from adminset.errors import Conflict
from tasks.hostfiles import paths
from tasks.hostfiles.door import Files
from tasks.hostfiles.ground import PREFIX, PRIVATE, ROOT, own_id
from tasks.hostfiles.listing import FILE, kind_of
from tasks.hostfiles.orders import NAME_LENGTH, ORDER_SECONDS, PART, Order
from tasks.ssh import sftp_wire as wire
from tasks.ssh.sftp_wire import Attributes, Entry, SftpError

_WORD = rb"[0-9a-f]{%d}" % NAME_LENGTH
_STAGE = re.compile(re.escape(PREFIX) + _WORD)
_PART = re.compile(re.escape(PART) + _WORD)
# Of one folder what is forgotten is looked for once in this time, among so many names.
TIDY_SECONDS = 3600
NAMES_LOOKED_AT = 10_000


def stage(files: Files, folder: bytes) -> tuple[Attributes, bool]:
    """Make the private folder of an upload, or find it again; gives what is known of it, and whether it is new.

    Raises:
        DomainError: it cannot be made, or somebody else put something there.
    """
    try:
        files.sftp.make_folder(folder, PRIVATE)
    except SftpError as error:
        return _found_again(files, folder, error), False
    return files.look(folder), True


def _found_again(files: Files, folder: bytes, error: SftpError) -> Attributes:
    """Give the folder of an earlier try; what another user put there is not written into."""
    parent = paths.parent_of(folder)
    found = files.look_if_there(folder)
    if found is None:
        raise files.refusal(error, parent) from error
    if not _is_private(found) or found.uid != own_id(files, parent):
        raise _bad_stage(folder)
    return found


def open_staged(files: Files, order: Order) -> tuple[bytes, int]:
    """Open the file of an upload to write on, made where it is not there; gives its handle and its size.

    Raises:
        DomainError: the host refuses, or what stands there is not what the portal made.
    """
    folder, _is_new = stage(files, order.stage)
    path = order.staged
    try:
        handle = files.sftp.open(path, wire.FOR_WRITING)
    except SftpError as error:
        if error.code != wire.MISSING:
            raise files.refusal(error, path) from error
        flags = wire.FOR_WRITING | wire.CREATE | wire.ONLY_NEW
        handle = files.on(path, files.sftp.open, path, flags)
    found = files.on(path, files.sftp.look_inside, handle)
    # Root may have given it away already, and put it where nobody else can.
    if kind_of(found.mode) != FILE or ROOT != folder.uid != found.uid:
        files.on(path, files.sftp.shut, handle)
        raise _bad_stage(order.stage)
    return handle, found.size or 0


def size_of(files: Files, order: Order) -> int:
    """Say how far an upload came."""
    found = files.look_if_there(order.staged)
    return 0 if found is None else found.size or 0


def discard(files: Files, order: Order) -> None:
    """Remove the folder of a file on its way, as far as it is there."""
    for tidy, path in (
        (files.sftp.remove, order.staged),
        (files.sftp.remove_folder, order.stage),
    ):
        with suppress(SftpError):
            tidy(path)


def remove_forgotten(files: Files, order: Order, mine: Attributes) -> list[bytes]:
    """Remove beside a new upload what earlier ones of this login left, where nobody went on in a week; gives which.

    Args:
        mine: the folder of the new upload: its time is the host's own.
    """
    base = paths.parent_of(order.stage)
    before = (mine.changed or 0) - ORDER_SECONDS
    if not _is_due(files, base):
        return []
    try:
        with closing(files.sftp.entries(base)) as entries:
            old = [
                entry.name
                for entry in islice(entries, NAMES_LOOKED_AT)
                if _is_forgotten(entry, mine, before)
            ]
    except SftpError:
        return []
    folders = [paths.join(base, name) for name in old]
    return [folder for folder in folders if _is_removed(files, folder, before)]


def _is_due(files: Files, base: bytes) -> bool:
    asked = hashlib.sha256(base).hexdigest()[:32]
    key = f"hostfiles:tidy:{files.host.pk}:{files.login}:{asked}"
    try:
        return bool(cache.add(key, 1, TIDY_SECONDS))
    except RedisError:
        return False


def _is_forgotten(entry: Entry, mine: Attributes, before: int) -> bool:
    found = entry.attributes
    is_ours = _STAGE.fullmatch(entry.name) and found.uid == mine.uid
    return bool(is_ours and _is_private(found) and (found.changed or 0) < before)


def _is_removed(files: Files, folder: bytes, before: int) -> bool:
    """Remove a folder that holds nothing but a part to which nobody wrote since `before`."""
    with suppress(SftpError):
        with closing(files.sftp.entries(folder)) as entries:
            parts = list(islice(entries, 2))
        if all(_is_old_part(part, before) for part in parts):
            for part in parts:
                files.sftp.remove(paths.join(folder, part.name))
            files.sftp.remove_folder(folder)
            return True
    return False


def _is_old_part(entry: Entry, before: int) -> bool:
    changed = entry.attributes.changed
    return bool(_PART.fullmatch(entry.name)) and (changed or 0) < before


def _is_private(found: Attributes) -> bool:
    mode = found.mode or 0
    return stat.S_ISDIR(mode) and stat.S_IMODE(mode) == PRIVATE


def _bad_stage(folder: bytes) -> Conflict:
    return Conflict(
        _("%(path)s is not the folder that it should be.")
        % {"path": paths.shown(folder)},
        _("Remove it and try again."),
        code="bad_stage",
    )
