"""Asks for all variables that count for an environment and its hosts, and decides which of them win."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from appconf.config.precedence import Candidate, Decided, decide
from appconf.models import Environment, Project, Variable
from cmdb import group_rules, membership
from cmdb.models import Host, HostGroup

Values = dict[str, Decided]


def resolve(
    project: Project, environment: Environment | None = None, host: Host | None = None
) -> Values:
    """Decide for each name which value counts in a project, one of its environments, on one host.

    Returns:
        name -> what won, what lost and why (precedence.Decided), by name.
    """
    if host is not None and environment is not None:
        return resolve_hosts(environment, [host])[host.pk]
    rows = _shared(project, environment)
    return decide(_candidate(row, str(row.owner)) for row in rows)


def resolve_hosts(environment: Environment, hosts: Iterable[Host]) -> dict[int, Values]:
    """Decide for many hosts of an environment at once: host's id -> name -> what won.

    Hosts for which the same variables count have one and the same mapping: of a thousand most do, and each decision looks at all of them.
    """
    listed = list(hosts)
    project = environment.project
    shared = [_candidate(row, str(row.owner)) for row in _shared(project, environment)]
    near = _near(project, listed)
    decided: dict[frozenset[int], Values] = {}
    found = {}
    for host in listed:
        own = near.get(host.pk, [])
        key = frozenset(each.row.pk for each in own)
        if key not in decided:
            decided[key] = decide([*shared, *own])
        found[host.pk] = decided[key]
    return found


def _rows() -> QuerySet[Variable]:
    return Variable.objects.select_related(
        "product_line", "project", "environment__project", "host_group", "host"
    )


def _shared(project: Project, environment: Environment | None) -> QuerySet[Variable]:
    """Give what counts for every host: of the product line, the project, the environment."""
    wanted = Q(level="line", product_line=project.product_line_id)
    wanted |= Q(level="project", project=project)
    if environment is not None:
        wanted |= Q(level="environment", environment=environment)
    return _rows().filter(wanted)


def _near(project: Project, hosts: list[Host]) -> dict[int, list[Candidate]]:
    """Give what counts for single hosts: of their groups, and their own."""
    found: dict[int, list[Candidate]] = {host.pk: [] for host in hosts}
    here = Q(project=None) | Q(project=project)
    rows = _rows().filter(here)
    for row in rows.filter(level="host", host__in=[host.pk for host in hosts]):
        found[row.host_id].append(_candidate(row, str(row.owner)))  # type: ignore[index]
    of_groups: dict[int, list[Variable]] = {}
    for row in rows.filter(level="group"):
        of_groups.setdefault(row.host_group_id or 0, []).append(row)
    groups = HostGroup.objects.in_bulk(of_groups)
    for host_id, group_id in _members(groups, found):
        found[host_id] += [
            _candidate(row, groups[group_id].name, groups[group_id])
            for row in of_groups[group_id]
        ]
    return found


def _members(
    groups: Mapping[int, HostGroup], host_ids: Iterable[int]
) -> Iterator[tuple[int, int]]:
    """Give (host, group) for those of the groups to which hosts belong now."""
    keys = list(host_ids)
    through: Any = Host.groups.through.objects
    listed = through.filter(host_id__in=keys, hostgroup_id__in=list(groups))
    yield from listed.values_list("host_id", "hostgroup_id")
    dynamic = [group for group in groups.values() if group.is_dynamic]
    rows = Host.objects.filter(pk__in=keys)
    for host_id, group in membership.dynamic_members(dynamic, rows):
        yield host_id, group.pk


def _candidate(row: Variable, owner: str, group: HostGroup | None = None) -> Candidate:
    return Candidate(
        name=row.name,
        level=row.level,
        owner=owner,
        row=row,
        only_here=row.level in ("group", "host") and row.project_id is not None,
        is_secret=row.is_secret,
        left_out=_left_out(row, group),
    )


def _left_out(row: Variable, group: HostGroup | None) -> str:
    """Keep secrets from machines that enter a group by what they say of themselves."""
    if group is None or not row.is_secret or not group.is_dynamic:
        return ""
    if not group_rules.is_said_by_agents(group.rule):
        return ""
    return _("Machines enter this group by what they say: it gives no secrets away.")
