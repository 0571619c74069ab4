"""Where a check goes: the host's own address, or one that was written and is allowed."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

from adminset.outbound_reach import Reach
from adminset.querysets import everywhere
from monitor import check_texts
from monitor.models import ServiceCheck

FREE_PERMISSION = "monitor.anywhere_servicecheck"
K = ServiceCheck.Kind
# Asked over the network by the portal; the others are read from what the agent sent.
ON_NETWORK = frozenset({K.PING, K.TCP, K.HTTP, K.CERTIFICATE, K.DNS})


@dataclass(frozen=True)
class Aim:
    """Where a check goes.

    Attributes:
        host: name or address to ask.
        address: the host's own address, to which a check of a host is held; "" where names are resolved.
    """

    host: str
    address: str = ""

    def reach(self, check: ServiceCheck, seconds: float) -> Reach:
        """Give how far its requests may go."""
        return Reach(
            networks=settings.CHECK_ALLOWED_NETWORKS,
            address=self.address,
            seconds=max(seconds, 0.05),
            verify=check.verify_tls,
            cut=True,
        )


def aim_of(check: ServiceCheck) -> Aim:
    """Say where a check goes; a check of a host goes to the host's management address, whatever names say.

    Raises:
        ValidationError: the target cannot be read.
    """
    own = str(check.host.address or "") if check.host else ""
    written = check_texts.host_of(check.kind, check.target) if check.target else ""
    if check.host is not None and (not written or is_own(check, written)):
        return Aim(written or own, own)
    return Aim(written)


def is_own(check: ServiceCheck, written: str) -> bool:
    """Say whether what was written names the check's host: by its address, or by its host name."""
    if check.host is None:
        return False
    names = {check.host.hostname.lower(), str(check.host.address or "")}
    return written.lower() in names - {""}


def url_of(check: ServiceCheck, aim: Aim) -> str:
    """Give the address that an HTTP check asks."""
    address = f"[{aim.address}]" if ":" in aim.address else aim.address
    if check.target:
        return check.target.replace(check_texts.PLACE, address)
    port = f":{check.port}" if check.port else ""
    scheme = "https" if check.port in {443, 8443} else "http"
    return f"{scheme}://{address}{port}/"


def _has_address(check: ServiceCheck) -> bool:
    return check.host is not None and bool(check.host.address)


def is_free(check: ServiceCheck) -> bool:
    """Say whether a check goes to something that is not its host: that takes a permission of its own."""
    if check.kind not in ON_NETWORK:
        return False
    if check.kind == K.DNS and not check.target and not _has_address(check):
        return True  # the portal's own resolver knows names that are not everybody's
    try:
        written = check_texts.host_of(check.kind, check.target) if check.target else ""
    except ValidationError:
        return True
    return bool(written) and not is_own(check, written)


def may_aim_freely(user: Any) -> bool:
    """Say whether a user may check addresses that are no hosts."""
    return everywhere(user, FREE_PERMISSION)


def same_place(first: str, second: str) -> bool:
    """Say whether two addresses lead to the same scheme, host and port."""
    one, other = urlsplit(first), urlsplit(second)
    return (one.scheme, one.netloc.lower()) == (other.scheme, other.netloc.lower())
