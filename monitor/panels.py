"""What this room hangs on pages of rooms below, and shows on its own."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from cmdb.models import Host
from monitor import ranges, selectors
from monitor.chart_list import Chart, charts_for
from monitor.marks import marks_of
from monitor.store import StoreUnavailable

MOST_EVENTS = 30


def charts_of_host(request: HttpRequest, host: Host) -> Mapping[str, Any]:
    """Give what monitor/_host_charts.html draws: charts, ranges to choose from, and what happened meanwhile."""
    span = ranges.span_of(request.GET)
    url = f"{reverse('monitor:host_charts', args=[host.pk])}?{span.query}"
    happened = marks_of(request.user, host, span)
    return {
        "object": host,
        "charts": [
            {
                "id": f"chart-{chart.key.replace('.', '-')}",
                "key": chart.key,
                "title": chart.title,
                "url": url,
                "refresh": span.refresh,
            }
            for chart in charts_of(host)
        ],
        "ranges": ranges.choices(span),
        "span": span,
        "events": happened[: -MOST_EVENTS - 1 : -1],
        "agent": getattr(host, "agent", None),
    }


def charts_of(host: Host) -> list[Chart]:
    """List the charts of a host by what it reported last; the usual ones where the store is away."""
    try:
        return charts_for(selectors.names_of(host.pk))
    except StoreUnavailable:
        return charts_for(())
