"""Hosts side by side: the page on which they and the metrics are chosen, and the lines of each chart."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import requires
from cmdb.models import Host
from monitor import ranges, selectors
from monitor.chart_answers import answer
from monitor.line_charts import side_by_side
from monitor.many_lines import lines_of
from monitor.marks import marks_of_many
from monitor.metric_choices import metric_choices
from monitor.metrics import CATALOGUE
from monitor.titles import title_of

# Lines of one chart that can be told apart, and charts of one page.
MOST_HOSTS, MOST_METRICS = 8, 6
USUAL = ("cpu.busy_percent", "memory.used_percent")


@requires(selectors.PERMISSION)
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Show chosen hosts side by side, one chart a metric."""
    hosts, span = _hosts(request), ranges.span_of(request.GET, "6h")
    metrics = _metrics(request)
    chosen = [("host", host.pk) for host in hosts]
    charts = [
        {
            "id": f"chart-{number}",
            "title": title_of(metric),
            "url": f"{reverse('monitor:compare_lines')}?{urlencode([*chosen, ('metric', metric)])}&{span.query}",
            "refresh": span.refresh,
            "tall": True,
        }
        for number, metric in enumerate(metrics, 1)
    ]
    context = {
        "page_title": _("Compare hosts"),
        "crumbs": [(_("Fleet"), reverse("monitor:fleet")), (_("Compare hosts"), None)],
        "hosts": hosts,
        "chosen_metrics": metrics,
        "metrics": metric_choices(),
        "charts": charts if hosts else [],
        "ranges": ranges.choices(span),
        "span": span,
        "most": MOST_HOSTS,
    }
    return render(request, "monitor/compare.html", context)


@requires(selectors.PERMISSION)
@require_safe
def compare_lines(request: HttpRequest) -> HttpResponse:
    """Give a line of the metric for each chosen host as JSON."""
    hosts, metric = _hosts(request), _metrics(request)[0]
    span = ranges.span_of(request.GET, "6h")
    names = {host.pk: host.hostname for host in hosts}
    found = lines_of(list(names), metric, span)
    marks = marks_of_many(request.user, list(names), span)
    return answer(side_by_side(found, metric, names) | {"marks": marks})


def _hosts(request: HttpRequest) -> list[Host]:
    """Give the chosen hosts that the reader may look at."""
    keys = [
        key for key in request.GET.getlist("host") if key.isascii() and key.isdecimal()
    ]
    asked = [int(key) for key in keys if len(key) < 16][: MOST_HOSTS * 4]
    rows = selectors.watched_hosts(request.user).filter(pk__in=asked)
    return list(rows.order_by("hostname", "pk")[:MOST_HOSTS])


def _metrics(request: HttpRequest) -> list[str]:
    known = [name for name in request.GET.getlist("metric") if name in CATALOGUE]
    return list(dict.fromkeys(known))[:MOST_METRICS] or list(USUAL)
