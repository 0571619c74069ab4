"""How the hosts of a run are reached, each just before its turn; or why one cannot even be tried, in one sentence."""

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from cmdb.logins import login_for
from cmdb.membership import names_of
from cmdb.models import Host
from tasks.models import Run, RunHost
from tasks.services.jobs import Ended
from tasks.services.waiting import pending
from tasks.sites.questions import ALONG
from tasks.sites.ways import jump_to, login_of
from tasks.targets import Target


def rows_of(run: Run, part_id: int) -> list[RunHost]:
    """Give the hosts of a part that have their turn in the run's batch, with all that is needed to reach them, secrets still sealed."""
    hosts = RunHost.objects.filter(run=run, part=part_id, batch=run.batch)
    along = [f"host__{path}" for path in ALONG]
    hosts = hosts.select_related("part", "host__credential", "host__idc")
    rows = list(pending(hosts).prefetch_related(*along).order_by("pk"))
    names = names_of(row.host_id for row in rows if row.host_id)
    for row in rows:
        row.group_names = names.get(row.host_id or 0, [])
    return rows


def target_of(row: RunHost, name: str) -> Target:
    """Open the secrets of a host and say how to reach it; only just before it is used.

    Raises:
        DomainError: a sentence why it cannot be reached: no address, no credential, a secret that does not open.
        Host.DoesNotExist: it is not in the CMDB any more.
    """
    host = row.host
    if host is None:
        raise Host.DoesNotExist(row.host_name)
    found = login_for(host)
    login = login_of(found)
    jump = jump_to(host, row.part.queue if row.part else "")
    variables = {
        "adminset_id": host.pk,
        "adminset_hostname": host.hostname,
        "adminset_groups": list(row.group_names),
        "adminset_idc": host.idc.code if host.idc else "",
    }
    # The address is the one that was shown when the run was asked for.
    return Target(
        name,
        row.address or found.address,
        found.port,
        login,
        found.host_key or None,
        variables,
        jump,
    )


def target_or_end(row: RunHost, name: str) -> Target | Ended:
    """Give how to reach a host, or its end as unreachable with the reason."""
    try:
        return target_of(row, name)
    except Host.DoesNotExist:
        words = _("%(host)s is not in the CMDB any more.") % {"host": row.host_name}
    except DomainError as error:
        words = f"{error.message} {error.hint}".strip()
    return Ended(row.pk, RunHost.Status.UNREACHABLE, words)
