"""Small text files: read as UTF-8, changed with a look at the difference first, saved only where nobody else changed them."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError
from adminset.text_diffs import FileDiff, compare_texts
from tasks.hostfiles import paths, placing, staging
from tasks.hostfiles.access import Place
from tasks.hostfiles.door import Files, files_of
from tasks.hostfiles.downloads import check_file, open_found
from tasks.hostfiles.ground import base_for, check_ground
from tasks.hostfiles.orders import order_for
from tasks.hostfiles.told import tell
from tasks.ssh.sftp_wire import Attributes


@dataclass(frozen=True)
class Text:
    """A text file as it stood on a host.

    Attributes:
        content: the text, with its line ends as they are; None where it is no UTF-8.
        sha256: of its bytes: by it one knows it again.
    """

    content: str | None
    sha256: str
    size: int
    known: Attributes

    @property
    def ends(self) -> str:
        """Line end of most of its lines."""
        text = self.content or ""
        windows = text.count("\r\n")
        return "\r\n" if windows > text.count("\n") - windows else "\n"


def read_text(*, place: Place, path: bytes, again: bool = False) -> Text:
    """Read a small file to be looked at; told in the trail, unless it was read a moment ago and is read `again`.

    Raises:
        DomainError: it is no plain file, too large, or the host refuses.
    """
    with files_of(place.host) as files:
        text = _read(files, path)
    if not again:
        tell(place, "view", path, size=text.size, sha256=text.sha256)
    return text


def difference(older: Text, newer: str) -> FileDiff:
    """Compare the text that stands there with one that shall; line ends that are the same everywhere are not shown."""
    left, right = older.content or "", newer
    if all(text.count("\n") == text.count("\r\n") for text in (left, right)):
        left, right = left.replace("\r\n", "\n"), right.replace("\r\n", "\n")
    return compare_texts("", left, right)


def as_saved(text: Text, typed: str) -> str:
    """Give what was typed in a browser, which knows one kind of line end, with those of the file."""
    return typed.replace("\r\n", "\n").replace("\r", "\n").replace("\n", text.ends)


def sha256_of(content: str) -> str:
    """Hash a text as it is saved."""
    return hashlib.sha256(content.encode()).hexdigest()


def save_text(*, place: Place, path: bytes, content: str, base: str) -> dict[str, Any]:
    """Put a text in the place of a file, if that is still what it was; gives size and hash.

    Args:
        base: the SHA-256 of what was compared.

    Raises:
        Conflict: the file changed meanwhile (code `changed`). DomainError: too large, or the host refuses.
    """
    data = content.encode()
    _check_size(len(data))
    digest = sha256_of(content)
    with files_of(place.host) as files:
        now = _read(files, path)
        if now.sha256 != base:
            raise Conflict(
                _("%(path)s changed meanwhile.") % {"path": paths.shown(path)},
                _("Compare again with what stands there now."),
                code="changed",
            )
        _write(files, place, path, now, data, digest)
    known = {"size": len(data), "sha256": digest}
    before = {"size_before": now.size, "sha256_before": now.sha256}
    tell(place, "edit", path, **known, **before)
    return known


def _write(
    files: Files, place: Place, path: bytes, now: Text, data: bytes, digest: str
) -> None:
    check_ground(files, path)
    base = base_for(files, paths.parent_of(path))
    order = order_for(place, path, base=base, size=len(data), mark="edit", replace=True)
    try:
        with placing.opened(files, order) as handle:
            placing.write_small(files, order, handle, data)
            placing.verify(files, order.staged, size=len(data), sha256=digest)
            placing.put_in_place(files, order, handle, now.known)
    finally:
        staging.discard(files, order)


def _read(files: Files, path: bytes) -> Text:
    found = files.look(path)
    check_file(files, path, found)
    _check_size(found.size or 0)
    handle = open_found(files, path, found)
    try:
        # Not by its size: what /proc has is said to be empty.
        most = settings.FILES_TEXT_BYTES + 1
        data = b"".join(files.on(path, list, files.sftp.read(handle, 0, most)))
    finally:
        files.on(path, files.sftp.shut, handle)
    _check_size(len(data))
    return Text(_decoded(data), hashlib.sha256(data).hexdigest(), len(data), found)


def _decoded(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _check_size(size: int) -> None:
    most = settings.FILES_TEXT_BYTES
    if size > most:
        raise DomainError(
            _("Texts of more than %(most)s bytes are not shown here.")
            % {"most": f"{most:,}"},
            _("Download it, or raise ADMINSET_FILES_TEXT_BYTES."),
            code="too_large",
        )
