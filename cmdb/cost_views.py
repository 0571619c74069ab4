"""The pages of what was spent: the report with its pictures, and the same as a file."""

import csv
from io import StringIO
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset import audit
from adminset.crud.export import harmless
from adminset.http import requires
from adminset.navigation import tabs_for
from cmdb import costs
from cmdb.models import Cost
from cmdb.money import told
from cmdb.resources.finance import TABS

PERMISSION = "cmdb.view_cost"
EVERY_YEAR = "all"


def _report(request: HttpRequest) -> costs.Report:
    """Sum up as the address asks; what makes no sense is as if it had not been said."""
    by, year = request.GET.get("by", ""), request.GET.get("year", "")
    by = by if by in costs.WAYS else next(iter(costs.WAYS))
    known = year.isascii() and year.isdecimal() and 1990 <= int(year[:5]) < 2200
    chosen = int(year[:5]) if known else timezone.localdate().year
    return costs.report(request.user, by, None if year == EVERY_YEAR else chosen)


def _query(report: costs.Report, **changes: Any) -> str:
    values = {"by": report.by, "year": report.year or EVERY_YEAR}
    return urlencode(values | changes)


@requires(PERMISSION)
@require_safe
def cost_report(request: HttpRequest) -> HttpResponse:
    """Show the costs by product line, kind, month or supplier; `?export=csv` gives the table as a file."""
    report = _report(request)
    if request.GET.get("export") == "csv":
        return _file(request, report)
    chart_url = reverse("cmdb:cost_chart")
    years = sorted({*costs.years_of(request.user), timezone.localdate().year})
    context = {
        "page_title": _("Cost report"),
        "tabs": tabs_for(request, TABS),
        "report": report,
        "rows": [{"row": r, "money": told(r.amount, r.currency)} for r in report.rows],
        "totals": [told(amount, name) for name, amount in report.totals.items()],
        "way": costs.WAYS[report.by],
        "ways": [
            {
                "title": title,
                "url": f"?{_query(report, by=key)}",
                "active": key == report.by,
            }
            for key, title in costs.WAYS.items()
        ],
        "years": [(str(year), str(year)) for year in reversed(years)]
        + [(EVERY_YEAR, _("all years"))],
        "year": str(report.year or EVERY_YEAR),
        "charts": [
            {
                "id": f"bars-{name}",
                "title": name,
                "url": f"{chart_url}?{_query(report, currency=name)}",
            }
            for name in report.totals
        ],
        "export_url": f"?{_query(report, export='csv')}",
    }
    return render(request, "cmdb/cost_report.html", context)


@requires(PERMISSION)
@require_safe
def cost_chart(request: HttpRequest) -> JsonResponse:
    """Give the bars of one currency as JSON."""
    return JsonResponse(_report(request).bars(request.GET.get("currency", "")))


def _file(request: HttpRequest, report: costs.Report) -> HttpResponse:
    text = StringIO()
    writer = csv.writer(text)
    heads = [costs.WAYS[report.by], _("Amount"), _("Currency"), _("Number")]
    writer.writerow([harmless(head) for head in heads])
    for row in report.rows:
        writer.writerow(
            [harmless(row.name), f"{row.amount:.2f}", row.currency, row.number]
        )
    audit.record_export(
        cast("audit.Actor", request.user),
        Cost,
        rows=len(report.rows),
        kind="csv",
        query=_query(report),
    )
    # Spreadsheets read UTF-8 only behind a byte order mark.
    answer = HttpResponse(
        f"\ufeff{text.getvalue()}", content_type="text/csv; charset=utf-8"
    )
    name = f"costs-{report.by}-{report.year or EVERY_YEAR}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
