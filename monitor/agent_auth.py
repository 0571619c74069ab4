"""Who reports: read from the request's head, proved without a query where that was done a moment ago."""

from django.utils.translation import gettext as _

from adminset import maintenance
from adminset.errors import DomainError, Unavailable
from cmdb.services import agents
from cmdb.services.agents import AgentIdentity
from monitor import watching

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
    """Say who reports; looks at the database, each 2 seconds at least.

    Raises:
        DomainError: 401 unknown or revoked, 403 wrong secret, 503 not let in yet, or the portal is in maintenance.
        DatabaseError: the database is away.
    """
    global _shut
    agent_id, _dot, secret = bearer(header).partition(".")
    state = maintenance.state()
    _shut = bool(state)
    if _shut:
        raise Unavailable(
            _("The portal is in maintenance."),
            state.get("message") or _("Come back in a while."),
            code="maintenance",
            retry_after=maintenance.RETRY_SECONDS,
        )
    watching.look()
    return agents.authenticate(agent_id, secret)
