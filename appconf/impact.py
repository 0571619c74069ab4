"""Which applications fall with hosts and with each other, for the impact picture: those that need them, and those that run on them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain, islice

from django.db.models import Q
from django.utils.translation import gettext as _

from adminset.querysets import seen
from appconf.models import Dependency, Environment, EnvironmentGroup, EnvironmentHost
from cmdb import membership
from cmdb.extensions import FallingStep, Falls
from cmdb.models import Host

HOST, PROJECT = "cmdb.host", "appconf.project"


def steps(user: object, ids: Mapping[str, set[int]], most: int) -> list[FallingStep]:
    """Give the ways from hosts and projects to the projects that fall with them; as Falls.steps."""
    hosts, projects = ids.get(HOST, set()), ids.get(PROJECT, set())
    ways = chain(_needing(user, hosts, projects, most), _running(user, hosts, most))
    return list(islice(ways, most))


def _needing(
    user: object, hosts: set[int], projects: set[int], most: int
) -> Iterator[FallingStep]:
    on = Q(on_host__in=hosts) | Q(on_project__in=projects)
    rows = list(Dependency.objects.filter(on).order_by("pk")[:most])
    mine = {row.pk for row in seen(user, rows)}
    for row in rows:
        host, project = (HOST, row.on_host_id), (PROJECT, row.on_project_id)
        near: tuple[str, int] = host if row.on_host_id else project  # type: ignore[assignment]
        yield near, (PROJECT, row.project_id), _("is needed by"), row.pk in mine


def _running(user: object, hosts: set[int], most: int) -> Iterator[FallingStep]:
    held = EnvironmentHost.objects.filter(host__in=hosts).order_by("pk")
    pairs = list(held.values_list("host_id", "environment_id")[:most])
    pairs += islice(_by_groups(hosts), most)
    keys = {environment for _host, environment in pairs}
    rows = {row.pk: row for row in Environment.objects.filter(pk__in=keys)}
    mine = {row.pk for row in seen(user, rows.values())}
    for host, key in pairs:
        if key in rows:
            project = (PROJECT, rows[key].project_id)
            yield (HOST, host), project, _("runs"), key in mine


def _by_groups(hosts: set[int]) -> Iterator[tuple[int, int]]:
    """Give (host, environment) of the groups that environments have."""
    held = defaultdict(list)
    if hosts:
        rows = EnvironmentGroup.objects.order_by("pk")
        for group, environment in rows.values_list("hostgroup_id", "environment_id"):
            held[group].append(environment)
    through = Host.groups.through.objects.filter(host_id__in=hosts)
    listed = through.filter(hostgroup_id__in=held).values_list(
        "host_id", "hostgroup_id"
    )
    dynamic = [one for one in membership.dynamic_groups().values() if one.pk in held]
    taken = membership.dynamic_members(dynamic, Host.objects.filter(pk__in=hosts))
    members = chain(listed, ((host, group.pk) for host, group in taken))
    return ((host, each) for host, group in members for each in held[group])


FALLS = Falls(PROJECT, steps)
