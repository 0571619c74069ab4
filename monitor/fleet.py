"""The fleet page's rows: sorted by name in the database, by a current value over the whole fleet, paged either way."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.utils.translation import gettext_lazy as _

from cmdb.membership import in_groups
from monitor.selectors import Reading, groups_of, readings, watched_hosts

PAGE_SIZE = 50
VALUES: dict[str, Callable[[Reading], float | None]] = {
    "cpu": lambda row: row.cpu,
    "memory": lambda row: row.memory,
    "load": lambda row: row.load,
    "disk": lambda row: row.disk,
    "seen": lambda row: row.seen_at,
}
COLUMNS = (
    ("hostname", _("Host")),
    ("cpu", _("CPU")),
    ("memory", _("Memory")),
    ("load", _("Load")),
    ("disk", _("Fullest file system")),
    ("seen", _("Last sample")),
)


@dataclass(frozen=True)
class FleetQuery:
    """What the address of the page asks for; `sort` with a leading "-" is descending."""

    q: str = ""
    group: str = ""
    sort: str = "hostname"
    page: str = "1"


def fleet(user: Any, query: FleetQuery) -> tuple[Page[Any], Sequence[Reading]]:
    """Give a page of hosts and their readings.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    hosts = watched_hosts(user).select_related("status", "agent")
    if query.q:
        hosts = hosts.filter(hostname__icontains=query.q) | hosts.filter(
            address__icontains=query.q
        )
    if query.group.isdecimal():
        chosen = groups_of(user).filter(pk=query.group).values_list("pk", flat=True)
        hosts = in_groups(hosts, chosen)
    value = VALUES.get(query.sort.removeprefix("-"))
    if value is None:
        order = "-hostname" if query.sort == "-hostname" else "hostname"
        listed = Paginator(hosts.order_by(order, "pk"), PAGE_SIZE).get_page(query.page)
        return listed, readings(listed.object_list)
    rows = by_value(readings(hosts), value, descending=query.sort.startswith("-"))
    page = Paginator(rows, PAGE_SIZE).get_page(query.page)
    return page, list(page.object_list)


def busiest(user: Any, most: int) -> list[Reading]:
    """Give the hosts that report now and use the most CPU; those that fell silent only where nobody reports.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    known = [row for row in readings(watched_hosts(user)) if row.cpu is not None]
    late = time.time() - settings.AGENT_SILENT_SECONDS
    current = [row for row in known if row.seen_at and row.seen_at > late]
    return by_value(current or known, VALUES["cpu"], descending=True)[:most]


def by_value(
    rows: Sequence[Reading],
    value: Callable[[Reading], float | None],
    *,
    descending: bool,
) -> list[Reading]:
    """Sort by a value; rows without one come last either way."""
    known = [row for row in rows if value(row) is not None]
    unknown = [row for row in rows if value(row) is None]
    known.sort(key=lambda row: value(row) or 0.0, reverse=descending)
    return known + unknown
