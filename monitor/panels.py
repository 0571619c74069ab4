"""What this room hangs on pages of rooms below, and shows on its own."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from cmdb.models import Host
from monitor import charts


def charts_of_host(request: HttpRequest, host: Host) -> Mapping[str, Any]:
    """Give what monitor/_host_charts.html draws: the charts of a host and the ranges to choose from."""
    chosen = charts.chosen_range(request.GET.get("range", ""))
    return {
        "charts": [
            {
                "id": f"chart-{chart.key}",
                "title": chart.title,
                "url": reverse("monitor:host_chart", args=[host.pk, chart.key])
                + f"?range={chosen}",
                "refresh": charts.REFRESH_SECONDS[chosen],
            }
            for chart in charts.CHARTS
        ],
        "ranges": [
            {"key": key, "title": charts.RANGE_TITLES[key], "active": key == chosen}
            for key in charts.RANGES
        ],
        "agent": getattr(host, "agent", None),
    }
