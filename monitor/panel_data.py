"""What a panel of a dashboard shows to a reader: a number, a table, a map or lines of the hosts that he may look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from cmdb.membership import in_groups
from monitor import current
from monitor.charts import unit_of
from monitor.dashboard_panels import Panel
from monitor.heat_map import Block, block_of, top_of
from monitor.line_charts import axis_json, of_group
from monitor.many_lines import lines_of as read_lines
from monitor.marks import marks_of_many
from monitor.ranges import Span
from monitor.selectors import groups_of, watched_hosts

Names = Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Number:
    """One number of many hosts: its value (None: nobody sent one), and how many of the hosts it is of."""

    value: float | None
    known: int
    hosts: int


def hosts_of(user: Any, panel: Panel) -> dict[int, str]:
    """Map the panel's hosts that the reader may look at to their names, by name."""
    rows = watched_hosts(user)
    if panel.hosts:
        rows = rows.filter(pk__in=panel.hosts)
    elif panel.group:
        seen = groups_of(user).filter(pk=panel.group).values_list("pk", flat=True)
        rows = in_groups(rows, seen)
    return dict(rows.order_by("hostname", "pk").values_list("pk", "hostname"))


def number_of(user: Any, panel: Panel) -> Number:
    """Give the newest values as one number.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    names, values = hosts_of(user, panel), current.values_of(panel.metric)
    known = [values[key] for key in names if key in values]
    if not known:
        return Number(None, 0, len(names))
    ways = {"sum": sum(known), "average": sum(known) / len(known)}
    return Number(ways.get(panel.way, max(known)), len(known), len(names))


def highest_of(user: Any, panel: Panel) -> list[dict[str, Any]]:
    """Give the hosts with the highest newest values: {pk, name, value}, the highest first.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    names, values = hosts_of(user, panel), current.values_of(panel.metric)
    return [
        {"pk": key, "name": names[key], "value": values[key]}
        for key in _highest(names, values, panel.top)
    ]


def map_of(user: Any, panel: Panel) -> Block:
    """Give the hosts as squares.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    names, values = hosts_of(user, panel), current.values_of(panel.metric)
    top = top_of(panel.metric, (values[key] for key in names if key in values))
    return block_of(None, list(names), names, values, top, unit_of(panel.metric))


def lines_of(user: Any, panel: Panel, span: Span) -> dict[str, Any]:
    """Give the lines as JSON for charts.js; `hosts_left_out` of them were too many.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    names = hosts_of(user, panel)
    if panel.way == "top":
        # Only the lines that are drawn are read: which hosts are high says their newest value.
        values = current.values_of(panel.metric)
        chosen = {key: names[key] for key in _highest(names, values, panel.top)}
        left_out = 0
    else:
        chosen = dict(list(names.items())[: settings.GROUP_CHART_HOSTS])
        left_out = len(names) - len(chosen)
    found = read_lines(chosen, panel.metric, span)
    lines = of_group(found, panel.metric, chosen, panel.way, panel.top)
    marks = marks_of_many(user, list(chosen), span)
    return axis_json(found) | lines | {"hosts_left_out": left_out, "marks": marks}


def _highest(names: Names, values: Mapping[int, float], most: int) -> list[int]:
    known = [key for key in names if key in values]
    return sorted(known, key=lambda key: (-values[key], names[key]))[:most]
