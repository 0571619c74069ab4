"""Questions about hosts to run on and about runs to look at."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from adminset.querysets import everywhere
from cmdb.models import Host
from cmdb.selectors import hosts_for_run
from tasks.models import Run, RunHost

HOSTS_SHOWN = 500


@dataclass(frozen=True)
class Obstacle:
    """Why a host will not be reached, and the page where that is mended."""

    text: str
    url: str


@dataclass(frozen=True)
class PlannedHost:
    """A host that a run would touch."""

    host: Host
    warnings: list[Obstacle]


@dataclass(frozen=True)
class Preview:
    """What a run would touch. `seal` is the same as long as it is the same hosts."""

    rows: list[PlannedHost] = field(default_factory=list)

    @property
    def seal(self) -> str:
        """Fingerprint of the list of hosts."""
        ids = ",".join(str(pk) for pk in sorted(row.host.pk for row in self.rows))
        return sha256(ids.encode()).hexdigest()[:32]

    @property
    def warned(self) -> int:
        """Number of hosts that will not be reached as they stand."""
        return sum(bool(row.warnings) for row in self.rows)


def resolve_hosts(
    user: Any, host_ids: Iterable[int], group_ids: Iterable[int]
) -> list[Host]:
    """Give the hosts that are meant, each once, with what a run needs of them."""
    found = hosts_for_run(user, list(host_ids), list(group_ids))
    return list(
        found.select_related("credential").order_by("hostname", "id").distinct()
    )


def preview(user: Any, host_ids: Iterable[int], group_ids: Iterable[int]) -> Preview:
    """Say which hosts a run would touch, and what stands in the way on each."""
    return Preview(
        [
            PlannedHost(host, warnings_of(host))
            for host in resolve_hosts(user, host_ids, group_ids)
        ]
    )


def warnings_of(host: Host) -> list[Obstacle]:
    """Say why a host would not be reached."""
    edit = reverse("cmdb:host_edit", args=[host.pk])
    found = []
    if not host.address:
        found.append(Obstacle(_("It has no management address."), edit))
    if host.credential_id is None:
        found.append(Obstacle(_("It has no credential to sign in with."), edit))
    if host.address and not host.host_key:
        found.append(
            Obstacle(
                _("Its host key is not accepted yet."),
                reverse("tasks:host_key", args=[host.pk]),
            )
        )
    return found


@dataclass(frozen=True)
class Group:
    """Hosts of a run that ended alike; `hosts` holds at most HOSTS_SHOWN of them."""

    status: str
    state: str
    label: str
    exit_code: int | None
    count: int
    hosts: list[RunHost]


def groups_of(hosts: QuerySet[RunHost]) -> list[Group]:
    """Group the hosts of a run by status and exit code: what needs a look first."""
    order = [
        "failed",
        "timed_out",
        "unreachable",
        "unknown",
        "cancelled",
        "running",
        "not_started",
        "ok",
    ]
    counts = hosts.order_by().values("status", "exit_code").annotate(count=Count("pk"))
    groups: dict[tuple[str, int | None], Group] = {}
    for row in sorted(
        counts, key=lambda row: (order.index(row["status"]), row["exit_code"] or 0)
    ):
        status = RunHost.Status(row["status"])
        key = (status.value, row["exit_code"])
        groups[key] = Group(
            status.value,
            RunHost.STATES[status],
            str(status.label),
            row["exit_code"],
            row["count"],
            [],
        )
    for host in hosts.defer("explanation")[:HOSTS_SHOWN]:
        group = groups.get((host.status, host.exit_code))
        if group is not None:
            group.hosts.append(host)
    return list(groups.values())


def with_seen_counts(runs: QuerySet, user: Any) -> QuerySet:
    """Give each run how many of its hosts the user sees (`seen_hosts`), of these done and ended well.

    Each number is asked for only of the rows of a page: a join would count the hosts of all runs first.
    """
    if everywhere(user, "tasks.view_run"):
        return runs.annotate(
            seen_hosts=F("host_count"), seen_done=F("done_count"), seen_ok=F("ok_count")
        )
    status = RunHost.Status
    hosts = RunHost.objects.visible_to(user).filter(run=OuterRef("pk"))
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
