"""Pages of how many hosts feel: the fleet, its map, the home card."""

import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import is_htmx, requires
from monitor import charts, heat_map, selectors
from monitor.fleet import COLUMNS, STATES, FleetQuery, busiest, fleet
from monitor.metric_choices import metric_choices
from monitor.store import StoreUnavailable
from monitor.titles import title_of

# Hosts on the home card.
CARD_ROWS = 6


@requires(selectors.PERMISSION)
@require_safe
def fleet_page(request: HttpRequest) -> HttpResponse:
    """Show all hosts with their newest values; only the table for htmx."""
    asked = _asked(request)
    context: dict[str, Any] = {"page_title": _("Fleet"), "asked": asked}
    context |= _choices(request) | {"columns": _columns(asked), "states": STATES}
    context["value_unit"] = charts.unit_of(asked.known_metric)
    try:
        page, rows = fleet(request.user, asked)
        context |= {"page": page, "rows": [row_of(reading) for reading in rows]}
    except StoreUnavailable as error:
        context["error"] = error
    template = "monitor/_fleet.html" if is_htmx(request) else "monitor/fleet.html"
    return render(request, template, context)


@requires(selectors.PERMISSION)
@require_safe
def fleet_map(request: HttpRequest) -> HttpResponse:
    """Show all hosts as small squares, by group, coloured by a current value; only the map for htmx."""
    asked = _asked(request)
    metric = asked.known_metric or heat_map.DEFAULT
    context = _choices(request) | {
        "page_title": _("Fleet"),
        "asked": asked,
        "metric": metric,
        "metric_title": title_of(metric),
        "unit": charts.unit_of(metric),
    }
    try:
        context["map"] = heat_map.heat_map(request.user, metric, asked.group)
    except StoreUnavailable as error:
        context["error"] = error
    template = "monitor/_map.html" if is_htmx(request) else "monitor/map.html"
    return render(request, template, context)


def _asked(request: HttpRequest) -> FleetQuery:
    names = FleetQuery.__dataclass_fields__
    return FleetQuery(
        **{
            name: request.GET[name].replace("\x00", "")[:200]
            for name in names
            if name in request.GET
        }
    )


def _choices(request: HttpRequest) -> dict[str, Any]:
    return {
        "groups": selectors.groups_of(request.user),
        "metrics": metric_choices(),
    }


def _columns(asked: FleetQuery) -> list[tuple[str, Any]]:
    metric = asked.known_metric
    further = [("value", title_of(metric))] if metric else []
    return [*COLUMNS[:-1], *further, COLUMNS[-1]]


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
def card(request: HttpRequest) -> HttpResponse:
    """Draw the home card: the busiest hosts."""
    try:
        rows = busiest(request.user, CARD_ROWS)
    except StoreUnavailable as error:
        return render(request, "monitor/_card.html", {"error": error})
    return render(
        request, "monitor/_card.html", {"rows": [row_of(row) for row in rows]}
    )
