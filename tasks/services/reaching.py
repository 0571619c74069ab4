"""Why a host of a run cannot even be tried, in one sentence."""

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from cmdb.models import Host
from tasks.models import RunHost
from tasks.services.jobs import Ended, target_of
from tasks.targets import Target


def target_or_end(row: RunHost, name: str) -> Target | Ended:
    """Give how to reach a host, or its end as unreachable with the reason."""
    try:
        return target_of(row, name)
    except Host.DoesNotExist:
        words = _("%(host)s is not in the CMDB any more.") % {"host": row.host_name}
    except DomainError as error:
        words = f"{error.message} {error.hint}".strip()
    return Ended(row.pk, RunHost.Status.UNREACHABLE, words)
