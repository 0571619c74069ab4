"""The keys that hosts show: read without signing in, the way that runs go, to be compared and pinned by a person."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import Unavailable
from cmdb.models import Host
from tasks.sites.asking import ask_site
from tasks.sites.questions import site_of
from tasks.sites.ways import jump_to
from tasks.ssh.connect import fetch_host_key
from tasks.ssh.jumps import dial
from tasks.ssh.ways import Patience
from tasks.targets import HostKey, HostRefusedError, Target


def read_host_key(*, host: Host) -> HostKey:
    """Read the key that a host shows at this moment: by the workers of its site, through its jump host, or directly.

    Raises:
        Unavailable: it has no address, does not answer as an SSH server, or nobody can reach it.
        DomainError: its jump host cannot be signed in to.
    """
    if not host.address:
        raise Unavailable(
            _("%(host)s has no management address.") % {"host": host},
            _("Enter one on its page."),
            status=422,
        )
    site = site_of(host)
    if site is not None and site.has_queue:
        return ask_site(site, host)
    return fetch_key(host)


def fetch_key(host: Host, queue: str = "") -> HostKey:
    """Read the key from here.

    Args:
        queue: of the worker that this is, none where it is the portal itself.

    Raises:
        Unavailable: it does not answer as an SSH server.
        DomainError: its jump host cannot be signed in to.
    """
    jump = jump_to(host, queue)

    def through(target: Target, patience: Patience) -> Any:
        return dial(replace(target, jump=jump), patience)

    seconds = settings.RUN_CONNECT_TIMEOUT_SECONDS
    try:
        return fetch_host_key(str(host.address), host.port, seconds, through)
    except HostRefusedError as error:
        raise Unavailable(str(error), code="unreachable") from error
