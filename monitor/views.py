"""Pages of how hosts feel: the fleet, one host, the data behind a chart."""

import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import is_htmx, requires
from cmdb.models import Host
from monitor import charts, selectors
from monitor.fleet import COLUMNS, FleetQuery, busiest, fleet
from monitor.panels import charts_of_host
from monitor.store import StoreUnavailable

# Hosts on the home card.
CARD_ROWS = 6


@requires(selectors.PERMISSION)
@require_safe
def fleet_page(request: HttpRequest) -> HttpResponse:
    """Show all hosts with their newest values; only the table for htmx."""
    asked = FleetQuery(
        **{
            name: request.GET[name].replace("\x00", "")[:200]
            for name in ("q", "group", "sort", "page")
            if name in request.GET
        }
    )
    context: dict[str, Any] = {
        "page_title": _("Fleet"),
        "asked": asked,
        "columns": COLUMNS,
    }
    context["groups"] = selectors.groups_of(request.user)
    try:
        page, rows = fleet(request.user, asked)
        context |= {"page": page, "rows": [row_of(reading) for reading in rows]}
    except StoreUnavailable as error:
        context["error"] = error
    return render(
        request,
        "monitor/_fleet.html" if is_htmx(request) else "monitor/fleet.html",
        context,
    )


def row_of(reading: selectors.Reading) -> dict[str, Any]:
    """Give what one row of the fleet shows."""
    seen = datetime.fromtimestamp(reading.seen_at, UTC) if reading.seen_at else None
    late = (
        reading.seen_at is None
        or time.time() - reading.seen_at > settings.AGENT_SILENT_SECONDS
    )
    return {"reading": reading, "host": reading.host, "seen_at": seen, "late": late}


@requires(selectors.PERMISSION)
@require_safe
def host_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the charts of one host."""
    host = _host(request, pk)
    context = dict(charts_of_host(request, host)) | {
        "object": host,
        "page_title": host.hostname,
        "crumbs": [(_("Fleet"), reverse("monitor:fleet")), (host.hostname, None)],
    }
    return render(request, "monitor/host.html", context)


@requires(selectors.PERMISSION)
@require_safe
def host_chart(request: HttpRequest, pk: int, key: str) -> JsonResponse:
    """Give the lines of one chart as JSON."""
    host = _host(request, pk)
    chart = charts.BY_KEY.get(key)
    if chart is None:
        raise Http404(_("There is no such chart."))
    end = time.time()
    start = end - charts.RANGES[charts.chosen_range(request.GET.get("range", ""))]
    return JsonResponse(
        charts.as_json(chart, selectors.chart(host.pk, chart.patterns, start, end))
    )


def _host(request: HttpRequest, pk: int) -> Host:
    return get_object_or_404(
        selectors.watched_hosts(request.user).select_related("agent", "status"), pk=pk
    )


@requires(selectors.PERMISSION)
@require_safe
def card(request: HttpRequest) -> HttpResponse:
    """Draw the home card: the busiest hosts."""
    try:
        rows = busiest(request.user, CARD_ROWS)
    except StoreUnavailable as error:
        return render(request, "monitor/_card.html", {"error": error})
    return render(
        request, "monitor/_card.html", {"rows": [row_of(row) for row in rows]}
    )
