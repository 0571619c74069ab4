"""What every view needs: who may enter, where to go back to, and errors in the asker's format."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from adminset.errors import DomainError

View = Callable[..., HttpResponse]
SIGNED_IN = "signed in"


def requires(permission: str) -> Callable[[View], View]:
    """Let in users who hold `permission` anywhere (or anybody signed in, for SIGNED_IN); which rows they see is `visible_to`'s.

    Anonymous users go to the sign-in page; others without the permission get 403.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _ask_to_sign_in(request)
            if permission != SIGNED_IN and not request.user.has_perm(permission):
                raise PermissionDenied(permission)
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    if is_htmx(request):
        answer = HttpResponse(status=401)
        answer["HX-Refresh"] = "true"
        return answer
    if wants_json(request):
        return error_response(
            DomainError(_("You are not signed in."), code="not_signed_in", status=401)
        )
    return redirect_to_login(request.get_full_path())


def is_htmx(request: HttpRequest) -> bool:
    """Say whether htmx asks for a part of a page."""
    return bool(getattr(request, "htmx", False))


def wants_json(request: HttpRequest) -> bool:
    """Say whether a machine asks: our API paths, or a client that prefers JSON."""
    return request.path.startswith("/api/") or request.headers.get(
        "Accept", ""
    ).startswith("application/json")


def error_response(error: DomainError) -> JsonResponse:
    """Answer an error as the envelope of docs/agent-protocol.md."""
    answer = JsonResponse(error.as_envelope(), status=error.status)
    if error.retry_after:
        answer["Retry-After"] = str(error.retry_after)
    return answer


def safe_next(request: HttpRequest, default: str) -> str:
    """Give where `next` points if that is a place of ours, else `default`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if allowed else default
