"""Questions about hosts to run on and about runs to look at."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from adminset.querysets import everywhere
from cmdb.models import Host
from cmdb.selectors import hosts_for_run
from tasks.launching.host_filter import matching_hosts
from tasks.models import Run, RunHost


def resolve_hosts(
    user: Any,
    host_ids: Iterable[int],
    group_ids: Iterable[int],
    host_filter: str = "",
) -> list[Host]:
    """Give the hosts that are meant, each once, with what a run needs of them.

    Args:
        host_filter: what stands behind the `?` of the host list: what it finds now, as the user sees it.
    """
    wanted = list(host_ids)
    if host_filter:
        found = matching_hosts(user, host_filter).order_by()
        wanted += found.values_list("pk", flat=True)
    hosts = hosts_for_run(user, wanted, list(group_ids))
    return list(
        hosts.select_related("credential").order_by("hostname", "id").distinct()
    )


def with_seen_counts(runs: QuerySet, user: Any) -> QuerySet:
    """Give each run how many of its hosts the user sees (`seen_hosts`), of these done and ended well.

    Each number is asked for only of the rows of a page: a join would count the hosts of all runs first.
    """
    if everywhere(user, "tasks.view_run"):
        return runs.annotate(
            seen_hosts=F("host_count"), seen_done=F("done_count"), seen_ok=F("ok_count")
        )
    status = RunHost.Status
    hosts = RunHost.objects.visible_to(user).filter(run=OuterRef("pk")).meant()
    # As a run is counted when it ends (services/execute.py): what was never started is not done.
    open_yet = (status.NOT_STARTED, status.RUNNING)
    return runs.annotate(
        seen_hosts=_counted(hosts),
        seen_done=_counted(hosts.exclude(status__in=open_yet)),
        seen_ok=_counted(hosts.filter(status=status.OK)),
    )


def _counted(rows: QuerySet) -> Coalesce:
    number = rows.order_by().values("run").annotate(number=Count("pk"))
    return Coalesce(Subquery(number.values("number")), 0)


def latest_runs(user: Any, count: int = 8) -> list[Run]:
    """Give the newest runs that the user may see."""
    return list(Run.objects.visible_to(user).defer("playbook_text")[:count])


def latest_on_host(user: Any, host: Host, count: int = 20) -> list[RunHost]:
    """Give the newest runs on one host."""
    rows = RunHost.objects.visible_to(user).filter(host=host)
    return list(
        rows.select_related("run").defer("run__playbook_text").order_by("-id")[:count]
    )
