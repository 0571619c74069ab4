"""The hosts of a plan: which of the environment, in which batch, and what the portal knows of each."""

from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from appconf.models import Environment
from appconf.vouching import hosts_of, unvouched_of
from cmdb import membership
from cmdb.models import Host
from delivery.models import LiveRelease
from delivery.way_models import Way
from tasks.services import batches


def chosen(environment: Environment, host_ids: Collection[int] = ()) -> list[Host]:
    """Give the hosts of an environment that are delivered to, those that count as critical last.

    Args:
        host_ids: only these; none: all.

    Raises:
        DomainError: one of those asked for is none of them.
    """
    rows = hosts_of(environment).prefetch_related("tags").order_by("hostname", "pk")
    if host_ids:
        rows = rows.filter(pk__in=list(host_ids))
    found = list(rows)
    if host_ids and len(found) < len(set(host_ids)):
        raise DomainError(
            _("Not all of these hosts belong to the environment."),
            _("Choose hosts that somebody with the right to run work added."),
            code="not_its_host",
        )
    return batches.critical_last(found)


def covers(environment: Environment, host_ids: Collection[int]) -> bool:
    """Say whether some hosts are all that an environment delivers to; where it has none, nothing covers it."""
    rows = hosts_of(environment)
    return rows.exists() and not rows.exclude(pk__in=list(host_ids)).exists()


def in_batches(way: Way, hosts: Sequence[Host]) -> list[tuple[Host, int]]:
    """Give each host its batch, counted from 0, as the policy says."""
    if way.policy == Way.Policy.ONE_BY_ONE:
        return batches.assign("1", hosts)
    if way.policy == Way.Policy.CANARY:
        first = canary_of(way, hosts)
        placed = {host.pk for host in first}
        rest = [host for host in hosts if host.pk not in placed]
        return [(host, 0) for host in first] + [
            (host, number + 1) for host, number in batches.assign(way.batches, rest)
        ]
    if way.policy == Way.Policy.DIRECT:
        return [(host, 0) for host in hosts]
    return batches.assign(way.batches, hosts)


def canary_of(way: Way, hosts: Sequence[Host]) -> list[Host]:
    """Give the hosts that go first: those of the group that was chosen, else, and where none of them is among these, the first."""
    return _of_group(way, hosts) or list(hosts[: way.canary_hosts])


def canary_words(way: Way, hosts: Sequence[Host]) -> list[str]:
    """Say where the canary is not the one that was chosen, or is everybody."""
    if way.policy != Way.Policy.CANARY or way.canary_group_id is None or not hosts:
        return []
    found = _of_group(way, hosts)
    if not found:
        words = _(
            "None of these hosts is in the group of the canary: the first by name goes first."
        )
        return [words]
    if len(found) == len(hosts):
        return [_("All of these hosts are in the group of the canary: none waits.")]
    return []


def _of_group(way: Way, hosts: Sequence[Host]) -> list[Host]:
    """Give the hosts of the canary's group; a machine does not come in by what it says of itself."""
    if way.canary_group_id is None:
        return []
    members = membership.of_groups([way.canary_group_id], trusted=True)
    rows = Host.objects.filter(members, pk__in=[host.pk for host in hosts])
    found = set(rows.values_list("pk", flat=True))
    return [host for host in hosts if host.pk in found]


def known_live(environment: Environment) -> dict[int, LiveRelease]:
    """Give what is known to be live, by host."""
    rows = LiveRelease.objects.filter(environment=environment)
    return {row.host_id: row for row in rows.select_related("artefact", "host")}


def left_out(environment: Environment) -> list[str]:
    """Name the hosts of an environment for which nobody vouches."""
    rows = unvouched_of(environment).order_by("hostname")
    return list(rows.values_list("hostname", flat=True))
