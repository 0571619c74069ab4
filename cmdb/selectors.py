"""Questions that rooms above ask of the fleet: targets of a run, the figures of the home card."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, Q, QuerySet
from django.http import Http404

from cmdb import group_rules, membership
from cmdb.models import Agent, AssetStatus, Host, HostGroup


def to_change(model: type[Model], user: Any, pk: int) -> Any:
    """Give one row that the user may change.

    Raises:
        Http404: there is none that the user may see.
        PermissionDenied: the user may only look at it.
    """
    rows = model._default_manager
    row = rows.visible_to(user).filter(pk=pk).first()  # type: ignore[attr-defined]
    if row is None:
        raise Http404
    if not rows.visible_to(user, "change").filter(pk=pk).exists():  # type: ignore[attr-defined]
        raise PermissionDenied(f"cmdb.change_{model._meta.model_name}")
    return row


def hosts_for_run(
    user: Any,
    host_ids: Iterable[int] = (),
    group_ids: Iterable[int] = (),
    *,
    action: str = "run",
) -> QuerySet[Host]:
    """Give the chosen hosts and those of the chosen groups, only where the user may run work; in order, each once.

    Args:
        action: another act than "run" that the user must be allowed.
    """
    groups = HostGroup.objects.visible_to(user).filter(pk__in=list(group_ids))
    chosen = list(groups.values_list("pk", flat=True))
    wanted = Q(pk__in=list(host_ids))
    if chosen:
        wanted |= membership.of_groups(chosen)
    rows: QuerySet[Host] = Host.objects.visible_to(user, action).filter(wanted)
    return rows.select_related("credential")


def matching_hosts(user: Any, rule: group_rules.Rule) -> QuerySet[Host]:
    """Give the hosts that the filter of a group takes in now, of those that the user may see."""
    seen: QuerySet[Host] = Host.objects.visible_to(user)
    return seen.filter(group_rules.condition(rule))


def figures(user: Any) -> dict[str, Any]:
    """Count the hosts that the user may see: all, silent, without agent, by status; and name the newest."""
    rows = Host.objects.visible_to(user)
    by_status = rows.order_by().values_list("status").annotate(Count("pk"))
    statuses = AssetStatus.objects.in_bulk()
    return {
        "total": rows.count(),
        "silent": rows.silent().count(),
        "reporting": rows.reporting().count(),
        "waiting": Agent.objects.visible_to(user).waiting().count(),
        "by_status": [
            (statuses[pk], count) for pk, count in sorted(by_status, key=str) if pk
        ],
        "newest": list(rows.select_related("agent").order_by("-pk")[:5]),
    }
