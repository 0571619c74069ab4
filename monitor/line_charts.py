"""Lines of many hosts as JSON for charts.js: hosts side by side, a group together, the highest of it."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from monitor.charts import line_json, unit_of
from monitor.group_reading import ManySeries
from monitor.many_lines import coverage_of
from monitor.series import Series

# Lines beside those of the group together.
MOST_TOP = 20
WAYS = ("average", "sum", "highest", "top")


def side_by_side(
    found: ManySeries, metric: str, names: Mapping[int, str]
) -> dict[str, Any]:
    """Give a chart with a line for each host.

    Args:
        names: host id -> name, in the order of the lines.
    """
    lines = [
        _host_line(found, host_id, name)
        for host_id, name in names.items()
        if host_id in found.lines
    ]
    return axis_json(found) | _about(found, metric, len(names)) | {"series": lines}


def of_group(
    found: ManySeries, metric: str, names: Mapping[int, str], way: str, top: int = 5
) -> dict[str, Any]:
    """Give a group as one line, or as lines of its highest hosts; the axis is that of `axis_json`.

    Args:
        way: "average" (with the band from lowest to highest), "sum", "highest" or "top".
        names: host id -> name of all its hosts.
    """
    about = _about(found, metric, len(names))
    if way == "top":
        chosen = found.top(min(top, MOST_TOP))
        return about | {
            "series": [_host_line(found, key, names[key]) for key in chosen]
        }
    lines = {
        "average": (_("Average"), Series(found.average, found.low, found.high)),
        "sum": (_("Sum"), Series(found.total, found.total, found.total)),
        "highest": (_("Highest"), Series(found.high, found.high, found.high)),
    }
    title, line = lines[way]
    banded = way == "average"
    return about | {"series": [line_json(title, line, metric=metric, banded=banded)]}


def _host_line(found: ManySeries, host_id: int, name: str) -> dict[str, Any]:
    line = found.lines[host_id]
    url = reverse("monitor:host", args=[host_id])
    return line_json(name, Series(line, line, line), url=url)


def axis_json(found: ManySeries) -> dict[str, Any]:
    """Give what the charts of such a set share: {times, start, end, resolution}, in Unix seconds."""
    return {
        "times": [round(time) for time in found.times],
        "start": found.start,
        "end": found.end,
        "resolution": found.resolution,
    }


def _about(found: ManySeries, metric: str, hosts: int) -> dict[str, Any]:
    return {"unit": unit_of(metric), "coverage": round(coverage_of(found, hosts), 4)}
