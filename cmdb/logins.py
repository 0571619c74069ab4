"""How to sign in on a host: everything but the secrets, which are opened at the last moment only."""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from adminset.crypto import Secret
from adminset.errors import DomainError
from cmdb.models import Host


@dataclass(frozen=True)
class HostLogin:
    """Where to connect and as whom. `host_key` is "algorithm base64", "" when none was accepted yet."""

    host_id: int
    hostname: str
    address: str
    port: int
    username: str
    host_key: str
    become_method: str
    sealed: dict[str, Secret | None] = field(repr=False)

    def _open(self, name: str) -> str | None:
        secret = self.sealed[name]
        return secret.reveal() if secret else None

    def password(self) -> str | None:
        """Open the password."""
        return self._open("password")

    def private_key(self) -> str | None:
        """Open the private key."""
        return self._open("private_key")

    def passphrase(self) -> str | None:
        """Open the passphrase of the key."""
        return self._open("passphrase")

    def become_password(self) -> str | None:
        """Open the password for becoming root: its own, else that of the login."""
        return self._open("become_password") or self._open("password")


SECRETS = ("password", "private_key", "passphrase", "become_password")


def login_for(host: Host) -> HostLogin:
    """Say how to sign in on a host (bring `credential` along by select_related).

    Raises:
        DomainError: it has no address or no credential.
    """
    credential = host.credential
    if not host.address:
        raise DomainError(
            _("%(host)s has no management address.") % {"host": host},
            _("Enter one on its page."),
            code="no_address",
        )
    if credential is None:
        raise DomainError(
            _("%(host)s has no credential.") % {"host": host},
            _("Choose one on its page."),
            code="no_credential",
        )
    return HostLogin(
        host_id=host.pk,
        hostname=host.hostname,
        address=host.address,
        port=host.port,
        username=credential.username,
        host_key=host.host_key,
        become_method=credential.become_method,
        sealed={name: getattr(credential, name) for name in SECRETS},
    )
