"""Downloads: one file as it is, or folders and several files as one archive."""

from collections.abc import Sequence
from contextlib import ExitStack

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError
from tasks.hostfiles import paths
from tasks.hostfiles.access import Place
from tasks.hostfiles.archives import Archive
from tasks.hostfiles.door import Files, files_of, is_same, transfer_of
from tasks.hostfiles.flows import Flow
from tasks.hostfiles.listing import FILE, FOLDER, LINK, kind_of
from tasks.hostfiles.told import tell
from tasks.ssh import sftp_wire as wire
from tasks.ssh.hashes import sha256_there
from tasks.ssh.sftp_wire import Attributes

HASH_SECONDS = 600.0


def download(*, place: Place, wanted: Sequence[bytes]) -> Flow:
    """Begin to read a file, or an archive of a folder or of several things; the trail has a line before the first byte.

    Raises:
        DomainError: nothing is wanted, it is not there, is no file, is too large, or the host refuses.
    """
    if not wanted:
        raise DomainError(
            _("The address names no file."),
            _("Choose one in the list."),
            code="no_path",
            status=400,
        )
    with ExitStack() as stack:
        stack.enter_context(transfer_of(place.actor.pk))
        files = stack.enter_context(files_of(place.host))
        found = [files.look(path) for path in wanted]
        one = wanted[0]
        if len(wanted) == 1 and kind_of(found[0].mode) != FOLDER:
            return _file(place, files, one, found[0], stack)
        return _archive(place, files, wanted, stack)


def _file(
    place: Place, files: Files, path: bytes, found: Attributes, stack: ExitStack
) -> Flow:
    check_file(files, path, found)
    handle = open_found(files, path, found)
    size = files.on(path, files.sftp.look_inside, handle).size or 0
    if size > settings.FILES_DOWNLOAD_BYTES:
        raise DomainError(
            _("The file is larger than %(most)s bytes.")
            % {"most": f"{settings.FILES_DOWNLOAD_BYTES:,}"},
            _("Raise ADMINSET_FILES_DOWNLOAD_BYTES."),
            code="too_large",
        )
    tell(place, "download", path, size=size)

    def ended(flow: Flow) -> None:
        known = {"size": flow.sent, "sha256": flow.sha256}
        tell(place, "download_end", path, **known, whole=flow.whole)

    # What /proc has is said to be empty, and is not.
    most = size or settings.FILES_DOWNLOAD_BYTES
    flow = Flow(place, stack.pop_all(), files.sftp.read(handle, 0, most), ended)
    flow.name, flow.size = paths.name_of(path), size or None
    return flow


def _archive(
    place: Place, files: Files, wanted: Sequence[bytes], stack: ExitStack
) -> Flow:
    archive = Archive(files, wanted)
    for path in wanted:
        tell(place, "download", path, archive=True)

    def ended(flow: Flow) -> None:
        whole = flow.whole and not archive.problems
        known = {"size": flow.sent, "sha256": flow.sha256, "count": archive.count}
        for path in wanted:
            tell(place, "download_end", path, archive=True, **known, whole=whole)

    flow = Flow(place, stack.pop_all(), archive.parts(), ended)
    one = wanted[0] if len(wanted) == 1 else paths.parent_of(wanted[0])
    flow.name = (paths.name_of(one) or place.host.hostname.encode()) + b".tar"
    return flow


def hash_of(*, place: Place, path: bytes) -> dict[str, object]:
    """Have the host hash a file; gives `size` and `sha256`.

    Raises:
        DomainError: it is no file, or the host cannot tell.
    """
    with transfer_of(place.actor.pk), files_of(place.host) as files:
        found = files.look(path)
        check_file(files, path, found)
        digest = sha256_there(files.connection, path, HASH_SECONDS)
    if digest is None:
        raise DomainError(
            _("%(host)s cannot tell the hash of %(path)s.")
            % {"host": place.host.hostname, "path": paths.shown(path)},
            _(
                "It needs a shell, openssl or sha256sum, and the right to read the file."
            ),
            code="no_hash",
        )
    known: dict[str, object] = {"size": found.size, "sha256": digest}
    tell(place, "hash", path, **known)
    return known


def open_found(files: Files, path: bytes, found: Attributes) -> bytes:
    """Open a file to read it, if it is what was looked at: a link may have taken its place. Gives its handle.

    Raises:
        Conflict: it is another one (code `changed`). DomainError: the host refuses.
    """
    handle = files.on(path, files.sftp.open, path, wire.FOR_READING)
    inside = files.on(path, files.sftp.look_inside, handle)
    if is_same(inside, found):
        return handle
    files.on(path, files.sftp.shut, handle)
    raise Conflict(
        _("%(path)s changed meanwhile.") % {"path": paths.shown(path)},
        _("Look at it again."),
        code="changed",
    )


def check_file(files: Files, path: bytes, found: Attributes) -> None:
    """Let pass only a plain file: a link is followed only by who goes to what it leads to, a device never ends.

    Raises:
        DomainError: it is something else (code `through_link` for a link, with the true path).
    """
    kind = kind_of(found.mode)
    if kind == FILE:
        return
    if kind == LINK:
        raise files.is_link(path)
    raise DomainError(
        _("%(path)s is no plain file.") % {"path": paths.shown(path)}, code="no_file"
    )
