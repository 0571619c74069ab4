"""The fleet page's rows: filtered and sorted by any current value over the whole fleet, then one page of them read."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from cmdb.membership import in_groups
from cmdb.models import Host
from monitor import current
from monitor.metrics import CATALOGUE
from monitor.selectors import Reading, groups_of, readings, watched_hosts

PAGE_SIZE = 50
# Column -> the metric that it is sorted by.
SORTED = {
    "cpu": "cpu.busy_percent",
    "memory": "memory.used_percent",
    "load": "load.1",
    "disk": "fs.used_percent",
    "seen": current.SEEN,
}
COLUMNS = (
    ("hostname", _("Host")),
    ("cpu", _("CPU")),
    ("memory", _("Memory")),
    ("load", _("Load")),
    ("disk", _("Fullest file system")),
    ("seen", _("Last sample")),
)
STATES = (
    ("reporting", _("reports now")),
    ("silent", _("fell silent")),
    ("never", _("never reported")),
)


@dataclass(frozen=True)
class FleetQuery:
    """What the address of the page asks for.

    Attributes:
        q: part of a host name or an address. group: key of a host group.
        state: "reporting", "silent" or "never".
        metric: a further column. least, most: its value lies between them, as numbers.
        sort: name of a column, or "value" for that of `metric`; a leading "-" is descending.
    """

    q: str = ""
    group: str = ""
    state: str = ""
    metric: str = ""
    least: str = ""
    most: str = ""
    sort: str = "hostname"
    page: str = "1"

    @property
    def sorted_by(self) -> str:
        """The metric whose values sort the page; "" where the name does."""
        column = self.sort.removeprefix("-")
        return self.known_metric if column == "value" else SORTED.get(column, "")

    @property
    def known_metric(self) -> str:
        """The metric asked for, "" where there is none of that name."""
        return self.metric if self.metric in CATALOGUE else ""

    @property
    def is_filtered(self) -> bool:
        """Whether some hosts are left out."""
        bounds = self.known_metric and (self.least or self.most)
        return bool(self.q or self.group or self.state or bounds)


def fleet(user: Any, query: FleetQuery) -> tuple[Page[Any], Sequence[Reading]]:
    """Give a page of hosts and their readings.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    order = "-hostname" if query.sort == "-hostname" else "hostname"
    hosts = narrowed(user, query).order_by(order, "pk")
    needs_values = query.sorted_by or query.state or query.known_metric
    listed: Any = hosts if not needs_values else _by_values(hosts, query)
    page = Paginator(listed, PAGE_SIZE).get_page(query.page)
    shown = list(page.object_list)
    if needs_values:
        rows = Host.objects.select_related("status", "agent").in_bulk(shown)
        shown = [rows[key] for key in shown if key in rows]
    return page, readings(shown, query.known_metric)


def narrowed(user: Any, query: FleetQuery) -> QuerySet[Host]:
    """Narrow the hosts that the user may look at by what the database knows: name, address, group."""
    hosts = watched_hosts(user).select_related("status", "agent")
    if query.q:
        hosts = hosts.filter(hostname__icontains=query.q) | hosts.filter(
            address__icontains=query.q
        )
    if query.group.isdecimal():
        chosen = groups_of(user).filter(pk=query.group).values_list("pk", flat=True)
        hosts = in_groups(hosts, chosen)
    return hosts


def _by_values(hosts: QuerySet[Host], query: FleetQuery) -> list[int]:
    """Give the keys of hosts whose current values are those asked for, in the order asked for."""
    keys = list(hosts.values_list("pk", flat=True))
    if query.state:
        seen = current.values_of(current.SEEN)
        keys = [key for key in keys if _state_of(seen.get(key)) == query.state]
    if query.known_metric and (query.least or query.most):
        known = current.values_of(query.known_metric)
        least, most = _number(query.least, -math.inf), _number(query.most, math.inf)
        keys = [key for key in keys if key in known and least <= known[key] <= most]
    if not query.sorted_by:
        return keys
    values = current.values_of(query.sorted_by)
    return by_value(keys, values.get, descending=query.sort.startswith("-"))


def _state_of(seen: float | None) -> str:
    if seen is None:
        return "never"
    silent = time.time() - seen > settings.AGENT_SILENT_SECONDS
    return "silent" if silent else "reporting"


def _number(text: str, otherwise: float) -> float:
    try:
        found = float(text)
    except ValueError:
        return otherwise
    return otherwise if math.isnan(found) else found


def busiest(user: Any, most: int) -> list[Reading]:
    """Give the hosts that report now and use the most CPU; those that fell silent only where nobody reports.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    cpu, seen = current.values_of("cpu.busy_percent"), current.values_of(current.SEEN)
    known = [
        key for key in watched_hosts(user).values_list("pk", flat=True) if key in cpu
    ]
    late = time.time() - settings.AGENT_SILENT_SECONDS
    reporting = [key for key in known if seen.get(key, 0.0) > late]
    chosen = by_value(reporting or known, cpu.get, descending=True)[:most]
    rows = Host.objects.select_related("status", "agent").in_bulk(chosen)
    return readings(rows[key] for key in chosen if key in rows)


def by_value(
    keys: Sequence[int], value: Callable[[int], float | None], *, descending: bool
) -> list[int]:
    """Sort hosts by a value; those without one come last either way."""
    known = [key for key in keys if value(key) is not None]
    unknown = [key for key in keys if value(key) is None]
    known.sort(key=lambda key: value(key) or 0.0, reverse=descending)
    return known + unknown
