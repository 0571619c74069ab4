"""A facts report on its way: what says nothing new is known by its bytes, and taken together with others."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from cmdb import facts as reading
from cmdb.evidence import Evidence
from cmdb.services import agents, signs
from cmdb.services.agents import AgentIdentity
from cmdb.services.recent import Recent
from cmdb.services.signs import Repeated
from monitor.grouped_writes import Group
from monitor.intake import as_dict, parse_envelope, parse_facts
from monitor.metric_store import limits
from monitor.packages import asking, keeping
from monitor.reported_inventory import Packages
from monitor.side_threads import with_connections

KNOWN_SECONDS = 24 * 3600.0
MOST_KNOWN = 50_000
# Digest of the bytes of a report -> fingerprint of the facts in it.
fingerprints = Recent(KNOWN_SECONDS, MOST_KNOWN)


@dataclass(frozen=True, slots=True)
class ToldFacts:
    """A facts report, with its body for the case that it says something new.

    Attributes:
        arrived: Unix seconds.
        packages: their list, where the host was asked and sends one.
    """

    repeated: Repeated
    body: bytes
    arrived: float
    packages: Packages | None = None


def read(
    agent: AgentIdentity, body: bytes, *, address: str, arrived: float
) -> ToldFacts:
    """Read a facts report; one whose bytes are known is not read to the end.

    Args:
        body: inflated JSON.

    Raises:
        DomainError: it cannot be read, or a copy of another machine's credential speaks.
    """
    envelope = parse_envelope(body, limits(), arrived)
    agents.ensure_no_copy(agent, envelope.boot_id or "")
    digest = envelope.digest
    fingerprint: str | None = fingerprints.get(digest)
    if fingerprint is None:
        fingerprint = _fingerprint(body, arrived)
        fingerprints.put(digest, fingerprint)
    repeated = Repeated(
        agent=agent,
        fingerprint=fingerprint,
        boot_id=envelope.boot_id or "",
        sent_at=envelope.sent_at,
        address=address,
        seq=envelope.seq,
    )
    listed = _listed(body, arrived) if asking.was_asked(agent.host_id) else None
    return ToldFacts(repeated, body, arrived, listed)


def _listed(body: bytes, arrived: float) -> Packages | None:
    packages = parse_facts(body, limits(), arrived).facts.packages
    return packages if packages and packages.entries is not None else None


def _fingerprint(body: bytes, arrived: float) -> str:
    """Give what `agents.absorb_facts` would keep as the fingerprint of these facts."""
    report = parse_facts(body, limits(), arrived)
    known = reading.clean(as_dict(report.facts))
    evidence = Evidence.read(as_dict(report.identity), known.get("virtualisation", ""))
    return reading.fingerprint(known, evidence.as_dict())


def absorb(told: ToldFacts) -> str:
    """Take a report by itself, with its list of packages: "changed", "unchanged" or "stale"."""
    if told.packages is not None:
        keeping.keep(agent=told.repeated.agent, sent=told.packages)
    report = parse_facts(told.body, limits(), told.arrived)
    return agents.absorb_facts(
        agent=told.repeated.agent,
        facts=as_dict(report.facts),
        identity=as_dict(report.identity),
        boot_id=report.boot_id or "",
        sent_at=report.sent_at,
        address=told.repeated.address,
        seq=report.seq,
    )


def _absorb_group(reports: Sequence[Repeated]) -> list[bool]:
    return with_connections(lambda: signs.absorb_repeated(reports))


@functools.cache
def group() -> Group[Repeated, bool]:
    """Give the one group of this process."""
    return Group(
        "facts",
        _absorb_group,
        threads=1,
        window=settings.INTAKE_GROUP_MILLISECONDS / 1000,
        most=500,
    )
