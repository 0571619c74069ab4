"""How far a request of ours may go: which addresses, for how long, and to which one of them."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from adminset import networks

# Addresses of these ranges carry an IPv4 address inside: what counts is that one.
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Not public either, though this Python says so: protocol assignments, documentation.
NOT_PUBLIC = [
    ipaddress.ip_network("192.0.0.0/24"),
    ipaddress.ip_network("3fff::/20"),
]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Reach:
    """What one request may do.

    Attributes:
        networks: where it may go besides public addresses and ADMINSET_OUTBOUND_ALLOWED_NETWORKS.
        address: where it goes, whatever the name resolves to; it must be allowed like any other.
        seconds: patience; the setting's where it is None.
        verify: whether a TLS server must prove its name.
        cut: a longer answer is cut instead of refused.
    """

    networks: Sequence[str] = ()
    address: str = ""
    seconds: float | None = None
    verify: bool = True
    cut: bool = False

    @property
    def patience(self) -> float:
        """Seconds to wait."""
        return self.seconds or settings.OUTBOUND_TIMEOUT_SECONDS


OUTSIDE = Reach()


def is_allowed(address: str, further: Sequence[str] = ()) -> bool:
    """Say whether the portal may connect to an address: public ones, and those of the allowed networks.

    Args:
        further: networks that are allowed besides those of ADMINSET_OUTBOUND_ALLOWED_NETWORKS.
    """
    found = _plain(ipaddress.ip_address(address.partition("%")[0]))
    if networks.holds([*settings.OUTBOUND_ALLOWED_NETWORKS, *further], str(found)):
        return True
    if isinstance(found, ipaddress.IPv6Address) and found.is_site_local:
        return False
    public = found.is_global and not found.is_multicast and not found.is_reserved
    return public and not any(found in network for network in NOT_PUBLIC)


def _plain(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
