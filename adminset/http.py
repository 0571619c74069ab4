"""What every view needs: who may enter, where to go back to, and errors in the asker's format."""

import functools
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from adminset.querysets import everywhere as holds_everywhere

View = Callable[..., HttpResponse]
SIGNED_IN = "signed in"
# Session key: Unix seconds when the user last proved who is there.
PROVED_AT = "proved_at"


def requires(
    *permissions: str, everywhere: bool = False, proof: bool = True
) -> Callable[[View], View]:
    """Let in users who hold one of `permissions` anywhere (or anybody signed in, for SIGNED_IN); which rows they see is `visible_to`'s.

    Anonymous users go to the sign-in page; others without the permission get 403.

    Args:
        everywhere: the act touches what has no scope: a grant on some objects does not open it.
        proof: False where the act only leads to one that asks for the fresh proof itself.
    """
    holds = holds_everywhere if everywhere else _holds_anywhere

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _ask_to_sign_in(request)
            user = request.user
            if not any(p == SIGNED_IN or holds(user, p) for p in permissions):
                raise PermissionDenied(permissions[0])
            if proof and any(needs_proof(request, each) for each in permissions):
                return ask_for_proof(request)
            return view(request, *args, **kwargs)

        guarded.permission = permissions[0]  # type: ignore[attr-defined]
        return guarded

    return decorate


def _holds_anywhere(user: Any, permission: str) -> bool:
    return bool(user.has_perm(permission))


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


def needs_proof(request: HttpRequest, permission: str) -> bool:
    """Say whether a dangerous act asks once more who is there: the session's last proof (sign-in, or confirmation) is too old.

    A request with a token has no session to steal: what its token may do is limited by the token.
    """
    if permission not in settings.STEP_UP_PERMISSIONS or getattr(
        request.user, "token", None
    ):
        return False
    proved_at = request.session.get(PROVED_AT, 0)
    return not 0 <= time.time() - proved_at < settings.STEP_UP_SECONDS


def proof_error() -> DomainError:
    """Say that the act needs a fresh proof of who is there (JSON: code `proof_needed`, status 403)."""
    return DomainError(
        _("This act asks once more who you are."),
        _("Confirm it under My account, then try again."),
        code="proof_needed",
        status=403,
    )


def ask_for_proof(request: HttpRequest) -> HttpResponse:
    """Send to the page where one proves who is there, and back to this one."""
    query = {"next": request.get_full_path()}
    if request.method != "GET":
        # What was typed is not carried over: the page says so, and leads back to the form with the proof fresh.
        query = {"next": safe_referrer(request) or reverse("home"), "lost": "1"}
    elif is_htmx(request):
        # A part of a page is none to come back to.
        query = {"next": safe_referrer(request) or reverse("home")}
    target = f"{reverse('accounts:confirm')}?{urlencode(query)}"
    if is_htmx(request):
        answer = HttpResponse(status=403)
        answer["HX-Redirect"] = target
        return answer
    return error_response(proof_error()) if wants_json(request) else redirect(target)


def safe_referrer(request: HttpRequest) -> str:
    """Give the page of ours that a request was sent from, "" when it came from elsewhere."""
    referrer = request.headers.get("Referer", "")
    origin = f"{request.scheme}://{request.get_host()}"
    return referrer.removeprefix(origin) if referrer.startswith(f"{origin}/") else ""


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


def form_refuses(form: Any, error: DomainError, field: str | None = None) -> None:
    """Say above a form, or at one of its fields, why what was sent in it is refused, and what to do."""
    form.add_error(field, error.sentence)


def safe_next(request: HttpRequest, default: str) -> str:
    """Give where `next` points if that is a place of ours, else `default`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if allowed else default
