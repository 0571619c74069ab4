"""What agents may do: enrol, prove who they are, report. And what people may do with agents."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import Actor
from adminset.crypto import digest, digest_matches
from adminset.errors import DomainError
from cmdb import facts as reading
from cmdb.evidence import Evidence
from cmdb.models import Agent, EnrolmentToken
from cmdb.services import admission, tokens
from cmdb.services import identity as identities
from cmdb.services.reports import write_facts

REMEMBER_SECONDS = 5.0
REMEMBER_AGENTS = 10_000
TOUCH_SECONDS = 30.0

create_enrolment_token = tokens.create_enrolment_token


@dataclass(frozen=True)
class AgentIdentity:
    """An agent that has proved who it is."""

    pk: int
    host_id: int
    public_id: str


class _Recent:
    """Keeps a bounded number of things for some seconds, in this process."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Any, tuple[float, Any]] = OrderedDict()

    def get(self, key: Any) -> Any:
        """Give what is kept under a key, None when there is nothing or it is too old."""
        until, value = self._kept.get(key, (0.0, None))
        return value if time.monotonic() < until else None

    def put(self, key: Any, value: Any) -> None:
        """Keep a value; the oldest one makes room."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (time.monotonic() + self._seconds, value)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()


_proved = _Recent(REMEMBER_SECONDS, REMEMBER_AGENTS)
_touched = _Recent(TOUCH_SECONDS, REMEMBER_AGENTS)


def forget_recent() -> None:
    """Forget what this process remembers of agents; other processes do so within 5 seconds."""
    _proved.clear()
    _touched.clear()


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
        Conflict: the machine looks like one that still reports (clone_suspected), or like several.
    """
    known = reading.clean(facts)
    evidence = Evidence.read(identity, known.get("virtualisation", ""))
    try:
        with transaction.atomic():
            token = tokens.find(plain_token)
            admission.ensure_network(token=token, address=address)
            boot = reading.plain_text(boot_id, 64)
            agent, problem = _first_report_again(token, evidence, boot), ""
            if agent is None:
                tokens.use(token)
                agent, problem = _new_agent(token, evidence, known)
            agent.boot_id = boot
            agent.address = reading.plain_address(address) or None
            return agent, _give_secret(agent, problem)
    except DomainError as error:
        if error.status in {403, 409}:
            admission.note_refusal(plain_token=plain_token, error=error)
        raise


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


# ---- Reports


def authenticate(agent_id: str, secret: str) -> AgentIdentity:
    """Say which agent speaks; what was found holds for 5 seconds in this process, a refusal is never kept.

    Raises:
        DomainError: 401 unknown or revoked, 403 wrong secret, 503 not let in yet.
    """
    key = (agent_id, digest(secret))
    known: AgentIdentity | None = _proved.get(key)
    if known is not None:
        return known
    settled = Q(host__isnull=False) | Q(approved_at=None)
    rows = Agent.objects.filter(settled, revoked_at=None)
    # Hostile text must not even reach the database: PostgreSQL refuses a NUL by an error.
    known_form = agent_id if agent_id.isalnum() else ""
    agent = (
        rows.filter(public_id=known_form)
        .only("public_id", "host_id", "secret_hash", "approved_at")
        .first()
    )
    if not agent:
        raise DomainError(
            _("This agent is unknown or revoked."),
            _("Enrol it again with a new enrolment token."),
            code="unknown_agent",
            status=401,
        )
    if not digest_matches(secret, agent.secret_hash):
        raise DomainError(tokens.WRONG_TOKEN, code="wrong_token", status=403)
    if agent.approved_at is None or agent.host_id is None:
        raise admission.waiting_error()
    found = AgentIdentity(agent.pk, agent.host_id, agent.public_id)
    _proved.put(key, found)
    return found


def touch(
    *, agent_id: int, boot_id: str, address: str, clock_offset: float | None
) -> None:
    """Note that an agent (by its pk) has spoken: one UPDATE in 30 seconds at most, however often it speaks.

    Args:
        clock_offset: seconds by which the host's clock is ahead of ours.
    """
    key = (agent_id, boot_id)
    if _touched.get(key) is None:
        _touched.put(key, True)
        _seen(agent_id, boot_id, address, clock_offset, {})


def _seen(
    agent_id: int,
    boot_id: str,
    address: str,
    clock_offset: float | None,
    more: Mapping[str, Any],
) -> None:
    Agent.objects.filter(pk=agent_id).update(
        last_seen_at=timezone.now(),
        boot_id=reading.plain_text(boot_id, 64),
        address=reading.plain_address(address) or None,
        clock_offset_seconds=clock_offset,
        **more,
    )


def absorb_facts(
    *,
    agent: AgentIdentity,
    facts: Mapping[str, Any],
    identity: Mapping[str, Any],
    boot_id: str,
    sent_at: float,
    address: str,
) -> str:
    """Take a facts report: "unchanged" moves "last seen" only; "changed" writes the host and one audit line.

    Args:
        sent_at: Unix seconds by the host's clock.

    Raises:
        DomainError: 401, the agent was revoked meanwhile.
    """
    known = reading.clean(facts)
    evidence = Evidence.read(identity, known.get("virtualisation", ""))
    new_hash = reading.fingerprint(known, evidence.as_dict())
    offset = round(sent_at - timezone.now().timestamp(), 1)
    seen = (boot_id, address, offset)
    old_hash = Agent.objects.filter(pk=agent.pk).values_list("facts_hash", flat=True)
    if list(old_hash) == [new_hash]:
        _seen(agent.pk, *seen, {"facts_at": timezone.now()})
        return "unchanged"
    with transaction.atomic():
        row = _held(agent)
        changes = write_facts(row.host, known)
        identities.remember(row.host, evidence)
        more: dict[str, Any] = {
            "identity": evidence.as_dict(),
            "facts_hash": new_hash,
            "facts_at": timezone.now(),
            "version": known.get("agent_version", ""),
        }
        _seen(agent.pk, *seen, more)
        if changes:
            audit.record(row, "host.report", row.host, changes=changes)
    return "changed"


def _held(agent: AgentIdentity) -> Any:
    # The row alone: PostgreSQL locks no outer join, and MariaDB knows no OF.
    rows = Agent.objects.select_for_update()
    row = rows.filter(pk=agent.pk, host_id=agent.host_id, revoked_at=None).first()
    if row is None:
        raise DomainError(
            _("This agent was revoked meanwhile."), code="unknown_agent", status=401
        )
    return row


# ---- People


@transaction.atomic
def revoke(*, actor: Actor, agent: Agent) -> None:
    """End an agent: what it sends is refused within 5 seconds."""
    if agent.revoked_at is None:
        agent.revoked_at = timezone.now()
        agent.save(update_fields=["revoked_at", "updated_at"])
        audit.record(actor, "agent.revoke", agent)
    transaction.on_commit(forget_recent)
