"""The four DORA figures: how often, how soon, how many went wrong, how soon mended; by project and environment."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import requires
from adminset.measures import duration, percent
from adminset.navigation import tabs_for
from adminset.texts import number_of
from appconf.models import Environment, Project
from delivery.history.drawing import bars_of
from delivery.history.figures import Figures
from delivery.history.gathering import PERIODS, Line, gathered
from delivery.models import Deploy
from delivery.pages.showing import head
from delivery.tabs import TABS

USUAL = 90


@requires("delivery.view_deploy")
@require_safe
def dora(request: Any) -> HttpResponse:
    """Show the figures of a period, of all that the reader may see or of one project or kind of environment."""
    asked = number_of(request.GET.get("days"))
    days = asked if asked in PERIODS else USUAL
    projects = Project.objects.visible_to(request.user).order_by("name")
    project = projects.filter(pk=number_of(request.GET.get("project")) or 0).first()
    kind = request.GET.get("kind", "")
    kind = kind if kind in Environment.Kind.values else ""
    narrowed: dict[str, Any] = {}
    if project is not None:
        narrowed["environment__project"] = project
    if kind:
        narrowed["environment__kind"] = kind
    every, parts = gathered(request.user, days, **narrowed)
    context = head(_("DORA figures")) | {
        "figures": every,
        "tiles": tiles_of(every),
        "bars": bars_of(every.weeks),
        "leads": [week.lead for week in every.weeks],
        "lines": _lines(request.user, parts),
        "days": days,
        "periods": PERIODS,
        "projects": projects[:500],
        "project": project,
        "kind": kind,
        "kinds": Environment.Kind.choices,
        "tabs": tabs_for(request, TABS),
        "anything": Deploy.objects.visible_to(request.user).exists(),
    }
    return render(request, "delivery/dora.html", context)


def tiles_of(figures: Figures) -> list[dict[str, Any]]:
    """Give the four figures as tiles, each with its unit and what it stands on."""
    nothing = _("no data")
    per_week = figures.per_week
    failed = figures.failure_percent
    return [
        {
            "label": _("Deploys that went live"),
            "value": nothing if per_week is None else f"{per_week:.1f}",
            "unit": "" if per_week is None else _("a week"),
            "note": _("%(count)s in %(days)s days")
            % {"count": figures.went, "days": figures.days},
        },
        {
            "label": _("From commit to live (median)"),
            "value": nothing if figures.lead is None else duration(figures.lead),
            "note": _("known of %(known)s of %(count)s")
            % {"known": figures.lead_known, "count": figures.went},
        },
        {
            "label": _("Changes that failed"),
            "value": nothing if failed is None else percent(failed),
            "note": _("%(failed)s of %(count)s that reached hosts")
            % {"failed": figures.failed, "count": figures.changes},
        },
        {
            "label": _("Until it was mended (median)"),
            "value": nothing if figures.restore is None else duration(figures.restore),
            "note": _restore_note(figures),
        },
    ]


def _restore_note(figures: Figures) -> str:
    if figures.broken:
        words = _("%(count)s times; %(broken)s not mended yet")
        return words % {"count": figures.restored, "broken": figures.broken}
    if not figures.failed:
        return _("nothing failed")
    return _("%(count)s times") % {"count": figures.restored}


def _lines(user: Any, parts: dict[tuple[int, int], Figures]) -> list[Line]:
    ids = [environment for _project, environment in parts]
    rows = Environment.objects.visible_to(user).select_related("project")
    found = rows.in_bulk(ids)
    lines = [
        Line(found[key[1]].project, found[key[1]], figures)
        for key, figures in parts.items()
        if key[1] in found
    ]
    return sorted(lines, key=lambda one: (one.project.name, one.environment.position))
