"""The pages that belong to no room: home, health, search, errors."""

from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from adminset import audit, health, maintenance, navigation, refusals
from adminset.audit import Actor
from adminset.crud.resource import all_resources
from adminset.crud.search import find_everywhere
from adminset.errors import DomainError
from adminset.http import (
    SIGNED_IN,
    error_response,
    is_htmx,
    requires,
    wants_json,
)


@requires(SIGNED_IN)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the cards of the rooms."""
    context = {"cards": navigation.cards(request), "page_title": _("Home")}
    return render(request, "home.html", context)


@requires(SIGNED_IN)
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Look for a word in everything that the user may see; for htmx only the results."""
    q = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    context = {
        "q": q,
        "groups": find_everywhere(request.user, q, all_resources()),
        "page_title": _("Search"),
    }
    template = "generic/_search.html" if is_htmx(request) else "generic/search.html"
    return render(request, template, context)


@requires("adminset.view_auditentry")
@require_safe
def system_state(request: HttpRequest) -> HttpResponse:
    """Show each part of the portal and its state."""
    context = {"state": health.state(), "page_title": _("State of the portal")}
    return render(request, "system_state.html", context)


@requires(maintenance.PERMISSION, everywhere=True)
@require_http_methods(["GET", "HEAD", "POST"])
def maintenance_switch(request: HttpRequest) -> HttpResponse:
    """Show whether maintenance is on; turn it on with a sentence for everybody else, or off."""
    if request.method == "POST":
        maintenance.switch(
            actor=cast("Actor", request.user),
            on=request.POST.get("on") == "1",
            message=request.POST.get("message", ""),
        )
        return redirect("maintenance")
    context = {
        "state": maintenance.state(),
        "most": maintenance.MESSAGE_LENGTH,
        "page_title": _("Maintenance"),
    }
    return render(request, "maintenance.html", context)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Say that this process answers; asks nobody else."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Say which parts answer: 200 when all do, else 503. Anybody may ask, so no detail, and not too often anew."""
    state = health.recent_state()
    parts = {name: {"status": part["status"]} for name, part in state["parts"].items()}
    body = {"status": state["status"], "parts": parts}
    answer = JsonResponse(body, status=200 if state["status"] == "ok" else 503)
    # A 503 is an answer here, not a fault of ours: Django shall not log it as one.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


def _answer(
    request: HttpRequest, error: DomainError, template: str, extra: dict[str, Any]
) -> HttpResponse:
    if wants_json(request):
        return error_response(error)
    return render(request, template, {"error": error} | extra, status=error.status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400."""
    error = DomainError(
        _("This request cannot be understood."), code="bad_request", status=400
    )
    return _answer(request, error, "errors/400.html", {})


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 and name the permission that is missing."""
    missing = str(exception)
    known = (
        missing if isinstance(exception, PermissionDenied) and "." in missing else ""
    )
    user = getattr(request, "user", None)
    audit.note_refusal(user, known)
    told = refusals.about(user, known)
    hint = refusals.sentence(told, known) if wants_json(request) else ""
    error = DomainError(_("You may not do this."), hint, code="forbidden", status=403)
    extra = {"permission": known, "refusal": told}
    return _answer(request, error, "errors/403.html", extra)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    error = DomainError(
        _("There is no such page or object."), code="not_found", status=404
    )
    return _answer(request, error, "errors/404.html", {})


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without touching what may be broken: no database, no session."""
    error = DomainError(
        _("Something went wrong on our side."),
        _("Try again; the log has the details."),
        code="server_error",
        status=500,
    )
    if wants_json(request):
        return error_response(error)
    return render(None, "errors/500.html", {"error": error}, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose page was open too long, or that another site sent."""
    error = DomainError(
        _("This form was open too long, or was not sent from our own page."),
        _("Go back, reload the page and send it again."),
        code="csrf",
        status=403,
    )
    return _answer(request, error, "errors/403.html", {"permission": ""})
