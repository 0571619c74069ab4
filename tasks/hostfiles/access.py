"""Who may do what with the files of a host: the right on the host, the credential, the way there, and why on critical hosts."""

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from accounts.door import whose
from adminset import audit
from adminset.errors import DomainError
from adminset.querysets import may
from cmdb.models import Host
from tasks.terminal.judging import check_credential, check_way, critical_because

BROWSE, UPLOAD, DOWNLOAD = "browsefiles", "uploadfile", "downloadfile"
EDIT, DELETE, PURGE = "editfile", "deletefile", "purgefile"
ACTIONS = (BROWSE, UPLOAD, DOWNLOAD, EDIT, DELETE, PURGE)
# Session key: {host's id: [reason, when it was given (Unix seconds)]}.
REASONS = "host_files_reasons"
MOST_REASONS = 50


@dataclass(frozen=True)
class Place:
    """A host whose files somebody works on, and why."""

    actor: Any
    host: Host
    reason: str = ""
    session_key: str = ""

    def may(self, action: str) -> bool:
        """Say whether the actor may do a further thing here."""
        return may(self.actor, action, self.host)

    def need(self, action: str) -> None:
        """Let pass only who may do a further thing here; raises PermissionDenied."""
        if not self.may(action):
            raise PermissionDenied(permission(action))

    def still_may(self, action: str) -> bool:
        """Ask anew, for what takes long: the session, the right, the credential."""
        user = whose(self.session_key)
        if user is None or user.pk != self.actor.pk or not user.may_sign_in:
            return False
        hosts = Host.objects.select_related("credential")
        host = hosts.filter(pk=self.host.pk).first()
        if host is None or not may(user, action, host):
            return False
        return host.credential is not None and may(user, "use", host.credential)


def permission(action: str) -> str:
    """Name the permission of an action."""
    return f"cmdb.{action}_host"


def find(request: Any, pk: int, action: str) -> Host:
    """Get a host on which the user may do this with files.

    Raises:
        Http404: the user does not see it. PermissionDenied: the right is missing.
    """
    hosts = Host.objects.visible_to(request.user).select_related("credential", "idc")
    host = hosts.filter(pk=pk).first()
    if host is None:
        raise Http404(_("There is no such host."))
    if not may(request.user, action, host):
        raise PermissionDenied(permission(action))
    return host


def place_of(request: Any, pk: int, action: str) -> Place:
    """Get a host to work on its files.

    Raises:
        Http404, PermissionDenied: as `find`.
        DomainError: no use of its credential, no accepted key, no way there, or no reason on a critical host.
    """
    host = find(request, pk, action)
    check_credential(request.user, host.credential, host)
    check_way(host)
    _check_key(host)
    reason = reason_of(request, host)
    return Place(request.user, host, reason, request.session.session_key or "")


def _check_key(host: Host) -> None:
    """Refuse a host whose key nobody accepted, before anything is sent there."""
    if not host.host_key:
        raise DomainError(
            _("The key of %(host)s is not accepted yet.") % {"host": host},
            _("Open the host and accept its key first."),
            code="no_host_key",
        )


def reason_of(request: HttpRequest, host: Host) -> str:
    """Give why the user works on a critical host, as said not long ago; "" where the host is not critical.

    Raises:
        DomainError: nothing was said (code `reason_needed`).
    """
    because = critical_because(host)
    if not because:
        return ""
    known, said_at = request.session.get(REASONS, {}).get(str(host.pk), ("", 0))
    if known and 0 <= time.time() - said_at < settings.FILES_REASON_SECONDS:
        return str(known)
    raise DomainError(
        _("%(host)s is critical (%(because)s).") % {"host": host, "because": because},
        _("Say why you work on its files: the trail keeps it."),
        code="reason_needed",
    )


def give_reason(request: Any, host: Host, reason: str) -> None:
    """Take down why the user works on a host; it holds for a while, in this session.

    Raises:
        DomainError: it is empty.
    """
    words = " ".join(reason.split())[:500]
    if not words:
        told = _("Say why you work on its files.")
        raise DomainError(told, code="reason_needed", fields={"reason": told})
    kept = dict(request.session.get(REASONS, {}))
    kept.pop(str(host.pk), None)
    newest = list(kept.items())[-(MOST_REASONS - 1) :]
    request.session[REASONS] = {**dict(newest), str(host.pk): [words, time.time()]}
    audit.record(request.user, "hostfile.reason", host, reason=words)
