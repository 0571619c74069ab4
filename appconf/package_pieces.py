"""Files of packages that are too large for one request: they come in pieces, each where the one before ended."""

from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.crud import pieces
from adminset.errors import Conflict
from adminset.growing_files import Bounds, Incoming
from appconf.models import Package
from appconf.package_store import BLOBS

HOUR = 3600


def piece_bytes() -> int:
    """Say how large a piece may be."""
    return pieces.piece_bytes(settings.PACKAGE_PIECE_BYTES)


def _incoming(package: Package | None = None) -> Incoming:
    folder = Path(settings.PACKAGES_DIR) / "incoming"
    # Of all packages together: one disk takes them.
    most = settings.PACKAGE_UPLOADS_OPEN, settings.PACKAGE_UPLOADS_OPEN_BYTES
    bounds = Bounds(*most, _too_many)
    return Incoming(folder, bounds, of=f"{package.pk}-" if package else "")


def _too_many() -> Conflict:
    return Conflict(
        _("Too many files of packages are being sent."),
        _("End those that have begun; what does not go on is cleared away in time."),
        code="too_many_uploads",
    )


def clear() -> int:
    """Take away what nobody sent a piece of for ADMINSET_PACKAGE_PIECE_HOURS; give how many files that were."""
    return _incoming().forget(older_seconds=settings.PACKAGE_PIECE_HOURS * HOUR)


def begin(package: Package) -> str:
    """Begin to send a file; give the ticket that its pieces name.

    Raises:
        Conflict: so many have begun and not ended that no more may.
    """
    return _incoming(package).begin()


def add(package: Package, ticket: str, offset: int, data: bytes) -> int:
    """Append a piece; give how many bytes are there. One that is there already is done.

    Raises:
        Conflict: the piece does not begin where the file ends.
            Or all that have begun would take too many bytes together.
        DomainError: no such upload, or the file is too large.
    """

    def judge(size: int) -> None:
        if size > settings.PACKAGE_BYTES:
            raise BLOBS.too_large(settings.PACKAGE_BYTES)

    return _incoming(package).add(ticket, offset, data, judge)


def finish(package: Package, ticket: str) -> tuple[str, int]:
    """Keep what came under its SHA-256, which other packages may share: (SHA-256, size)."""
    return _incoming(package).finish(ticket, BLOBS.place_for)
