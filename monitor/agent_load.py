"""How much of the intake is taken: by all together, by each agent, and by those who have not proved who they are."""

import ipaddress
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from adminset.errors import DomainError, Unavailable
from cmdb.services.recent import Recent

WINDOW_SECONDS = 60
MOST_ADDRESSES = 50_000
# Who has an IPv6 network has all of its addresses.
IPV6_PREFIX = 64


@dataclass
class Load:
    """How much is on its way through this process, and how much may be.

    Attributes:
        most_requests, most_bytes: more than these are turned away before they are read.
    """

    most_requests: int
    most_bytes: int = 0
    requests: int = 0
    bytes: int = 0
    refused: int = 0

    def enter(self) -> None:
        """Count a request in.

        Raises:
            Unavailable: there are too many.
        """
        if self.requests >= self.most_requests or self.bytes > self.most_bytes:
            self.refused += 1
            raise too_busy()
        self.requests += 1

    def hold(self, more: int) -> None:
        """Count bytes that a request holds from now on; they count even where it is turned away, until it leaves.

        Raises:
            Unavailable: there are too many.
        """
        self.bytes += more
        if self.bytes > self.most_bytes:
            self.refused += 1
            raise too_busy()

    def leave(self, held: int) -> None:
        """Count a request out, with the bytes that it held."""
        self.requests -= 1
        self.bytes -= held

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Count a request that holds nothing, as long as it is here."""
        self.enter()
        try:
            yield
        finally:
            self.leave(0)


@dataclass(slots=True)
class _Share:
    requests: int = 0
    bytes: int = 0


@dataclass
class Shares:
    """How much each agent has on its way: one alone must not take what is there for all.

    Attributes:
        most_requests: of one agent.
        most_bytes: of one agent that has several requests on their way; a single one may hold what a report may hold.
    """

    most_requests: int
    most_bytes: int
    shares: dict[Hashable, _Share] = field(default_factory=dict)

    def enter(self, who: Hashable) -> None:
        """Count a request in.

        Raises:
            DomainError: 429, there are too many of its kind.
        """
        share = self.shares.get(who)
        if share is None:
            share = self.shares[who] = _Share()
        elif share.requests >= self.most_requests or share.bytes > self.most_bytes:
            raise _too_many_of_one()
        share.requests += 1

    def hold(self, who: Hashable, more: int) -> None:
        """Count bytes of a request, until it leaves.

        Raises:
            DomainError: 429, they are too many beside those of its other requests.
        """
        share = self.shares[who]
        share.bytes += more
        if share.requests > 1 and share.bytes > self.most_bytes:
            raise _too_many_of_one()

    def leave(self, who: Hashable, held: int) -> None:
        """Count a request out, with the bytes that it held."""
        share = self.shares[who]
        share.requests -= 1
        share.bytes -= held
        if not share.requests:
            del self.shares[who]


class Misses:
    """Counts by address those who could not prove who they are: a flood of guesses is not even looked at.

    Args:
        most: in a minute.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts = Recent(WINDOW_SECONDS, MOST_ADDRESSES)

    def check(self, address: str) -> None:
        """Turn away whoever comes from where too many misses came from.

        Raises:
            DomainError: 429.
        """
        count: list[int] | None = self._counts.get(_network(address))
        if count is not None and count[0] >= self._most:
            raise DomainError(
                "Too many reports from this address have a wrong token.",
                "Send this one again in a minute.",
                code="too_many_attempts",
                status=429,
                retry_after=WINDOW_SECONDS,
            )

    def add(self, address: str) -> None:
        """Count a miss; the minute begins with the first."""
        network = _network(address)
        count: list[int] | None = self._counts.get(network)
        if count is None:
            self._counts.put(network, [1])
        else:
            count[0] += 1


def _network(address: str) -> str:
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Interface(f"{address.partition('%')[0]}/{IPV6_PREFIX}")
    except ValueError:
        return address
    mapped = found.ip.ipv4_mapped
    return str(mapped or found.network)


def too_busy() -> Unavailable:
    """Say that the portal takes no more at this moment; agents keep what they have."""
    return Unavailable(
        "The portal is busy with other reports.",
        "Send this one again in a while.",
        code="busy",
        retry_after=5,
    )


def _too_many_of_one() -> DomainError:
    return DomainError(
        "This agent has too many reports on their way.",
        "Send them one after the other.",
        code="too_many_at_once",
        status=429,
        retry_after=5,
    )
