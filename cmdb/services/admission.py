"""Who is let in (准入): from which networks agents enrol, and those that wait until somebody admits or refuses them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from adminset import audit, networks
from adminset.audit import Actor
from adminset.errors import Conflict, DomainError, Unavailable
from adminset.models import AuditEntry
from adminset.querysets import scope_of
from cmdb import facts as reading
from cmdb.evidence import Evidence
from cmdb.models import Agent, AssetStatus, EnrolmentToken, Host, IdentityConflict
from cmdb.services import conflicts
from cmdb.services import identity as identities
from cmdb.services.reports import write_facts

WAITING_RETRY_SECONDS = 60


def ensure_network(*, token: EnrolmentToken, address: str) -> None:
    """Let an enrolment pass only from where the portal and the token allow it.

    Raises:
        DomainError: 403, it comes from elsewhere.
    """
    allowed = (settings.ENROL_NETWORKS, token.networks)
    if not all(networks.admits(each, address) for each in allowed):
        raise DomainError(
            _("Agents may not enrol from %(address)s.") % {"address": address or "-"},
            _("Enrol from an allowed network, or have it added to the token."),
            code="network_refused",
            status=403,
        )


def note_refusal(*, plain_token: str, error: DomainError) -> None:
    """Tell the trail of a refused enrolment, once an hour for each reason: the machine will try again every few minutes."""
    actor = audit.SystemActor(f"enrolment token {plain_token.partition('.')[0][:16]}")
    recent = AuditEntry.objects.filter(
        verb="agent.refuse",
        actor_name=actor.audit_name,
        reason=str(error)[:500],
        at__gt=timezone.now() - timedelta(hours=1),
    )
    if not recent.exists():
        audit.record(actor, "agent.refuse", reason=str(error))


def waiting_error() -> Unavailable:
    """Say to an agent that it has to wait: it keeps what it has and asks again."""
    return Unavailable(
        _("This agent waits until somebody lets it in."),
        _("Let it in or refuse it on the page of agents."),
        code="waiting_for_approval",
        retry_after=WAITING_RETRY_SECONDS,
    )


def hosts_of_token(token: EnrolmentToken) -> QuerySet[Host]:
    """Give the hosts that an agent may be given by its token alone: those of its group, if it has one."""
    rows = Host.objects.all()
    return rows.filter(groups=token.group_id) if token.group_id else rows


def hosts_of(actor: Actor) -> QuerySet[Host]:
    """Give the hosts that an agent may be given by a person: those whose agents the person may change."""
    if not isinstance(actor, User):
        return Host.objects.all()
    scope, rows = scope_of(actor, "cmdb.change_agent"), Host.objects.all()
    if scope.everything:
        return rows
    return rows.within(scope, "change") if scope else rows.none()


def foresee(*, actor: Actor, agent: Agent) -> str:
    """Say what would come of letting a waiting agent in: its host, or what stands in the way; "" for any other agent."""
    if not agent.is_waiting:
        return ""
    try:
        found = identities.match(Evidence.read(agent.identity), hosts_of(actor))
    except Conflict as error:
        return f"{error.message} {error.hint}"
    host = found.host
    if host is None:
        return _("Let in, it becomes a new host.")
    return _("Let in, it speaks for %(host)s from then on.") % {"host": host}


def settle(
    *,
    actor: Actor,
    agent: Agent,
    evidence: Evidence,
    known: Mapping[str, Any],
    within: QuerySet[Host],
) -> Host:
    """Give an agent its host: the one that its machine already is, else a new one; write what it found.

    Args:
        within: hosts that it may be given; see hosts_of_token, hosts_of.

    Raises:
        OutOfReach: the machine is a host beyond these; nothing is written.
        Undecided: the machine looks like one that still reports, or like several.
    """
    found = identities.match(evidence, within)
    host, ruling = found.host, found.ruling
    if host is None:
        host, verb = discovered(agent, known), "host.discover"
    else:
        reimaged = identities.is_reimaged(host, evidence)
        verb = "host.reimage" if reimaged else "host.relink"
        detach_agents(actor=agent, host=host)
    changes = write_facts(host, dict(known))
    identities.remember(host, evidence)
    if ruling is not None:
        _note_use(ruling, host, evidence, own=found.host is None)
    agent.host = host
    agent.identity_key = None if ruling else _free_key(evidence)
    agent.version = known.get("agent_version", "")
    agent.facts_hash = reading.fingerprint(dict(known), agent.identity)
    agent.facts_at = timezone.now()
    audit.record(actor, verb, host, changes=changes, reason=str(agent.enrolment_token))
    return host


def _note_use(
    ruling: IdentityConflict, host: Host, evidence: Evidence, *, own: bool
) -> None:
    IdentityConflict.objects.filter(pk=ruling.pk).update(used_at=timezone.now())
    if own:
        # A person said that it is a machine of its own: what it shares with others tells nothing.
        identities.demote_shared(host, evidence)


def _free_key(evidence: Evidence) -> str | None:
    """Give the key of the evidence, taken from agents that have ended."""
    key = evidence.key()
    if key is not None:
        ended = Q(revoked_at__isnull=False) | Q(host=None)
        Agent.objects.filter(ended, identity_key=key).update(identity_key=None)
    return key


def discovered(agent: Agent, known: Mapping[str, Any]) -> Host:
    """Make the host of a machine that was never here."""
    statuses = AssetStatus.objects.filter(state="ok", monitored=True)
    host = Host.objects.create(
        hostname=known.get("hostname") or f"host-{agent.public_id[:8]}",
        status=statuses.order_by("pk").first(),
    )
    token = agent.enrolment_token
    if token is not None and token.group:
        host.groups.add(token.group)
    return host


def detach_agents(*, actor: Actor, host: Host) -> None:
    """End the agents of a host: another one speaks for it now."""
    for old in Agent.objects.select_for_update().filter(host=host):
        old.host = None
        old.revoked_at = old.revoked_at or timezone.now()
        old.save(update_fields=["host", "revoked_at", "updated_at"])
        audit.record(actor, "agent.revoke", old, reason="enrolled again")


def admit(*, actor: Actor, agent: Agent) -> Host:
    """Let a waiting agent in: only now it gets a host.

    Raises:
        Conflict: it does not wait any more, or its machine looks like one that still reports, or like one that the
            actor does not look after.
    """
    evidence = Evidence.read(agent.identity)
    known = reading.clean(agent.claims)
    try:
        return _admit(actor, agent, evidence, known)
    except identities.Undecided as error:
        conflicts.open_for(error, evidence=evidence, known=known)
        raise


@transaction.atomic
def _admit(
    actor: Actor, agent: Agent, evidence: Evidence, known: dict[str, Any]
) -> Host:
    held = _waiting(agent)
    host = settle(
        actor=actor,
        agent=held,
        evidence=evidence,
        known=known,
        within=hosts_of(actor),
    )
    held.approved_at = timezone.now()
    held.claims = {}
    held.save()
    audit.record(actor, "agent.admit", held)
    return host


@transaction.atomic
def refuse(*, actor: Actor, agent: Agent) -> None:
    """Send a waiting agent away for good; its machine needs another enrolment token to come again.

    Raises:
        Conflict: it does not wait any more.
    """
    held = _waiting(agent)
    held.revoked_at = timezone.now()
    held.save(update_fields=["revoked_at", "updated_at"])
    audit.record(actor, "agent.turn_away", held)


def _waiting(agent: Agent) -> Agent:
    held = Agent.objects.select_for_update().filter(pk=agent.pk)
    found: Agent | None = held.waiting().first()
    if found is None:
        raise Conflict(
            _("%(name)s does not wait any more.") % {"name": agent},
            _("Load the page anew: somebody else may have decided."),
        )
    return found
