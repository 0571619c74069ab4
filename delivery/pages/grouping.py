"""The hosts of a deploy by batch and by how far they came, so that a thousand read as a few rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from delivery.models import DeployHost

# What needs a look first.
ORDER = (
    "failed",
    "unreachable",
    "rolled_back",
    "switched",
    "received",
    "waiting",
    "left",
    "ok",
)
# Hosts of a group that are named.
NAMED = 12


@dataclass
class Group:
    """Hosts of one batch that stand alike and say the same.

    Attributes:
        named: the first of them. sent, total: bytes of all of them.
    """

    batch: int
    status: str
    state: str
    label: str
    explanation: str
    count: int = 0
    sent: int = 0
    total: int = 0
    named: list[DeployHost] = field(default_factory=list)
    moves: set[tuple[str, str]] = field(default_factory=set)

    @property
    def number(self) -> int:
        """Its batch, counted from 1."""
        return self.batch + 1

    @property
    def unnamed(self) -> int:
        """How many are not named."""
        return self.count - len(self.named)

    @property
    def percent(self) -> float | None:
        """How much of the bytes is sent, 0 to 100; None where none are."""
        return min(100 * self.sent / self.total, 100.0) if self.total else None

    def take(self, host: DeployHost) -> None:
        """Count a host in."""
        self.count += 1
        self.sent += host.sent_bytes
        self.total += host.total_bytes
        if len(self.named) < NAMED:
            self.named.append(host)
        self.moves.add((host.from_release or "", host.now_release or ""))


def groups_of(hosts: Iterable[DeployHost]) -> list[Group]:
    """Group hosts by batch, status and what is said of them."""
    found: dict[tuple[int, str, str], Group] = {}
    for host in hosts:
        key = (host.batch, host.status, host.explanation)
        if key not in found:
            label = str(host.get_status_display())
            found[key] = Group(
                host.batch, host.status, host.state, label, host.explanation
            )
        found[key].take(host)
    return sorted(
        found.values(), key=lambda g: (g.batch, ORDER.index(g.status), -g.count)
    )


def counts_of(groups: Iterable[Group]) -> list[Group]:
    """Add the groups of each status up, over all batches."""
    found: dict[str, Group] = {}
    for group in groups:
        kept = found.setdefault(
            group.status, Group(0, group.status, group.state, group.label, "")
        )
        kept.count += group.count
    return sorted(found.values(), key=lambda g: ORDER.index(g.status))
