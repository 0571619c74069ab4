"""The logins on the way to a host: its own and those of the jump hosts of its site, opened just before they are used."""

from dataclasses import replace

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from cmdb.logins import HostLogin, login_for
from cmdb.models import Credential, Host
from tasks.models import Site
from tasks.sites.questions import site_of, way_to
from tasks.sites.relay_wire import has_station
from tasks.targets import Login, Target


def login_of(found: HostLogin) -> Login:
    """Open the secrets of a login.

    Raises:
        DomainError: one of them does not open.
    """
    return Login(
        user=found.username,
        password=found.password(),
        private_key=found.private_key(),
        passphrase=found.passphrase(),
        become_method="sudo" if found.become_method == "sudo" else "",
        become_password=found.become_password(),
    )


def credentials_to(host: Host, queue: str) -> list[Credential]:
    """Give the credentials that are used on the way to a host: its own, and those of the jump hosts."""
    try:
        way = [host, *way_to(host, queue)]
    except DomainError:
        # Nobody goes there; the run says why.
        return []
    return [hop.credential for hop in way if hop.credential is not None]


def jump_to(host: Host, queue: str = "") -> Target | None:
    """Give the jump host through which a host is reached, behind it the one through which that is reached, and so on.

    Whoever may run on a host may pass the jump host of its site: who saves the site answers for that (services.py).

    Args:
        queue: of the workers who go there.

    Raises:
        DomainError: a jump host cannot be signed in to, or the way leads in a circle.
    """
    jump: Target | None = None
    for hop in reversed(way_to(host, queue)):
        jump = _hop(host, hop, jump)
    return jump


def relay_to(host: Host) -> str:
    """Name the queue whose workers pass on connections from the portal itself to a host; "" where they are not needed.

    Somebody waits in front of a page: who stands in for a site without workers does so at once.
    """
    site = site_of(host)
    if site is None or not site.has_queue or has_station(site.queue):
        return site.queue if site is not None and site.has_queue else ""
    if site.fallback == Site.Fallback.PORTAL:
        return ""
    other = site.other if site.fallback == Site.Fallback.OTHER else None
    if other is not None and other.has_queue and has_station(other.queue):
        return other.queue
    return site.queue


def from_portal(host: Host, target: Target) -> Target:
    """Give a target with the way that a connection from the portal itself takes: through workers, jump hosts, or neither.

    Raises:
        DomainError: a jump host cannot be signed in to, or the way leads in a circle.
    """
    queue = relay_to(host)
    return _begun_by(queue, replace(target, jump=jump_to(host, queue)))


def _begun_by(queue: str, target: Target) -> Target:
    """Let the workers of a queue open the connection with which the way begins."""
    if target.jump is None:
        return replace(target, queue=queue)
    return replace(target, jump=_begun_by(queue, target.jump))


def way_words(host: Host) -> str:
    """Say by whom, or through which hosts, a host is reached; "" where it is reached directly."""
    site = site_of(host)
    if site is not None and site.has_queue:
        return _("Reached by the workers of %(site)s.") % {"site": site}
    try:
        names = ", ".join(hop.hostname for hop in reversed(way_to(host)))
    except DomainError as error:
        return f"{error.message} {error.hint}"
    return _("Reached through %(names)s.") % {"names": names} if names else ""


def _hop(host: Host, hop: Host, jump: Target | None) -> Target:
    try:
        found = login_for(hop)
        login = login_of(found)
    except DomainError as error:
        words = _("%(host)s is reached through the jump host %(jump)s. %(words)s")
        told = {"host": host, "jump": hop, "words": error.message}
        raise DomainError(words % told, error.hint, code=error.code) from error
    # It is passed, nothing runs there: it needs no way to become root.
    plain = Login(login.user, login.password, login.private_key, login.passphrase)
    key = found.host_key or None
    return Target(found.hostname, found.address, found.port, plain, key, {}, jump=jump)
