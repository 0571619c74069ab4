"""IP addresses and networks as text that every database sorts and compares as numbers: fixed width for each version."""

import ipaddress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
KEY_LENGTH = 33
# What more digits would say nothing of: the first of a key is the version, the others are hexadecimal.
HEX_DIGITS = {4: 8, 6: 32}


def read(text: str) -> Address:
    """Read an address; an IPv4 address written as IPv6 (::ffff:10.1.2.3) is one of IPv4.

    Raises:
        ValueError: it is none.
    """
    found = ipaddress.ip_address(text.strip())
    return getattr(found, "ipv4_mapped", None) or found


def key_of(address: Address) -> str:
    """Give the sort key of an address: "40a010203" is 10.1.2.3."""
    return key_at(address.version, int(address))


def key_at(version: int, number: int) -> str:
    """Give the sort key of the address with a number."""
    return f"{version}{number:0{HEX_DIGITS[version]}x}"


def address_at(version: int, number: int) -> Address:
    """Give the address with a number."""
    return (
        ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number)
    )


def number_of(key: str) -> int:
    """Give the number of the address with a key."""
    return int(key[1:], 16)


@dataclass(frozen=True)
class Span:
    """The addresses of a network that machines can have: without network and broadcast address, where it has such.

    Attributes:
        version: 4 or 6.
        first, last: numbers of the first and the last one.
    """

    version: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many there are."""
        return self.last - self.first + 1


def usable(network: Network) -> Span:
    """Give the addresses that machines of a network can have (RFC 3021 and 6164 for the smallest networks)."""
    first, last = int(network.network_address), int(network.broadcast_address)
    if last - first > 1:
        # The lowest address of an IPv6 network belongs to its routers; there is no broadcast.
        first, last = first + 1, last - (network.version == 4)
    return Span(network.version, first, last)


def is_registered(address: Address) -> bool:
    """Say whether an address is one that a network hands out: no loopback, link-local, multicast or unspecified one."""
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
    )
