"""One-time tickets by which a page comes to a terminal: for one user and sign-in, one session with its credential, one address."""

import hashlib
import json
import secrets
from typing import Any

from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from adminset import redis_door
from adminset.crypto import digest
from adminset.errors import DomainError, Unavailable
from tasks.models import TerminalSession
from tasks.terminal_models import OPENING_SECONDS

# The rest is for a page that draws itself first.
TICKET_SECONDS = OPENING_SECONDS - 30
# What was never issued may be as long as its sender likes.
LONGEST = 100


def mark_of(portal_session: str | None) -> str:
    """Give the mark by which a session of the portal is known again, "" for none; nobody signs in with it."""
    return digest(portal_session) if portal_session else ""


def issue(
    session: TerminalSession, user: Any, address: str, portal_session: str | None = None
) -> str:
    """Give a ticket for a session that is open; it is good for one socket, within a minute.

    It goes into the socket's first message, never into an address, which logs would keep.

    Args:
        portal_session: the key of the portal's session that asks; the socket has to come with the same one.

    Raises:
        Unavailable: Redis is away.
    """
    text = secrets.token_urlsafe(32)
    bound = json.dumps(_bound(session, user, address, mark_of(portal_session)))
    try:
        redis_door.put_ticket(_name(text), bound, TICKET_SECONDS)
    except RedisError as error:
        raise _away() from error
    return text


def redeem(
    text: str, user: Any, address: str, key: str, portal_session: str | None = None
) -> TerminalSession:
    """Take a ticket and give its session; whatever was wrong, it is not good for a second try.

    Args:
        key: of the session to which the socket leads.
        portal_session: the key of the portal's session that the socket came with.

    Raises:
        DomainError: it is none, was used, is too old, or belongs to another user, sign-in, session, credential or address
            (code `ticket`): one sentence for all of these.
        Unavailable: Redis is away.
    """
    try:
        kept = redis_door.take_ticket(_name(text)) if len(text) <= LONGEST else ""
    except RedisError as error:
        raise _away() from error
    session = TerminalSession.objects.filter(key=key).first()
    # One that no session of the portal asked for is bound to none.
    marks = {mark_of(portal_session), ""}
    if (
        session is None
        or not kept
        or json.loads(kept) not in [_bound(session, user, address, m) for m in marks]
    ):
        raise DomainError(
            _(
                "This ticket does not open the terminal: it was used, is too old, or is not yours."
            ),
            _("Open the terminal from its page again."),
            code="ticket",
            status=403,
        )
    return session


def _bound(session: TerminalSession, user: Any, address: str, mark: str) -> list[Any]:
    return [session.key, user.pk, session.credential_id, address, mark]


def _name(text: str) -> str:
    # Whoever reads Redis comes in with none of them.
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"terminal:{digest}"


def _away() -> Unavailable:
    return Unavailable(
        _("No terminal can be opened: Redis is away."),
        _("Try again in a while, or tell an administrator."),
        code="redis_away",
    )
