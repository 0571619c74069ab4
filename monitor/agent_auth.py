"""Who reports: read from the request's head, proved without a query where that was done a moment ago."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from adminset import maintenance
from adminset.errors import DomainError, Unavailable
from cmdb.services import agents
from cmdb.services.agents import AgentIdentity
from monitor import watching
from monitor.packages import asking

_shut = False


def bearer(header: str) -> str:
    """Read the token of an Authorization header.

    Raises:
        DomainError: 401, there is none.
    """
    scheme, _space, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise DomainError(
            _("There is no token."),
            _("Send Authorization: Bearer <agent id>.<secret>; enrol the agent first."),
            code="no_token",
            status=401,
        )
    return token.strip()


def recall(header: str) -> AgentIdentity | None:
    """Give who reports if that needs no query; None where `prove` has to be asked.

    Raises:
        DomainError: 401, there is no token.
    """
    agent_id, _dot, secret = bearer(header).partition(".")
    return None if _shut else agents.recall(agent_id, secret)


def prove(header: str) -> AgentIdentity:
    """Say who reports; see `prove_many`.

    Raises:
        DomainError: 401 unknown or revoked, 403 wrong secret, 503 not let in yet, or the portal is in maintenance.
        DatabaseError: the database is away.
    """
    bearer(header)
    (found,) = prove_many([header])
    if isinstance(found, DomainError):
        raise found
    return found


def prove_many(headers: Sequence[str]) -> list[AgentIdentity | DomainError]:
    """Say who reports, for many at once; looks at the database, each 2 seconds at least.

    Args:
        headers: each has a token (`bearer`).

    Returns:
        who each is, or why it is refused.

    Raises:
        DatabaseError: the database is away.
    """
    global _shut
    state = maintenance.state()
    _shut = bool(state)
    if _shut:
        return [_in_maintenance(state.get("message"))] * len(headers)
    watching.look_beside()
    asking.look()
    claims = [bearer(header).partition(".") for header in headers]
    return agents.authenticate_many(
        [(agent_id, secret) for agent_id, _dot, secret in claims]
    )


def _in_maintenance(message: str | None) -> Unavailable:
    return Unavailable(
        _("The portal is in maintenance."),
        message or _("Come back in a while."),
        code="maintenance",
        retry_after=maintenance.RETRY_SECONDS,
    )
