"""Pages of one host: its charts, the data behind them, and the tables of what it does now."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import requires
from cmdb.models import Host
from monitor import charts, host_tables, losses, ranges, selectors
from monitor.chart_answers import answer
from monitor.chart_list import BY_KEY
from monitor.marks import marks_of
from monitor.panels import charts_of, charts_of_host
from monitor.store import StoreUnavailable

# A page that watches live asks for what came since; one that slept is given this much at most.
LIVE_SECONDS = 900
LIVE_POINTS = 1000


@requires(selectors.PERMISSION)
@require_safe
def host_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the charts of one host, and under them its tables."""
    host = watched_host(request, pk)
    context = dict(charts_of_host(request, host)) | {
        "page_title": host.hostname,
        "crumbs": [(_("Fleet"), reverse("monitor:fleet")), (host.hostname, None)],
    }
    return render(request, "monitor/host.html", context)


@requires(selectors.PERMISSION)
@require_safe
def host_charts(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the lines of all charts of a host's page as JSON; with `since` (Unix seconds) only what came after it."""
    host = watched_host(request, pk)
    span, since = ranges.span_of(request.GET), request.GET.get("since", "")
    shown = charts_of(host)
    patterns = [pattern for chart in shown for pattern in chart.patterns]
    start, points = span.start, selectors.MOST_POINTS
    if since:
        start, points = _since(since, span.end), LIVE_POINTS
    found = selectors.chart(host.pk, patterns, start, span.end, points)
    data = charts.page_json(shown, found)
    if not since:
        happened = marks_of(request.user, host, span)
        data["marks"] = [mark.as_json() for mark in happened]
    return answer(data)


@requires(selectors.PERMISSION)
@require_safe
def host_chart(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Give the lines of one chart as JSON."""
    host = watched_host(request, pk)
    chart = BY_KEY.get(key)
    if chart is None:
        raise Http404(_("There is no such chart."))
    span = ranges.span_of(request.GET)
    found = selectors.chart(host.pk, chart.patterns, span.start, span.end)
    return answer(charts.chart_json(chart, found))


@requires(selectors.PERMISSION)
@require_safe
def host_state(request: HttpRequest, pk: int) -> HttpResponse:
    """Draw what of a host's reports was left out, and the tables of what it does now: disks, processes, units ..."""
    host = watched_host(request, pk)
    context: dict[str, Any] = {"object": host, "left_out_days": settings.LEFT_OUT_DAYS}
    try:
        context["tables"] = host_tables.tables_of(host.pk)
        context["losses"] = losses.losses_of(host)
    except StoreUnavailable as error:
        context["error"] = error
    return render(request, "monitor/_host_tables.html", context)


def watched_host(request: HttpRequest, pk: int) -> Host:
    """Find a host whose measurements the reader may look at, or answer that there is none."""
    return get_object_or_404(
        selectors.watched_hosts(request.user).select_related("agent", "status"), pk=pk
    )


def _since(text: str, end: float) -> float:
    """Read from when on a page wants what is new: a hair after the newest that it has."""
    plain = text.isascii() and text.replace(".", "", 1).isdecimal() and len(text) < 20
    asked = float(text) if plain else end
    return min(max(asked + 0.001, end - LIVE_SECONDS), end)
