"""Files of packages that are too large for one request: they come in pieces, each where the one before ended."""

import hashlib
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedRandom
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import Conflict, NotFound
from adminset.growing_files import held, settle
from appconf import package_store
from appconf.models import Package

TICKET = re.compile(r"[0-9a-f]{32}")
HOUR = 3600


def piece_bytes() -> int:
    """Say how large a piece may be: a request holds no more than ADMINSET_UPLOAD_BYTES."""
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return min(settings.PACKAGE_PIECE_BYTES, most)


def _folder() -> Path:
    folder = Path(settings.PACKAGES_DIR) / "incoming"
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    return folder


@contextmanager
def _held(package: Package, ticket: str) -> Iterator[BufferedRandom]:
    if not TICKET.fullmatch(ticket):
        raise _no_such()
    with ExitStack() as stack:
        try:
            path = _folder() / f"{package.pk}-{ticket}.part"
            file = stack.enter_context(held(path))
        except FileNotFoundError:
            raise _no_such() from None
        yield file


def _no_such() -> NotFound:
    return NotFound(_("There is no such upload."), code="no_such_upload")


def begin(package: Package) -> str:
    """Begin to send a file; give the ticket that its pieces name. What others left lying is cleared away."""
    folder, old = _folder(), time.time() - settings.PACKAGE_PIECE_HOURS * HOUR
    for path in folder.glob("*.part"):
        if path.stat().st_mtime < old:
            path.unlink(missing_ok=True)
    ticket = secrets.token_hex(16)
    (folder / f"{package.pk}-{ticket}.part").touch(mode=0o600)
    return ticket


def add(package: Package, ticket: str, offset: int, data: bytes) -> int:
    """Append a piece; give how many bytes are there.

    Raises:
        Conflict: the piece does not begin where the file ends.
        DomainError: no such upload, or the file is too large.
    """
    with _held(package, ticket) as file:
        end = file.seek(0, 2)
        if offset != end:
            raise Conflict(
                _("%(size)s bytes are there: go on from there.") % {"size": end},
                code="wrong_offset",
            )
        if end + len(data) > settings.PACKAGE_BYTES:
            raise package_store.too_large(settings.PACKAGE_BYTES)
        file.write(data)
    return end + len(data)


def finish(package: Package, ticket: str) -> tuple[str, int]:
    """Keep what came under its SHA-256: (SHA-256, size)."""
    # No piece is written meanwhile, and none later: other packages may share these bytes.
    with _held(package, ticket) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
        place = package_store.path_of(found)
        place.parent.mkdir(mode=0o750, exist_ok=True)
        settle(file, place)
    return found, size
