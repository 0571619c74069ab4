"""What an upload is about, signed: the page hands it back with every piece, so that nothing is kept between two requests."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass

from django.core import signing
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.hostfiles import paths
from tasks.hostfiles.access import Place
from tasks.hostfiles.ground import PREFIX

SALT = "hostfiles.upload"
# A page may go on so long after it began.
ORDER_SECONDS = 7 * 24 * 3600
PART = b"part-"
NAME_LENGTH = 24


@dataclass(frozen=True)
class Order:
    """One upload: whose, to which host and path (paths.written), how large, and whether it replaces what is there."""

    user: int
    host: int
    path: str
    folder: str
    size: int
    replace: bool
    # Of this begin alone: an open file of an earlier one is never written to.
    nonce: str

    @property
    def target(self) -> bytes:
        """Where the file belongs."""
        return paths.read(self.path)

    @property
    def stage(self) -> bytes:
        """The private folder in which it grows."""
        return paths.read(self.folder)

    @property
    def staged(self) -> bytes:
        """Its file in there, by a name that nobody can tell beforehand: where the folder can be exchanged, no link waits for it."""
        return paths.join(self.stage, PART + _word("part", self.folder))

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.user}:{self.host}:{self.folder}:{self.nonce}"

    def is_same(self, other: Order) -> bool:
        """Say whether two orders are begins of the same upload."""
        mine = (self.user, self.host, self.folder)
        return mine == (other.user, other.host, other.folder)

    def signed(self) -> str:
        """Write it for the page."""
        return signing.dumps(asdict(self), salt=SALT)


def order_for(
    place: Place, path: bytes, *, base: bytes, size: int, mark: str, replace: bool
) -> Order:
    """Make the order for an upload; the same file of the same user gives the same folder, where it goes on after a break.

    Args:
        base: where that folder is made (ground.base_for).
        mark: what tells the local file from others, such as its time of change.
    """
    value = f"{place.actor.pk}:{place.host.pk}:{paths.written(path)}:{size}:{mark}"
    folder = paths.join(base, PREFIX + _word("folder", value))
    return Order(
        place.actor.pk,
        place.host.pk,
        paths.written(path),
        paths.written(folder),
        size,
        replace,
        secrets.token_hex(8),
    )


def order_of(place: Place, token: object) -> Order:
    """Read an order that the page hands back.

    Raises:
        DomainError: it is not one of this user for this host, or too old.
    """
    try:
        order = Order(**signing.loads(str(token), salt=SALT, max_age=ORDER_SECONDS))
    except (signing.BadSignature, TypeError) as error:
        raise _refusal() from error
    if (order.user, order.host) != (place.actor.pk, place.host.pk):
        raise _refusal()
    return order


def _word(use: str, value: str) -> bytes:
    word = salted_hmac(f"{SALT}.{use}", value, algorithm="sha256").hexdigest()
    return word[:NAME_LENGTH].encode()


def _refusal() -> DomainError:
    return DomainError(
        _("This upload is not known, or began too long ago."),
        _("Choose the file again."),
        code="bad_upload",
    )
