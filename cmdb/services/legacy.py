"""What machines with agents of AdminSet report: taken in like any other report, under an agent that a person has let in."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit, networks
from adminset.errors import DomainError, Forbidden
from cmdb import facts as reading
from cmdb import legacy_facts
from cmdb.evidence import Evidence, normal_serial
from cmdb.legacy_models import LegacyMachine
from cmdb.models import Agent
from cmdb.services.agent_proofs import AgentIdentity
from cmdb.services.agent_reports import absorb_facts

RETRY_SECONDS = 300


def collect(*, payload: Mapping[str, Any], address: str) -> str:
    """Take what an old agent says of its machine: "waiting", until a person lets it in; then "changed" or "unchanged".

    Args:
        address: where the report comes from.

    Raises:
        KeyError, ValueError: the report lacks a key, or its host name is none.
        Forbidden: from a network whose machines may not enrol, or a person has turned the machine away.
        DomainError: there are as many such machines as there may be.
    """
    known = legacy_facts.read(payload)
    serial = normal_serial(known.get("serial"))
    told = (known, serial, reading.plain_address(address))
    try:
        machine = _machine(*told)
    except IntegrityError:
        # It came in twice at once; the second time it is known.
        machine = _machine(*told)
    agent = machine.agent
    if agent.revoked_at is not None:
        raise Forbidden(_("This machine was turned away."), code="unknown_agent")
    if agent.approved_at is None or agent.host_id is None:
        _wait(agent, known, told[2])
        return "waiting"
    return absorb_facts(
        agent=AgentIdentity(agent.pk, agent.host_id, agent.public_id),
        facts=known,
        identity={"serial": serial},
        boot_id="",
        sent_at=timezone.now().timestamp(),
        address=address,
    )


@transaction.atomic
def _machine(known: dict[str, Any], serial: str, address: str) -> LegacyMachine:
    rows = LegacyMachine.objects.select_related("agent")
    found = rows.filter(hostname=known["hostname"], serial=serial).first()
    if found is not None:
        return found
    if not networks.admits(settings.ENROL_NETWORKS, address):
        raise Forbidden(_("Agents may not enrol from this network."))
    if LegacyMachine.objects.count() >= settings.LEGACY_MAX_AGENTS:
        raise DomainError(
            _("More machines with old agents may not come in."),
            _("Raise ADMINSET_LEGACY_MAX_AGENTS."),
            status=429,
            retry_after=RETRY_SECONDS,
        )
    # Without a secret nobody can speak as this agent by our own protocol.
    agent = Agent.objects.create(
        identity=Evidence.read({"serial": serial}).as_dict(),
        claims=known,
        version=known.get("agent_version", ""),
        address=address or None,
        last_seen_at=timezone.now(),
        approved_at=None,
    )
    audit.record(agent, "agent.wait", agent, reason=_("has an agent of AdminSet"))
    return LegacyMachine.objects.create(
        hostname=known["hostname"], serial=serial, agent=agent
    )


def _wait(agent: Agent, known: dict[str, Any], address: str) -> None:
    Agent.objects.filter(pk=agent.pk, approved_at=None).update(
        claims=known, address=address or None, last_seen_at=timezone.now()
    )


def speaking(*, hostname: str, address: str) -> AgentIdentity | None:
    """Give the agent of the machine that sends measurements under a host name; None: it is not let in, or not told apart.

    A name that several machines have is theirs by the address that their reports come from.
    """
    rows = LegacyMachine.objects.filter(
        hostname=hostname,
        agent__revoked_at=None,
        agent__approved_at__isnull=False,
        agent__host__isnull=False,
    ).select_related("agent")
    found = [machine.agent for machine in rows[:100]]
    if len(found) > 1:
        found = [agent for agent in found if agent.address == address]
    if len(found) != 1:
        return None
    (agent,) = found
    return AgentIdentity(agent.pk, agent.host_id or 0, agent.public_id)
