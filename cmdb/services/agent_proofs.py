"""Who an agent is: by its id and secret, remembered, and asked of the database for many at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from adminset.crypto import digest, digest_matches
from adminset.errors import DomainError
from cmdb.clock_steps import ClockSteps, read_steps
from cmdb.models import Agent
from cmdb.services import admission, standing, tokens
from cmdb.services.recent import forget_recent, proved


@dataclass(frozen=True)
class AgentIdentity:
    """An agent that has proved who it is.

    Attributes:
        refused: boot ids of machines that use a copy of its credential.
        boot_id: the one that spoke last, some minutes ago at worst.
        clock_steps: see monitor/clocks.py.
        key: under which it is remembered.
    """

    pk: int
    host_id: int
    public_id: str
    refused: tuple[str, ...] = ()
    boot_id: str = ""
    clock_steps: ClockSteps = ()
    key: tuple[str, str] = field(default=("", ""), repr=False, compare=False)


def recall(agent_id: str, secret: str) -> AgentIdentity | None:
    """Give the agent that proved itself before, without asking the database; None where that has to be asked."""
    if not standing.is_fresh():
        return None
    known: AgentIdentity | None = proved.get((agent_id, digest(secret)))
    return known


def authenticate(agent_id: str, secret: str) -> AgentIdentity:
    """Say which agent speaks; see `authenticate_many`.

    Raises:
        DomainError: 401 unknown or revoked, 403 wrong secret, 503 not let in yet.
    """
    (found,) = authenticate_many([(agent_id, secret)])
    if isinstance(found, DomainError):
        raise found
    return found


def authenticate_many(
    claims: Sequence[tuple[str, str]],
) -> list[AgentIdentity | DomainError]:
    """Say which agents speak: one query for all that are not remembered.

    What was found is remembered, and a change of it is seen within 2 seconds; a refusal is never kept.

    Args:
        claims: agent id and secret of each.

    Returns:
        who each is, or why it is refused: 401 unknown or revoked, 403 wrong secret, 503 not let in yet.
    """
    standing.look()
    known = [proved.get((agent_id, digest(secret))) for agent_id, secret in claims]
    asked = {
        agent_id
        for (agent_id, _secret), found in zip(claims, known, strict=True)
        if found is None
    }
    rows = _rows(asked)
    return [
        found or _judged(rows.get(agent_id), agent_id, secret)
        for (agent_id, secret), found in zip(claims, known, strict=True)
    ]


def _rows(agent_ids: Collection[str]) -> dict[str, Agent]:
    # Hostile text must not even reach the database: PostgreSQL refuses a NUL by an error.
    ids = [each for each in agent_ids if each.isalnum()]
    if not ids:
        return {}
    settled = Q(host__isnull=False) | Q(approved_at=None)
    rows = Agent.objects.filter(settled, revoked_at=None, public_id__in=ids)
    return {row.public_id: row for row in rows}


def _judged(
    agent: Agent | None, agent_id: str, secret: str
) -> AgentIdentity | DomainError:
    if agent is None:
        return DomainError(
            _("This agent is unknown or revoked."),
            _("Enrol it again with a new enrolment token."),
            code="unknown_agent",
            status=401,
        )
    if not digest_matches(secret, agent.secret_hash) and not _took_next_secret(
        agent, secret
    ):
        return DomainError(tokens.WRONG_TOKEN, code="wrong_token", status=403)
    if agent.approved_at is None or agent.host_id is None:
        return admission.waiting_error()
    found = _identity(agent, agent.host_id, (agent_id, digest(secret)))
    proved.put(found.key, found)
    return found


def _identity(agent: Agent, host_id: int, key: tuple[str, str]) -> AgentIdentity:
    return AgentIdentity(
        pk=agent.pk,
        host_id=host_id,
        public_id=agent.public_id,
        refused=tuple(agent.refused_boots),
        boot_id=agent.boot_id,
        clock_steps=read_steps(agent.clock_steps),
        key=key,
    )


def _took_next_secret(agent: Agent, secret: str) -> bool:
    """Let a new secret take the place of the old one at its first use; False where it is not that."""
    new = agent.next_secret_hash
    if not new or not digest_matches(secret, new):
        return False
    rows = Agent.objects.filter(pk=agent.pk, next_secret_hash=new)
    rows.update(secret_hash=new, next_secret_hash="")
    forget_recent()
    return True
