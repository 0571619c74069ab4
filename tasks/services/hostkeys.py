"""The keys that hosts show: read without signing in, to be compared and pinned by a person."""

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import Unavailable
from cmdb.models import Host
from tasks import ssh
from tasks.targets import HostKey, HostRefusedError


def read_host_key(*, host: Host) -> HostKey:
    """Read the key that a host shows at this moment.

    Raises:
        Unavailable: it has no address or does not answer as an SSH server.
    """
    if not host.address:
        raise Unavailable(
            _("%(host)s has no management address.") % {"host": host},
            _("Enter one on its page."),
            status=422,
        )
    try:
        return ssh.fetch_host_key(
            host.address, host.port, settings.RUN_CONNECT_TIMEOUT_SECONDS
        )
    except HostRefusedError as error:
        raise Unavailable(str(error), code="unreachable") from error
