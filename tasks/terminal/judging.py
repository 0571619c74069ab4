"""Who may work on a host by hand: asked when a terminal is opened, when its page comes, and again each minute."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User
from adminset.errors import DomainError, Forbidden, Unavailable
from adminset.querysets import may
from cmdb.models import Credential, Host
from tasks.launching.preview import why_critical
from tasks.models import TerminalGuest, TerminalSession
from tasks.sites.relay_wire import has_station
from tasks.sites.ways import relay_to

OWNER, GUEST, WATCHER = "owner", "guest", "watcher"


def check_host(actor: Any, host: Host) -> None:
    """Let pass only who may open a terminal on the host.

    Raises:
        Forbidden: the actor may not; of a host out of sight nothing is told but that.
    """
    if not may(actor, "terminal", host):
        raise Forbidden(
            _("You may not open a terminal on this host."),
            _("Ask an administrator for the permission cmdb.terminal_host on it."),
            code="terminal_refused",
        )


def check_credential(actor: Any, credential: Credential | None, host: Host) -> None:
    """Let pass only who may use the credential: signing in with it is using it.

    Raises:
        DomainError: there is none.
        Forbidden: the actor may not use it.
    """
    if credential is None:
        raise DomainError(
            _("%(host)s has no credential.") % {"host": host},
            _("Choose one on its page."),
            code="no_credential",
        )
    if not may(actor, "use", credential):
        raise Forbidden(
            _("You may not use the credential of %(hosts)s.")
            % {"hosts": host.hostname},
            _("Ask for the permission to use it (cmdb.use_credential)."),
            code="credential_refused",
        )


def check_way(host: Host) -> None:
    """Refuse a host that nobody reaches now: only workers of its site do, and none is there to pass a connection on.

    Raises:
        Unavailable: names the queue, and what would help.
    """
    queue = relay_to(host)
    if not queue or has_station(queue):
        return
    words = _("%(host)s is reached through a worker of its site, and none answers.")
    raise Unavailable(
        words % {"host": host},
        _("Start one: make worker QUEUES=%(queue)s on a machine there.")
        % {"queue": queue},
        code="no_worker",
    )


def critical_because(host: Host) -> str:
    """Say why a host counts as critical, "" where it does not: by the same rules as for runs."""
    marked = host.tags.filter(name__in=settings.RUN_CRITICAL_TAGS)
    return why_critical(host, sorted(marked.values_list("name", flat=True)))


def role_of(user: Any, session: TerminalSession) -> str:
    """Say what a user is at a terminal: its owner, a guest, a watcher by permission, or "" for nobody.

    A guest who could not open the terminal only looks on: see `may_type`.
    """
    if user is None or not user.is_active:
        return ""
    if session.user_id == user.pk:
        return OWNER
    if _invitations(user, session).exists():
        return GUEST
    return WATCHER if may(user, "watch", session) else ""


def may_type(user: Any, session: TerminalSession) -> bool:
    """Say whether a user may type: the owner, and guests who were invited to it and could have opened it themselves."""
    if session.user_id == user.pk:
        return True
    invited = _invitations(user, session).filter(may_write=True).exists()
    return invited and could_open(user, session)


def could_open(user: Any, session: TerminalSession) -> bool:
    """Say whether a user could open a terminal like this: on its host, signed in with its credential."""
    host, credential = session.host, session.credential
    if host is None or credential is None:
        return False
    return may(user, "terminal", host) and may(user, "use", credential)


def _invitations(user: Any, session: TerminalSession) -> Any:
    rows = TerminalGuest.objects.filter(session=session, user=user)
    return rows.exclude(invited_by="").exclude(invited_at=None)


def still_allowed(session: TerminalSession, user: User | None) -> None:
    """Ask once more whether the owner may work there, with everything looked at anew.

    Args:
        user: as he or she is now; None who is no user any more.

    Raises:
        DomainError: a sentence for the page: why the shell has to close.
    """
    if user is None or not user.may_sign_in:
        raise Forbidden(
            _("Your sign-in has ended, and with it this terminal."),
            _("Sign in and open a new one."),
            code="signed_out",
        )
    host = Host.objects.filter(pk=session.host_id or 0).first()
    if host is None:
        raise DomainError(
            _("%(host)s is not in the CMDB any more.") % {"host": session.host_name},
            code="host_gone",
        )
    check_host(user, host)
    credential = Credential.objects.filter(pk=session.credential_id or 0).first()
    check_credential(user, credential, host)
