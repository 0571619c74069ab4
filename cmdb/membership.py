"""Which hosts belong to which groups: the one answer for targets, scopes, lists, counts and the inventory.

Static members come from the covering index of memberships, dynamic ones from their group's filter, both in SQL and now.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from django.db.models import (
    Case,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from adminset.context import current
from cmdb import group_rules
from cmdb.models import Host, HostGroup

# The filters of all dynamic groups are fetched once a request; work that goes on for long looks again.
KEPT_SECONDS = 2
FLAGS_A_QUERY = 40

_kept: ContextVar[tuple[str, float, dict[int, HostGroup]]] = ContextVar("groups")


def dynamic_groups() -> Mapping[int, HostGroup]:
    """Map the keys of all dynamic groups to the groups."""
    request, now = current.get().request_id, time.monotonic()
    kept = _kept.get(("", 0.0, {}))
    if request and kept[0] == request and now - kept[1] < KEPT_SECONDS:
        return kept[2]
    rows = HostGroup.objects.filter(kind=HostGroup.Kind.DYNAMIC).order_by("pk")
    found = {group.pk: group for group in rows}
    _kept.set((request, now, found))
    return found


def forget() -> None:
    """Look again: a group was written."""
    _kept.set(("", 0.0, {}))


def _listed(ids: Iterable[int]) -> Any:
    members = Host.groups.through.objects.filter(hostgroup_id__in=list(ids))
    return members.values("host_id")


def _chosen(ids: Iterable[int], *, trusted: bool = False) -> list[HostGroup]:
    """List the dynamic ones of some groups; `trusted` as for `of_groups`."""
    known = dynamic_groups()
    found = [known[each] for each in sorted(set(ids) & known.keys())]
    if trusted:
        return [g for g in found if not group_rules.is_said_by_agents(g.rule)]
    return found


def _matching(groups: Iterable[HostGroup]) -> Q:
    return group_rules.any_of(group.rule for group in groups)


def of_groups(ids: Iterable[int], *, trusted: bool = False) -> Q:
    """Give the condition under which a host belongs to one of the groups.

    Args:
        trusted: leave out groups that a machine can enter by what it says of itself.
    """
    wanted = list(ids)
    dynamic = _chosen(wanted, trusted=trusted)
    listed = Q(pk__in=_listed(wanted))
    return listed | _matching(dynamic) if dynamic else listed


def on_hosts(path: str, ids: Iterable[int]) -> Q:
    """Give the condition under which the host at the end of `path` belongs to one of the groups."""
    wanted = list(ids)
    dynamic = _chosen(wanted)
    listed = Q(**{f"{path}__in": _listed(wanted)})
    if not dynamic:
        return listed
    hosts = Host.objects.filter(_matching(dynamic)).order_by().values("pk")
    return listed | Q(**{f"{path}__in": hosts})


def in_groups(rows: QuerySet[Host], ids: Iterable[int]) -> QuerySet[Host]:
    """Narrow hosts to the members of the groups; each comes once."""
    return rows.filter(of_groups(ids))


def matches(ids: Iterable[int], host_ids: Iterable[int]) -> set[int]:
    """Give those of some hosts that one of these dynamic groups takes in now."""
    matching = _matching(_chosen(ids))
    rows = Host.objects.filter(matching, pk__in=list(host_ids)).order_by()
    return set(rows.values_list("pk", flat=True))


def dynamic_members(
    groups: Iterable[HostGroup], rows: QuerySet[Host]
) -> Iterator[tuple[int, HostGroup]]:
    """Give (host's key, group) of what dynamic groups take in of some hosts, in the order of the keys; one query for many groups."""
    listed = list(groups)
    for start in range(0, len(listed), FLAGS_A_QUERY):
        some = listed[start : start + FLAGS_A_QUERY]
        flags = {f"in_{group.pk}": _flag(group) for group in some}
        found = rows.filter(_matching(some)).annotate(**flags)
        for key, *marks in found.order_by("pk").values_list("pk", *flags).iterator():
            for group, mark in zip(some, marks, strict=True):
                if mark:
                    yield key, group


def _flag(group: HostGroup) -> Case:
    """Give 1 for each host that the group takes in."""
    taken = When(group_rules.condition(group.rule), then=Value(1))
    return Case(taken, default=Value(0), output_field=IntegerField())


def names_of(host_ids: Iterable[int]) -> dict[int, list[str]]:
    """Map hosts to the names of all their groups, sorted."""
    wanted = list(host_ids)
    names: dict[int, set[str]] = defaultdict(set)
    listed = Host.groups.through.objects.filter(host_id__in=wanted)
    for key, name in listed.values_list("host_id", "hostgroup__name"):
        names[key].add(name)
    rows = Host.objects.filter(pk__in=wanted)
    for key, group in dynamic_members(dynamic_groups().values(), rows):
        names[key].add(group.name)
    return {key: sorted(found) for key, found in names.items()}


def groups_of(host: Host) -> list[HostGroup]:
    """List all groups of a host, by name."""
    rows = Host.objects.filter(pk=host.pk)
    taken = [group for _key, group in dynamic_members(dynamic_groups().values(), rows)]
    return sorted([*host.groups.all(), *taken], key=lambda group: group.name)


def with_count(groups: QuerySet[HostGroup], user: Any) -> QuerySet[HostGroup]:
    """Bring along `host_count`: how many hosts belong to each group that the user may see."""
    seen = Host.objects.visible_to(user)
    listed = Host.groups.through.objects.filter(hostgroup=OuterRef("pk"))
    if seen.query.where:
        listed = listed.filter(host__in=seen.order_by().values("pk"))
    counts = _counts(dynamic_groups().values(), seen)
    known = [When(pk=pk, then=Value(count)) for pk, count in counts.items()]
    counted: Any = {"host_count": Case(*known, default=_count(listed))}
    return groups.annotate(**counted)


def _counts(groups: Iterable[HostGroup], rows: QuerySet[Host]) -> dict[int, int]:
    """Count the hosts of dynamic groups, many in one pass over the hosts."""
    listed = list(groups)
    found: dict[int, int] = {}
    for start in range(0, len(listed), FLAGS_A_QUERY):
        some = listed[start : start + FLAGS_A_QUERY]
        sums = {f"in_{group.pk}": Sum(_flag(group)) for group in some}
        counted = rows.filter(_matching(some)).order_by().aggregate(**sums)
        found |= {group.pk: counted[f"in_{group.pk}"] or 0 for group in some}
    return found


def _count(rows: QuerySet) -> Coalesce:
    number = Func(F("pk"), function="COUNT", output_field=IntegerField())
    return Coalesce(Subquery(rows.order_by().annotate(n=number).values("n")), 0)
