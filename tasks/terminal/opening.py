"""Opening a terminal: who may, where, why; written down before a page comes for it with its ticket."""

import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from accounts.models import User
from adminset import audit, context
from adminset.audit import change_of
from adminset.errors import Conflict, DomainError, Forbidden, NotFound
from adminset.unseen import visible
from cmdb.logins import login_for
from cmdb.models import Credential, Host
from tasks.models import TerminalSession
from tasks.sites.ways import from_portal, login_of
from tasks.ssh.shell import Size
from tasks.targets import Target
from tasks.terminal import tickets
from tasks.terminal.judging import (
    OWNER,
    check_credential,
    check_host,
    check_way,
    critical_because,
    role_of,
)

TOGETHER = "tasks.together_terminalsession"
MOST_COLUMNS, MOST_ROWS = 1000, 500
USUAL_SIZE = Size(80, 24)


@dataclass(frozen=True)
class Wanted:
    """How a terminal is wanted.

    Attributes:
        credential: to sign in with, the host's own where None.
        become: as root (whom the credential becomes), not as its own user.
        reason: why; wanted on critical hosts.
        together: a word that all terminals opened in one page share (`new_key`) by who may type to several; "" for others.
    """

    credential: Credential | None = None
    become: bool = False
    reason: str = ""
    size: Size = USUAL_SIZE
    together: str = ""


def new_key() -> str:
    """Give a word that nobody guesses: the key of a session, or of several that are opened together."""
    return secrets.token_urlsafe(32)


def open_terminal(
    *,
    actor: Any,
    host: Host,
    wanted: Wanted | None = None,
    portal_session: str | None = None,
) -> tuple[TerminalSession, str]:
    """Write down a session, for which a page comes within a minute; give it and the ticket for that page.

    Args:
        portal_session: the key of the portal's session that asks: the owner comes back from there without a fresh proof.

    Raises:
        Forbidden: the actor may not open a terminal there, use the credential, or open several together.
        DomainError: no address, no credential, no reason on a critical host, a host that cannot be reached by terminals, a
            way to become root that is not there.
        Conflict: the actor has too many open.
        Unavailable: Redis is away.
    """
    wanted = wanted or Wanted()
    session = _judged(actor, host, wanted)
    session.portal_session = tickets.mark_of(portal_session)
    address = context.current.get().address
    # First, so that nothing is written where Redis is away, and no transaction waits for it.
    ticket = tickets.issue(session, actor, address, portal_session)
    with transaction.atomic():
        _check_count(actor)
        session.save()
        changes, reason = _words(session), session.reason
        audit.record(actor, "terminal.open", session, changes=changes, reason=reason)
    return session, ticket


def _judged(actor: Any, host: Host, wanted: Wanted) -> TerminalSession:
    """Ask whether the actor may open it, and give the session, not written yet."""
    check_host(actor, host)
    if wanted.together and not may_together(actor):
        raise Forbidden(
            _("You may not type to several hosts at once."),
            _("Ask for the permission tasks.together_terminalsession."),
            code="together_refused",
        )
    credential = wanted.credential or host.credential
    check_credential(actor, credential, host)
    check_way(host)
    reason = _reason(host, wanted.reason)
    return _session(actor, _with(host, credential), wanted, reason)


def open_for(actor: Any, pk: int) -> tuple[TerminalSession, str]:
    """Give a session that is open, and what the actor is there: owner, guest or watcher.

    Raises:
        NotFound: nobody's business of the actor, or over: why it ended is told to who has a role there.
    """
    session = TerminalSession.objects.filter(pk=pk).first()
    role = role_of(actor, session) if session is not None else ""
    if session is not None and role and session.is_open:
        return session, role
    why = visible(session.end_reason) if session is not None and role else ""
    raise NotFound(
        why or _("This terminal is not open any more."),
        _("Open a new one."),
        code="terminal_over",
    )


