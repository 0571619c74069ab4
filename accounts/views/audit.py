"""The audit trail as pages."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from accounts import selectors
from accounts.filters import AuditFilter
from accounts.tables import AuditTable
from accounts.views.pages import me
from adminset.http import requires

ROWS_A_PAGE = 50
LATEST = 8


@requires("adminset.view_auditentry")
@require_safe
def audit_list(request: HttpRequest) -> HttpResponse:
    """Show the audit trail, newest first, as the filter narrows it."""
    filterset = AuditFilter(
        request.GET, selectors.audit_trail(me(request)), request=request
    )
    table = AuditTable(filterset.qs, request=request)
    RequestConfig(request, paginate=False).configure(table)
    table.paginator = Paginator(table.rows, ROWS_A_PAGE)
    table.page = table.paginator.get_page(request.GET.get("page"))
    context = {
        "table": table,
        "page": table.page,
        "total": table.page.paginator.count,
        "per_page": ROWS_A_PAGE,
        "filterset": filterset,
        "q": request.GET.get("q", ""),
        "is_filtered": bool(filterset.form.changed_data),
        "page_title": _("Audit trail"),
    }
    template = "accounts/audit_list.html"
    if request.headers.get("HX-Request"):
        template = "accounts/_audit_list.html"
    answer = render(request, template, context)
    answer["Vary"] = "HX-Request"
    return answer


@requires("adminset.view_auditentry")
@require_safe
def audit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one line of the trail: what changed from what to what, and what else the same request did."""
    trail = selectors.audit_trail(me(request))
    entry = get_object_or_404(trail, pk=pk)
    same = (
        trail.filter(request_id=entry.request_id).exclude(request_id="").exclude(pk=pk)
    )
    title = _("Entry %(number)s") % {"number": entry.pk}
    context = {
        "entry": entry,
        "changes": selectors.labelled_changes(entry),
        "target_url": selectors.target_url(me(request), entry),
        "same_request": same[:LATEST],
        "page_title": title,
        "crumbs": [(_("Audit trail"), reverse("accounts:audit_list")), (title, None)],
    }
    return render(request, "accounts/audit_detail.html", context)


@requires("adminset.view_auditentry")
@require_safe
def card(request: HttpRequest) -> HttpResponse:
    """Draw the card of the home page: what happened last."""
    rows = [
        {
            "title": f"{entry.actor_name}: {entry.what} {entry.target_name}",
            "url": reverse("accounts:audit_detail", args=[entry.pk]),
            "when": entry.at,
        }
        for entry in selectors.audit_trail(me(request))[:LATEST]
    ]
    context = {
        "rows": rows,
        "more_url": reverse("accounts:audit_list"),
        "empty": _("Nothing has happened yet."),
    }
    return render(request, "components/_card.html", context)
