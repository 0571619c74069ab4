"""What templates know without a variable: the host, its address, the environment and the project."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from appconf.models import Environment
from cmdb.models import Host

PREFIX = "ADMINSET_"
OF_HOST = ("ADMINSET_HOSTNAME", "ADMINSET_ADDRESS")
OF_ENVIRONMENT = ("ADMINSET_ENVIRONMENT", "ADMINSET_PROJECT")
NAMES = (*OF_HOST, *OF_ENVIRONMENT)


def facts_of(environment: Environment, host: Host | None = None) -> dict[str, str]:
    """Give the facts by name; those of the host only where there is one.

    Raises:
        DomainError: the name of the host has control characters in it, which would write lines of their own.
    """
    told = {
        "ADMINSET_ENVIRONMENT": environment.code,
        "ADMINSET_PROJECT": environment.project.code,
    }
    if host is None:
        return told
    told |= {
        "ADMINSET_HOSTNAME": host.hostname,
        "ADMINSET_ADDRESS": str(host.address or ""),
    }
    # A machine may have named itself.
    if not all(text.isprintable() for text in told.values()):
        raise DomainError(
            _("The name of a host has signs in it that nobody sees."),
            _("Correct it in the inventory."),
            code="template",
        )
    return told


def is_fact(name: str) -> bool:
    """Say whether a name is kept for facts."""
    return name.upper().startswith(PREFIX)


def without_facts(names: Iterable[str]) -> list[str]:
    """Leave out the names of facts."""
    return [name for name in names if name not in NAMES]
