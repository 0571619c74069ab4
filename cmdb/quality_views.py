"""The pages of what the portal knows of the fleet as a whole: the data quality, and the dashboard with its pictures."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import requires
from adminset.navigation import tabs_for
from cmdb import dashboard, quality
from cmdb.quality import Found

PERMISSION = "cmdb.view_host"
TABS = ("cmdb:dashboard", "cmdb:quality")
CARD_TILES = 6


def _url(found: Found) -> str:
    """Give the address of the host list with what a check is about."""
    asked = urlencode({"quality": found.check.key})
    return f"{reverse('cmdb:host_list')}?{asked}"


def _rows(found: list[Found]) -> list[dict[str, Any]]:
    return [
        {"check": each.check, "number": each.number, "url": _url(each)}
        for each in found
    ]


@requires(PERMISSION)
@require_safe
def quality_page(request: HttpRequest) -> HttpResponse:
    """Show what is wrong or missing, each with its number of hosts and the way to them."""
    found = quality.findings(request.user)
    context = {
        "page_title": _("Data quality"),
        "tabs": tabs_for(request, TABS),
        "rows": _rows([each for each in found if each.number]),
        "clean": [each.check.title for each in found if not each.number],
    }
    return render(request, "cmdb/quality.html", context)


@requires(PERMISSION)
@require_safe
def quality_card(request: HttpRequest) -> HttpResponse:
    """Draw the card of the home page: the worst first, then what is about the most hosts."""
    order = {"danger": 0, "warning": 1, "idle": 2}
    found = [each for each in quality.findings(request.user) if each.number]
    found.sort(key=lambda each: (order[each.check.state], -each.number))
    tiles = [
        {
            "label": each.check.title,
            "value": each.number,
            "url": _url(each),
            "state": each.check.state.replace("idle", ""),
        }
        for each in found[:CARD_TILES]
    ]
    context = {
        "tiles": tiles,
        "empty": _("Nothing is wrong with what is known of your hosts."),
        "more_url": reverse("cmdb:quality"),
    }
    return render(request, "components/_card.html", context)


@requires(PERMISSION)
@require_safe
def dashboard_page(request: HttpRequest) -> HttpResponse:
    """Show the hosts by where they stand, what they are and how they are: a picture and a table each."""
    url = reverse("cmdb:dashboard_chart")
    context = {
        "page_title": _("Dashboard"),
        "tabs": tabs_for(request, TABS),
        "ways": [
            {
                "key": way.key,
                "title": way.title,
                "url": f"{url}?{urlencode({'by': way.key})}",
                "parts": dashboard.parts(way, request.user),
            }
            for way in dashboard.ways_for(request.user)
        ],
    }
    return render(request, "cmdb/dashboard.html", context)


@requires(PERMISSION)
@require_safe
def dashboard_chart(request: HttpRequest) -> JsonResponse:
    """Give the bars of one way to count as JSON; `by` says which, at first the first."""
    known = {way.key: way for way in dashboard.ways_for(request.user)}
    asked = request.GET.get("by", "kind")
    if asked not in known:
        raise Http404
    return JsonResponse(dashboard.bars(dashboard.parts(known[asked], request.user)))
