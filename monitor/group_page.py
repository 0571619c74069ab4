"""A host group as a whole: sum, average, highest and the hosts that stand out, of any metric."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_safe

from adminset.http import requires
from cmdb.membership import in_groups
from cmdb.models import HostGroup
from monitor import current, ranges, selectors
from monitor.chart_answers import answer
from monitor.charts import unit_of
from monitor.line_charts import MOST_TOP, WAYS, axis_json, of_group
from monitor.many_lines import lines_of
from monitor.marks import marks_of_many
from monitor.metric_choices import metric_choices
from monitor.metrics import CATALOGUE
from monitor.store import StoreUnavailable
from monitor.titles import title_of

DEFAULT = "cpu.busy_percent"
WAY_TITLES = {
    "average": _lazy("Average, from lowest to highest"),
    "sum": _lazy("Sum"),
    "highest": _lazy("Highest"),
    "top": _lazy("Highest hosts"),
}
TOPS = (3, 5, 10, MOST_TOP)


@requires(selectors.PERMISSION)
@require_safe
def hostgroup_charts(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a group as a whole: four charts of a metric, and its newest values in numbers."""
    group, metric = _group(request, pk), _metric(request)
    span, top = ranges.span_of(request.GET, "6h"), _top(request)
    lines = reverse("monitor:hostgroup_lines", args=[group.pk])
    asked: dict[str, str | int] = {"metric": metric, "top": top}
    context = {
        "page_title": group.name,
        "crumbs": [(_("Fleet"), reverse("monitor:fleet")), (group.name, None)],
        "group": group,
        "metric": metric,
        "metrics": metric_choices(),
        "top": top,
        "tops": TOPS,
        "charts": [
            {
                "id": f"chart-{way}",
                "key": way,
                "title": f"{title_of(metric)}: {WAY_TITLES[way]}",
                "url": f"{lines}?{urlencode(asked)}&{span.query}",
                "refresh": span.refresh,
            }
            for way in WAYS
        ],
        "ranges": ranges.choices(span),
        "span": span,
    }
    return render(
        request, "monitor/hostgroup.html", context | _now(request, group, metric)
    )


@requires(selectors.PERMISSION)
@require_safe
def hostgroup_lines(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the charts of a group as JSON."""
    group, metric = _group(request, pk), _metric(request)
    names = hosts_of(request.user, group)
    chosen = dict(list(names.items())[: settings.GROUP_CHART_HOSTS])
    span = ranges.span_of(request.GET, "6h")
    found = lines_of(chosen, metric, span)
    marks = marks_of_many(request.user, list(chosen), span)
    made = {way: of_group(found, metric, chosen, way, _top(request)) for way in WAYS}
    return answer(axis_json(found) | {"charts": made, "marks": marks})


def hosts_of(user: Any, group: HostGroup) -> dict[int, str]:
    """Map the hosts of a group that the reader may look at to their names, by name."""
    rows = in_groups(selectors.watched_hosts(user), [group.pk])
    return dict(rows.order_by("hostname", "pk").values_list("pk", "hostname"))


def _now(request: HttpRequest, group: HostGroup, metric: str) -> dict[str, Any]:
    """Give the newest values of a group in numbers: sum, average, lowest, highest; or why there are none."""
    names = hosts_of(request.user, group)
    try:
        values = current.values_of(metric)
    except StoreUnavailable as error:
        return {"error": error, "hosts": len(names)}
    known = sorted(values[key] for key in names if key in values)
    counted = {"hosts": len(names), "known": len(known), "unit": unit_of(metric)}
    if not known:
        return counted
    return counted | {
        "figures": {
            "sum": sum(known),
            "average": sum(known) / len(known),
            "lowest": known[0],
            "highest": known[-1],
        },
        "left_out": max(len(names) - settings.GROUP_CHART_HOSTS, 0),
    }


def _group(request: HttpRequest, pk: int) -> HostGroup:
    return get_object_or_404(selectors.groups_of(request.user), pk=pk)


def _metric(request: HttpRequest) -> str:
    metric = request.GET.get("metric", "")
    return metric if metric in CATALOGUE else DEFAULT


def _top(request: HttpRequest) -> int:
    asked = request.GET.get("top", "")
    return int(asked) if asked in {str(top) for top in TOPS} else 5
