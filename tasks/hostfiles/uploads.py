"""Uploads: begun, taken piece by piece, compared by SHA-256, put into place; after a break they go on where they stood."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.hostfiles import paths, placing, staging
from tasks.hostfiles.access import EDIT, Place
from tasks.hostfiles.door import Files, files_of
from tasks.hostfiles.ground import base_for
from tasks.hostfiles.hands import hand_of, let_go, not_next
from tasks.hostfiles.known import told_of
from tasks.hostfiles.listing import FILE, kind_of
from tasks.hostfiles.orders import Order, order_for, order_of
from tasks.hostfiles.told import tell

PART_BYTES = 224 * 1024


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Give at most so many bytes."""


@dataclass(frozen=True)
class Begun:
    """What the page needs to go on: the signed order, from which byte, and how large a piece may be."""

    token: str
    offset: int
    piece_bytes: int


class Piece:
    """One piece of an upload: read in small parts, hashed on the way.

    Args:
        body: what is read. size: how many bytes it is to have.
        sha256: "" where the browser cannot tell: then the comparison of the whole has to do.
    """

    def __init__(self, body: Readable, size: int, sha256: str) -> None:
        self.size = size
        self._body = body
        self._wanted = sha256.lower()
        self._digest = hashlib.sha256()
        self._left = size

    def parts(self) -> Iterator[bytes]:
        """Give its parts; no more than was announced."""
        while part := self._body.read(min(PART_BYTES, self._left)):
            self._left -= len(part)
            if self._wanted:
                self._digest.update(part)
            yield part

    @property
    def is_good(self) -> bool:
        """Whether it came whole and is what was sent."""
        same = not self._wanted or self._digest.hexdigest() == self._wanted
        return same and not self._left


def begin(
    *, place: Place, path: bytes, size: int, mark: str, replace: bool = False
) -> Begun:
    """Begin an upload, or find out how far it came before a break.

    Args:
        mark: what tells the local file from others, such as its time of change.
        replace: take the place of the file that is there; needs the right to edit.

    Raises:
        DomainError: too large, something stands there, or the host refuses. PermissionDenied: no right to replace.
    """
    placing.check_size(size)
    if replace:
        place.need(EDIT)
    with files_of(place.host) as files:
        placing.standing(files, path, replace=replace)
        base = base_for(files, paths.parent_of(path))
        order = order_for(
            place, path, base=base, size=size, mark=mark[:200], replace=replace
        )
        let_go(order)
        offset = _begun(files, place, order)
    tell(place, "upload_begin", path, size=size, offset=offset or None)
    return Begun(order.signed(), offset, settings.FILES_PIECE_BYTES)


def take(*, place: Place, token: str, offset: int, piece: Piece) -> int:
    """Take the piece that comes next, and write it on as it is read; gives how far the file goes now.

    Raises:
        DomainError: it is damaged (code `damaged_piece`), not the next one (`offset`), too large, or the host refuses it.
    """
    order = order_of(place, token)
    if offset < 0 or offset + piece.size > order.size:
        raise DomainError(
            _("The file is longer than was said."),
            _("Choose it again."),
            code="too_long",
        )
    with hand_of(order, place.host) as hand:
        at = hand.write(offset, piece.parts(), lambda: piece.is_good)
    if not piece.is_good:
        raise DomainError(
            _("A piece of the file was damaged on its way to the portal."),
            _("It is sent again."),
            code="damaged_piece",
        )
    return at


def finish(*, place: Place, token: str, sha256: str) -> dict[str, Any]:
    """Compare the whole file with what the page read, and put it into place; gives its size and hash. May be asked again.

    Raises:
        DomainError: it is not whole (code `offset`), not the same (`damaged`), or something stands in the way.
    """
    order = order_of(place, token)
    path = order.target
    if order.replace:
        place.need(EDIT)
    known = {"size": order.size, "sha256": sha256.lower()}
    # By the hand, which counts as one of the user's transfers as long as the host hashes.
    with hand_of(order, place.host) as hand:
        at, before = hand.at, None
        if at == order.size:
            before = hand.finish(partial(_place, order=order, sha256=sha256))
        is_done = before is not None
        if at == 0 and not is_done:
            is_done = hand.work(lambda files: _is_placed(files, order, sha256))
    let_go(order)
    if not is_done:
        raise not_next(at)
    if before is not None:
        tell(place, "upload", path, **known, **before)
    return known


def abandon(*, place: Place, token: str) -> None:
    """Give an upload up: what came of it goes.

    Raises:
        DomainError: the host refuses.
    """
    order = order_of(place, token)
    let_go(order)
    with files_of(place.host) as files:
        staging.discard(files, order)
    tell(place, "upload_stop", order.target, size=order.size)


def _place(files: Files, handle: bytes, *, order: Order, sha256: str) -> dict[str, Any]:
    """Verify and place a whole file; gives what the trail keeps of the one it replaced."""
    path = order.target
    old = placing.standing(files, path, replace=order.replace)
    before = {} if old is None else told_of(files, path, old)
    try:
        placing.verify(files, order.staged, size=order.size, sha256=sha256)
    except DomainError as error:
        if error.code == "damaged":
            staging.discard(files, order)
        raise
    placing.put_in_place(files, order, handle, old)
    staging.discard(files, order)
    return {f"{name}_before": value for name, value in before.items()}


def _is_placed(files: Files, order: Order, sha256: str) -> bool:
    """Say whether the file stands in its place already: the answer to the page was lost. What was opened anew for it goes."""
    staging.discard(files, order)
    found = files.look_if_there(order.target)
    if found is None or kind_of(found.mode) != FILE or found.size != order.size:
        return False
    try:
        placing.verify(files, order.target, size=order.size, sha256=sha256)
    except DomainError:
        return False
    return True


def _begun(files: Files, place: Place, order: Order) -> int:
    """Make or find the folder of an upload; gives how far it came."""
    mine, is_new = staging.stage(files, order.stage)
    if is_new:
        for folder in staging.remove_forgotten(files, order, mine):
            tell(place, "upload_stop", folder)
        return 0
    offset = staging.size_of(files, order)
    if offset > order.size:
        with placing.opened(files, order) as handle:
            placing.write_small(files, order, handle, b"")
        offset = 0
    return offset
