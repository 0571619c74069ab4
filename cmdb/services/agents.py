"""What agents may do: enrol, prove who they are, report. And what people may do with agents."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from adminset import audit
from adminset.audit import Actor
from adminset.crypto import digest
from adminset.errors import DomainError
from cmdb import facts as reading
from cmdb.evidence import Evidence
from cmdb.models import Agent, EnrolmentToken
from cmdb.services import admission, conflicts, tokens
from cmdb.services import identity as identities
from cmdb.services.agent_proofs import (
    AgentIdentity,
    authenticate,
    authenticate_many,
    recall,
)
from cmdb.services.agent_reports import absorb_facts, ensure_no_copy, rotate, touch
from cmdb.services.recent import Recent, forget_recent

__all__ = [
    "AgentIdentity",
    "Recent",
    "absorb_facts",
    "authenticate",
    "authenticate_many",
    "create_enrolment_token",
    "enrol",
    "ensure_no_copy",
    "forget_recent",
    "recall",
    "revoke",
    "rotate",
    "touch",
]

create_enrolment_token = tokens.create_enrolment_token


# ---- Enrolment


def enrol(
    *,
    plain_token: str,
    identity: Mapping[str, Any],
    facts: Mapping[str, Any],
    boot_id: str,
    address: str,
) -> tuple[Agent, str]:
    """Let a machine in: gives its agent and the secret, which nobody can read again.

    A first report whose answer was lost may be sent again: it gets the same agent with a new secret. An agent whose
    machine is a host outside the token's group waits until somebody lets it in.

    Raises:
        DomainError: 401 or 403, the token is no good, or not from this network.
        Undecided: the machine looks like one that still reports (clone_suspected), or like several; a person decides.
    """
    known = reading.clean(facts)
    evidence = Evidence.read(identity, known.get("virtualisation", ""))
    boot = reading.plain_text(boot_id, 64)
    told = (plain_token, evidence, known, boot, reading.plain_address(address))
    try:
        return _enrol_again_if_raced(*told)
    except DomainError as error:
        if error.status in {403, 409}:
            admission.note_refusal(plain_token=plain_token, error=error)
        if isinstance(error, identities.Undecided):
            conflicts.open_for(error, evidence=evidence, known=known, address=address)
        raise


def _enrol_again_if_raced(*told: Any) -> tuple[Agent, str]:
    try:
        return _enrol(*told)
    except IntegrityError:
        # The same machine came in twice at once; the second time it is known.
        return _enrol(*told)


@transaction.atomic
def _enrol(
    plain_token: str,
    evidence: Evidence,
    known: dict[str, Any],
    boot: str,
    address: str,
) -> tuple[Agent, str]:
    token = tokens.find(plain_token)
    admission.ensure_network(token=token, address=address)
    agent, problem = _first_report_again(token, evidence, boot), ""
    if agent is None:
        tokens.use(token)
        agent, problem = _new_agent(token, evidence, known)
    agent.boot_id = boot
    agent.address = address or None
    return agent, _give_secret(agent, problem)


def _first_report_again(
    token: EnrolmentToken, evidence: Evidence, boot_id: str
) -> Agent | None:
    settled = Q(host__isnull=False) | Q(approved_at=None)
    agents = Agent.objects.filter(
        settled, enrolment_token=token, revoked_at=None, boot_id=boot_id
    )
    unheard = agents.filter(enrolled_at__gt=timezone.now() - timedelta(hours=1))
    for agent in unheard.order_by("-pk")[:50] if evidence.identifiers() else ():
        never_reported = agent.last_seen_at == agent.enrolled_at
        if never_reported and agent.identity == evidence.as_dict():
            return agent
    return None


def _new_agent(
    token: EnrolmentToken, evidence: Evidence, known: dict[str, Any]
) -> tuple[Agent, str]:
    """Make an agent; with what keeps it waiting, if its token would have let it in."""
    agent = Agent(enrolment_token=token, identity=evidence.as_dict())
    problem = ""
    if not token.needs_approval:
        try:
            admission.settle(
                actor=agent,
                agent=agent,
                evidence=evidence,
                known=known,
                within=admission.hosts_of_token(token),
            )
        except identities.OutOfReach as conflict:
            problem = conflict.message
        else:
            forget_recent()
            return agent, ""
    # No host is made or taken over before a person has looked.
    agent.approved_at, agent.claims = None, known
    return agent, problem


def _give_secret(agent: Agent, problem: str) -> str:
    secret = secrets.token_urlsafe(32)
    agent.secret_hash = digest(secret)
    agent.enrolled_at = agent.last_seen_at = timezone.now()
    agent.save()
    verb = "agent.enrol" if agent.approved_at else "agent.wait"
    audit.record(agent, verb, agent, reason=problem)
    return secret


# ---- People


@transaction.atomic
def revoke(*, actor: Actor, agent: Agent) -> None:
    """End an agent: what it sends is refused within 5 seconds."""
    if agent.revoked_at is None:
        agent.revoked_at = timezone.now()
        agent.save(update_fields=["revoked_at", "updated_at"])
        audit.record(actor, "agent.revoke", agent)
    transaction.on_commit(forget_recent)
