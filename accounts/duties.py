"""What a user has to do before anything else: a list of duties, and the middleware that leads to them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from adminset.errors import DomainError
from adminset.http import error_response, is_htmx, wants_json

# Pages that no duty closes: the way out, the language and colours to read it in, and what machines ask.
ALWAYS_OPEN = frozenset(
    {
        "accounts:sign_out",
        "accounts:preferences",
        "set_language",
        "healthz",
        "readyz",
    }
)


class Visit(Protocol):
    """Who is there, in a page or on a web socket: what `Duty.applies` may look at."""

    user: Any
    session: Any


@dataclass(frozen=True)
class Duty:
    """One thing to do first.

    Attributes:
        url_name: the page where it is done.
        applies: whether the user of a visit has to do it; asked on every request, so that it must not cost a query.
        code, message: what a machine is told that asks with the session of such a user (403).
        also: further pages that belong to it.
    """

    url_name: str
    applies: Callable[[Visit], bool]
    code: str
    message: Any
    also: tuple[str, ...] = ()


def _must_change_password(visit: Visit) -> bool:
    user = visit.user
    return user.must_change_password and user.source == User.Source.LOCAL


# Session key: set at sign-in where a role asks for a second factor that the user has not got.
SECOND_FACTOR_WANTED = "second_factor_wanted"


def _must_set_up_second_factor(visit: Visit) -> bool:
    return bool(visit.session.get(SECOND_FACTOR_WANTED))


# In the order in which they are led to.
DUTIES: list[Duty] = [
    Duty(
        "accounts:password_change",
        _must_change_password,
        "password_change_needed",
        gettext_lazy("Choose a new password first: this one was set by somebody else."),
    ),
    Duty(
        "accounts:second_factor",
        _must_set_up_second_factor,
        "second_factor_needed",
        gettext_lazy("Set up a second factor first: a role of yours asks for it."),
        also=("accounts:confirm", "accounts:oidc_confirm", "accounts:oidc_callback"),
    ),
]


def first_duty(visit: Visit) -> Duty | None:
    """Give what the user of a request or a web socket has to do first, None when nothing is left."""
    if not visit.user.is_authenticated:
        return None
    return next((duty for duty in DUTIES if duty.applies(visit)), None)


class DutiesFirst:
    """Middleware: while a duty applies, every page leads to it, and the API refuses the session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on; what is asked for is known only once the view is found."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Lead to the duty, unless this is its page."""
        here = request.resolver_match.view_name if request.resolver_match else ""
        if here in ALWAYS_OPEN:
            return None
        duty = first_duty(request)
        if duty is None or here == duty.url_name or here in duty.also:
            return None
        return _lead_to(duty, request)


def _lead_to(duty: Duty, request: HttpRequest) -> HttpResponse:
    target = reverse(duty.url_name)
    if request.method == "GET" and not is_htmx(request):
        target = f"{target}?{urlencode({'next': request.get_full_path()})}"
    if is_htmx(request):
        answer = HttpResponse(status=403)
        answer["HX-Redirect"] = target
        return answer
    if wants_json(request):
        hint = _("Open the portal in the browser: it leads you there.")
        return error_response(
            DomainError(str(duty.message), hint, code=duty.code, status=403)
        )
    return redirect(target)
