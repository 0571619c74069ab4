"""Opens conflicts of identity: once for the same machine and reason, counted when it comes again."""

import hashlib
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from adminset import audit
from adminset.audit import Actor, SystemActor
from cmdb import facts as reading
from cmdb.evidence import Evidence
from cmdb.models import Agent, Host, IdentityConflict
from cmdb.services import provenance
from cmdb.services.identity import Undecided

ENROLMENT = SystemActor("enrolment")
MOST_TOLD = 5


def open_for(
    error: Undecided,
    *,
    evidence: Evidence,
    known: dict[str, Any],
    address: str = "",
) -> IdentityConflict:
    """Put a machine that was refused into the queue; call it outside the transaction that the refusal undid."""
    return open_(
        kind=error.kind,
        hosts=error.hosts,
        evidence=evidence,
        known=known,
        address=address,
    )


def open_(
    *,
    kind: IdentityConflict.Kind,
    hosts: list[Host],
    evidence: Evidence,
    known: dict[str, Any],
    agent: Agent | None = None,
    address: str = "",
) -> IdentityConflict:
    """Open a conflict, or count the one that is open or was dismissed for the same evidence.

    Args:
        known: clean facts: what the machine says it is.
        agent: the agent that reported them; None when the machine enrols.
    """
    return _open(
        kind,
        _fingerprint(evidence, agent),
        hosts,
        evidence=evidence.as_dict(),
        claims=known,
        agent=agent,
        address=reading.plain_address(address) or None,
    )


def _fingerprint(evidence: Evidence, agent: Agent | None) -> str:
    """Hash what makes it the same conflict: for a known agent, its machine may differ in other ways for other hosts."""
    mine = evidence.fingerprint()
    if agent is None:
        return mine
    return hashlib.sha256(f"{agent.public_id} {mine}".encode()).hexdigest()


def open_credential(*, agent: Agent, boot_id: str, address: str) -> IdentityConflict:
    """Open the conflict of an agent whose credential another machine uses too."""
    told = f"{agent.public_id} {boot_id}"
    return _open(
        IdentityConflict.Kind.CREDENTIAL,
        hashlib.sha256(told.encode()).hexdigest(),
        [agent.host] if agent.host else [],
        claims={"hostname": str(agent)[:253], "boot_id": boot_id},
        agent=agent,
        address=reading.plain_address(address) or None,
    )


def _open(
    kind: IdentityConflict.Kind, fingerprint: str, hosts: list[Host], **fields: Any
) -> IdentityConflict:
    known = _counted(kind, fingerprint, fields["claims"])
    if known is not None:
        return known
    try:
        with transaction.atomic():
            row = IdentityConflict.objects.create(
                kind=kind,
                fingerprint=fingerprint,
                open_key=f"{kind}:{fingerprint}",
                **fields,
            )
            row.hosts.set(hosts)
            actor: Actor = fields["agent"] or ENROLMENT
            told = [_told(hosts[:MOST_TOLD])] if hosts else []
            audit.record(actor, "identityconflict.open", row, changes=told)
            provenance.refresh_dispute(hosts)
            return row
    except IntegrityError:
        # Another request opened it a moment ago.
        return IdentityConflict.objects.get(open_key=f"{kind}:{fingerprint}")


def _counted(
    kind: IdentityConflict.Kind, fingerprint: str, claims: dict[str, Any]
) -> IdentityConflict | None:
    quiet = ("", IdentityConflict.Verdict.DISMISS)
    rows = IdentityConflict.objects.filter(
        kind=kind, fingerprint=fingerprint, verdict__in=quiet
    )
    found: IdentityConflict | None = rows.first()
    if found is not None:
        rows.filter(pk=found.pk).update(
            seen_at=timezone.now(), seen_count=F("seen_count") + 1, claims=claims
        )
    return found


def _told(hosts: list[Host]) -> audit.Change:
    """Name hosts with their keys: the reader of the line sees those in his reach only."""
    return {
        "field": "hosts",
        "old": None,
        "new": [str(host) for host in hosts],
        "old_id": None,
        "new_id": [host.pk for host in hosts],
    }
