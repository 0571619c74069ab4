"""Service checks: one declaration, pages and REST endpoints follow from it."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter
from adminset.crud.resource import Action, Panel, Resource
from monitor.checks import flips, samples, uptime
from monitor.checks.forms import TIMES, ServiceCheckForm
from monitor.checks.services import save_check
from monitor.checks.tables import ServiceCheckTable
from monitor.models import ServiceCheck
from monitor.watched_models import Watched

MOST_FLIPS = 50
TABS = ("monitor:servicecheck_list", "monitor:heartbeat_list")
CHANGE = "monitor.change_servicecheck"
FOUND = ("state", "sentence", "since", "latency_ms", "checked_at")


def history_of(watched: Watched) -> dict[str, Any]:
    """Give what a page shows of how something was: shares of windows, bars of days, changes."""
    now = timezone.now()
    spans = uptime.histories([watched], now)[watched]
    shares = uptime.percentages(spans, now)
    return {
        "shares": shares.items(),
        "bars": uptime.bars_of(spans, now),
        "flips": flips.latest_of(watched, MOST_FLIPS),
    }


def _results(request: HttpRequest, check: ServiceCheck) -> dict[str, Any]:
    return {"latencies": samples.latencies(check), **history_of(check)}


SERVICE_CHECK = Resource(
    model=ServiceCheck,
    table=ServiceCheckTable,
    form=ServiceCheckForm,
    filterset=plain_filter(
        ServiceCheck, "state", "kind", "host_group", "product_line", "enabled"
    ),
    path="service-checks",
    icon="stethoscope",
    search=("name", "target", "notes"),
    tabs=TABS,
    panels=(Panel("results", _("Results"), "monitor/_check_results.html", _results),),
    actions=(
        Action(
            _("Ask now"),
            "monitor:servicecheck_ask",
            "rotate",
            CHANGE,
            post=True,
            when=lambda check: check.enabled,
        ),
        Action(
            _("Pause"),
            "monitor:servicecheck_pause",
            "pause",
            CHANGE,
            post=True,
            when=lambda check: check.enabled,
        ),
        Action(
            _("Go on"),
            "monitor:servicecheck_resume",
            "play",
            CHANGE,
            post=True,
            when=lambda check: not check.enabled,
        ),
    ),
    detail_fields=(*FOUND, *ServiceCheckForm.Meta.fields),
    bulk_fields=(*TIMES, "enabled", "host_group", "product_line", "site", "notes"),
    import_fields=tuple(
        name for name in ServiceCheckForm.Meta.fields if name != "secret_header"
    ),
    api_fields=(
        *(name for name in ServiceCheckForm.Meta.fields if name != "secret_header"),
        *FOUND,
    ),
    list_queryset=lambda rows: rows.select_related(
        "host", "host_group", "product_line"
    ),
    save=save_check,
)
