"""The pages on which a dashboard is looked at, built, and carried from portal to portal."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from adminset.errors import DomainError
from adminset.http import requires
from adminset.querysets import may
from monitor import charts, dashboards, panel_data, ranges
from monitor.dashboard_forms import DashboardFileForm, PanelForm
from monitor.dashboard_models import Dashboard
from monitor.dashboard_panels import Panel, panels_of
from monitor.store import StoreUnavailable

VIEW, CHANGE, ADD = (
    f"monitor.{action}_dashboard" for action in ("view", "change", "add")
)
USUAL_RANGE = "6h"
# What is no chart asks again after so many seconds.
REFRESH = 30


@requires(VIEW)
@require_safe
def dashboard_board(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a dashboard's panels."""
    dashboard = _dashboard(request, pk)
    context = _board(request, dashboard) | {
        "crumbs": [
            (_("Dashboards"), reverse("monitor:dashboard_list")),
            (dashboard.name, None),
        ],
        "may_change": may(request.user, "change", dashboard),
    }
    return render(request, "monitor/board.html", context)


@requires(VIEW)
@require_safe
def dashboard_kiosk(request: HttpRequest, pk: int) -> HttpResponse:
    """Show nothing but a dashboard's panels, for a screen on the wall."""
    context = _board(request, _dashboard(request, pk))
    return render(request, "monitor/kiosk.html", context)


def _board(request: HttpRequest, dashboard: Dashboard) -> dict[str, Any]:
    span = ranges.span_of(request.GET, USUAL_RANGE)
    return {
        "page_title": dashboard.name,
        "subtitle": dashboard.description,
        "dashboard": dashboard,
        "panels": [
            _drawn(dashboard, panel, span) for panel in panels_of(dashboard.panels)
        ],
        "ranges": ranges.choices(span),
        "span": span,
    }


def _drawn(dashboard: Dashboard, panel: Panel, span: ranges.Span) -> dict[str, Any]:
    name = "lines" if panel.kind == "line" else "panel"
    url = reverse(f"monitor:dashboard_{name}", args=[dashboard.pk, panel.id])
    return {
        "panel": panel,
        "id": f"panel-{panel.id}",
        "title": panel.name,
        "url": f"{url}?{span.query}",
        "refresh": span.refresh if panel.kind == "line" else REFRESH,
    }


@requires(VIEW)
@require_safe
def dashboard_panel(request: HttpRequest, pk: int, panel: str) -> HttpResponse:
    """Draw a panel that is no chart."""
    shown = _panel(_dashboard(request, pk), panel)
    context: dict[str, Any] = {"panel": shown, "unit": charts.unit_of(shown.metric)}
    kinds = {
        "stat": panel_data.number_of,
        "table": panel_data.highest_of,
        "heat": panel_data.map_of,
    }
    read = kinds.get(shown.kind)
    if read is None:
        raise Http404(_("This panel is a chart."))
    try:
        context["data"] = read(request.user, shown)
    except StoreUnavailable as error:
        context["error"] = error
    return render(request, "monitor/_panel.html", context)


@requires(VIEW)
@require_safe
def dashboard_lines(request: HttpRequest, pk: int, panel: str) -> JsonResponse:
    """Give the lines of a panel as JSON."""
    shown = _panel(_dashboard(request, pk), panel)
    span = ranges.span_of(request.GET, USUAL_RANGE)
    return JsonResponse(panel_data.lines_of(request.user, shown, span))


@requires(CHANGE)
def dashboard_panel_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a new panel."""
    return _panel_form(request, _dashboard(request, pk, "change"), None)


@requires(CHANGE)
def dashboard_panel_edit(request: HttpRequest, pk: int, panel: str) -> HttpResponse:
    """Take changes to a panel."""
    dashboard = _dashboard(request, pk, "change")
    return _panel_form(request, dashboard, _panel(dashboard, panel))


def _panel_form(
    request: HttpRequest, dashboard: Dashboard, panel: Panel | None
) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = PanelForm(data, user=request.user, panel=panel)
    board = dashboard.get_absolute_url()
    if data is not None and form.is_valid():
        try:
            dashboards.put_panel(
                actor=request.user, dashboard=dashboard, panel=form.as_panel()
            )
            return redirect(board)
        except DomainError as error:
            form.add_error(None, error.message)
    title = _("Change the panel") if panel else _("Add a panel")
    context = {
        "page_title": title,
        "crumbs": [(dashboard.name, board), (title, None)],
        "form": form,
        "cancel_url": board,
    }
    status = 422 if form.errors else 200
    return render(request, "generic/form.html", context, status=status)


@requires(CHANGE)
@require_POST
def dashboard_panel_drop(request: HttpRequest, pk: int, panel: str) -> HttpResponse:
    """Take a panel away."""
    dashboard = _dashboard(request, pk, "change")
    dashboards.drop_panel(actor=request.user, dashboard=dashboard, panel_id=panel)
    return redirect(dashboard.get_absolute_url())


@requires(CHANGE)
@require_POST
def dashboard_panel_move(request: HttpRequest, pk: int, panel: str) -> HttpResponse:
    """Move a panel one place on, or back with `back`."""
    dashboard = _dashboard(request, pk, "change")
    by = -1 if request.POST.get("back") else 1
    dashboards.move_panel(
        actor=request.user, dashboard=dashboard, panel_id=panel, by=by
    )
    return redirect(dashboard.get_absolute_url())


@requires(VIEW)
@require_safe
def dashboard_export(request: HttpRequest, pk: int) -> JsonResponse:
    """Give a dashboard as a file."""
    dashboard = _dashboard(request, pk)
    answer = JsonResponse(
        dashboards.as_file(request.user, dashboard),
        json_dumps_params={"indent": 2, "ensure_ascii": False},
    )
    name = slugify(dashboard.name) or f"dashboard-{dashboard.pk}"
    answer["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return answer


@requires(ADD)
def dashboard_take(request: HttpRequest) -> HttpResponse:
    """Make a dashboard of a file."""
    sent = request.method == "POST"
    form = (
        DashboardFileForm(request.POST, request.FILES) if sent else DashboardFileForm()
    )
    if sent and form.is_valid():
        try:
            document = form.cleaned_data["document"]
            made = dashboards.take_file(actor=request.user, document=document)
            messages.success(request, _("%(name)s is saved.") % {"name": made})
            return redirect(made)
        except DomainError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
    context = {
        "page_title": _("Bring a dashboard"),
        "crumbs": [
            (_("Dashboards"), reverse("monitor:dashboard_list")),
            (_("Bring a dashboard"), None),
        ],
        "form": form,
        "cancel_url": reverse("monitor:dashboard_list"),
    }
    status = 422 if form.errors else 200
    return render(request, "generic/form.html", context, status=status)


def _dashboard(request: HttpRequest, pk: int, action: str = "view") -> Dashboard:
    rows = Dashboard.objects.visible_to(request.user, action)
    return get_object_or_404(rows, pk=pk)


def _panel(dashboard: Dashboard, panel_id: str) -> Panel:
    for panel in panels_of(dashboard.panels):
        if panel.id == panel_id:
            return panel
    raise Http404(_("This panel is no longer there."))