def ticket_for(
    *, actor: Any, session: TerminalSession, portal_session: str | None = None
) -> str:
    """Give a ticket for a session that is open: to come back to it, to watch it, to take part.

    Args:
        portal_session: the key of the portal's session that asks. Whoever calls has asked it for a fresh proof where that is
            due (`is_known_from`): from now on the owner comes back from there without one.

    Raises:
        NotFound: it is not open any more, or nobody's business of the actor.
        Unavailable: Redis is away.
    """
    fresh, role = open_for(actor, session.pk)
    address = context.current.get().address
    ticket = tickets.issue(fresh, actor, address, portal_session)
    if role == OWNER and portal_session and not is_known_from(fresh, portal_session):
        mark = tickets.mark_of(portal_session)
        TerminalSession.objects.filter(pk=fresh.pk).update(portal_session=mark)
    return ticket


def is_known_from(session: TerminalSession, portal_session: str | None) -> bool:
    """Say whether a terminal was opened from this session of the portal (its key), or its owner proved there to be the one."""
    mark = tickets.mark_of(portal_session)
    return bool(mark) and constant_time_compare(mark, session.portal_session)


def may_together(actor: Any) -> bool:
    """Say whether the actor may type to several hosts at once; on which hosts is asked of each."""
    return bool(actor.has_perm(TOGETHER))


def target_of(session: TerminalSession) -> Target:
    """Open the secrets of a session's credential and say how to reach its host; only just before it is used.

    Raises:
        DomainError: it cannot be reached: no address, no credential, a secret that does not open, a way in a circle.
    """
    hosts = Host.objects.select_related("credential", "idc")
    host = hosts.filter(pk=session.host_id or 0).first()
    if host is None or session.credential_id is None:
        raise DomainError(
            _("%(host)s is not in the CMDB any more, or its credential is gone.")
            % {"host": session.host_name},
            code="host_gone",
        )
    found = login_for(_with(host, session.credential))
    login, key = login_of(found), found.host_key or None
    target = Target(found.hostname, found.address, found.port, login, key)
    return from_portal(host, target)


def _with(host: Host, credential: Credential | None) -> Host:
    """Give a host with another credential, in memory only."""
    host.credential = credential
    return host


def _reason(host: Host, given: str) -> str:
    reason = " ".join(given.split())[:500]
    if not reason and (because := critical_because(host)):
        told = _("Say why you work on it: the trail keeps it.")
        raise DomainError(
            _("%(host)s is critical (%(because)s).")
            % {"host": host, "because": because},
            told,
            code="reason_needed",
            fields={"reason": told},
        )
    return reason


def _session(actor: Any, host: Host, wanted: Wanted, reason: str) -> TerminalSession:
    found = login_for(host)
    if wanted.become and found.become_method != "sudo":
        raise DomainError(
            _("The credential of %(host)s has no way to become root.") % {"host": host},
            _("Choose sudo in the credential, or open the terminal as its own user."),
            code="no_become",
            fields={"become": _("The credential has no way to become root.")},
        )
    size = bounded(*wanted.size)
    return TerminalSession(
        key=new_key(),
        together=wanted.together[:43],
        user=actor,
        username=actor.username,
        host=host,
        host_name=host.hostname,
        address=found.address,
        credential=host.credential,
        credential_name=str(host.credential)[:100],
        login=found.username,
        become=wanted.become,
        client_address=context.current.get().address or None,
        reason=reason,
        columns=size.columns,
        rows=size.rows,
    )


def bounded(columns: int, rows: int) -> Size:
    """Give a size that a terminal can have."""
    return Size(min(max(columns, 2), MOST_COLUMNS), min(max(rows, 1), MOST_ROWS))


def _check_count(actor: Any) -> None:
    """Refuse who has as many as may be; of several wishes at the same moment one waits for the other. In a transaction."""
    # Without the key: lines of the trail that name this user are written meanwhile, under a lock that is waited for next.
    list(User.objects.select_for_update(no_key=True).filter(pk=actor.pk))
    count = TerminalSession.objects.counted().filter(user=actor).count()
    if count >= settings.TERMINAL_USER_MOST:
        raise Conflict(
            _("You have %(count)s terminals open already.") % {"count": count},
            _("Close one first, or raise ADMINSET_TERMINAL_USER_MOST."),
            code="too_many_terminals",
        )


def _words(session: TerminalSession) -> list[audit.Change]:
    names = ("host_name", "address", "credential_name", "login", "become", "together")
    values = {name: getattr(session, name) for name in names}
    return [change_of(name, None, value) for name, value in values.items() if value]
