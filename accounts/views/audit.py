"""The audit trail as pages."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import audit_selectors, selectors
from accounts.audit_filters import AuditFilter
from accounts.tables import AuditTable
from accounts.views.pages import me
from adminset import audit, audit_export, audit_verify
from adminset.crud import changes
from adminset.errors import DomainError
from adminset.http import requires
from adminset.models import AuditEntry
from adminset.streams import stream

LATEST = 8


@requires("adminset.view_auditentry")
@require_safe
def audit_list(request: HttpRequest) -> HttpResponse:
    """Show the audit trail, newest first, as the filter narrows it; or give it as a file (`?export=jsonl`)."""
    trail = selectors.audit_trail(me(request))
    filterset = AuditFilter(request.GET, trail, request=request)
    if request.GET.get("export"):
        return _download(request, filterset)
    page = audit_selectors.TrailPage(
        filterset.qs,
        filterset.verbs,
        filterset.text,
        before=audit_selectors.place_id(request.GET.get("before")),
        after=audit_selectors.place_id(request.GET.get("after")),
    )
    context = {
        "page": page,
        "table": AuditTable(page.entries, request=request),
        "total": page.total,
        "most": audit_selectors.COUNTED,
        "looked_through": audit_selectors.LOOKED_THROUGH,
        "filterset": filterset,
        "q": request.GET.get("q", ""),
        "is_filtered": bool(filterset.form.changed_data),
        "exports": True,
        "page_title": _("Audit trail"),
    }
    template = "accounts/audit_list.html"
    if request.headers.get("HX-Request"):
        template = "accounts/_audit_list.html"
    return render(request, template, context)


def _download(request: HttpRequest, filterset: AuditFilter) -> Any:
    kind = request.GET["export"]
    if kind != "jsonl":
        raise DomainError(
            _("There is no export as %(kind)s.") % {"kind": kind[:20]}, _("Use jsonl.")
        )
    query = request.GET.copy()
    for name in ("export", "before", "after"):
        query.pop(name, None)
    # Not counted first: that would take as long as the export itself.
    audit.record_export(
        me(request), AuditEntry, rows="all", kind=kind, query=query.urlencode()
    )
    batches = audit_selectors.all_lines(filterset.qs, filterset.verbs, filterset.text)
    name = f"audit-{timezone.localtime():%Y%m%d-%H%M}.jsonl"
    return stream(
        request,
        _as_text(batches),
        content_type="application/x-ndjson; charset=utf-8",
        file_name=name,
    )


def _as_text(batches: Iterator[list[AuditEntry]]) -> Iterator[str]:
    for batch in batches:
        yield "".join(f"{audit_export.as_json(entry)}\n" for entry in batch)


@requires("adminset.view_auditentry")
@require_safe
def audit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one line of the trail: what changed from what to what, its place in the chain, and what else the same request did."""
    trail = selectors.audit_trail(me(request))
    entry = selectors.with_drawn_changes([get_object_or_404(trail, pk=pk)])[0]
    same = trail.none()
    if entry.request_id:
        same = trail.filter(request_id=entry.request_id).exclude(pk=pk)
    title = _("Entry %(number)s") % {"number": entry.pk}
    about = {"target_type": entry.target_type, "target_id": entry.target_id}
    context = {
        "entry": entry,
        "can_revert": changes.may_see(me(request), entry) and changes.can_revert(entry),
        "seal": audit_verify.state_of(entry),
        "target_url": selectors.target_url(me(request), entry),
        "about": urlencode(about) if entry.target_id else "",
        "same_request": selectors.with_drawn_changes(same[:LATEST]),
        "page_title": title,
        "crumbs": [(_("Audit trail"), reverse("accounts:audit_list")), (title, None)],
    }
    return render(request, "accounts/audit_detail.html", context)


@requires("adminset.view_auditentry")
@require_safe
def user_audit(request: HttpRequest, pk: int) -> HttpResponse:
    """Go to what a person did."""
    user = get_object_or_404(selectors.users(me(request), "view"), pk=pk)
    return redirect(f"{reverse('accounts:audit_list')}?{urlencode({'actor': user.pk})}")


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
