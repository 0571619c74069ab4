"""Signing in by an OpenID provider, and proving once more who is there."""

import time
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import oidc, tries
from accounts.models import User
from accounts.services.external import Arrival, NameRefused, arrive
from accounts.services.second_factor import factor_of
from accounts.views.pages import me
from accounts.views.second_factor import pass_on, to_confirm
from adminset.errors import DomainError
from adminset.http import PROVED_AT, SIGNED_IN, requires, safe_next

FLOW = "oidc_flow"
METHOD = "oidc"
# What is counted for each address: beginnings, and returns from the provider.
VISITS = ("oidc start", "oidc back")


@never_cache
@require_safe
def oidc_start(request: HttpRequest) -> HttpResponse:
    """Send somebody to the provider."""
    target = safe_next(request, reverse("home"))
    if request.user.is_authenticated:
        return redirect(target)
    if not oidc.is_configured():
        raise Http404
    tries.count_visit(kind=VISITS[0], method=METHOD)
    return _send(request, "sign in", target)


@requires(SIGNED_IN)
@never_cache
@require_safe
def oidc_confirm(request: HttpRequest) -> HttpResponse:
    """Send somebody who is signed in to the provider once more, for a fresh proof; a second factor is proved by its code."""
    target = safe_next(request, reverse("home"))
    if factor_of(me(request)) is not None:
        return to_confirm(target)
    return _send(request, "confirm", target)


def _send(request: HttpRequest, purpose: str, target: str) -> HttpResponse:
    if not oidc.is_configured():
        raise Http404
    flow = oidc.begin(purpose=purpose, target=target)
    try:
        address = oidc.address_of(
            flow, redirect_uri=_back(request), again=purpose == "confirm"
        )
    except DomainError as error:
        return _refused(request, error, begun=False)
    request.session[FLOW] = flow.as_dict()
    return redirect(address)


def _back(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("accounts:oidc_callback"))


@never_cache
@require_safe
def oidc_callback(request: HttpRequest) -> HttpResponse:
    """Take what the provider answers: only to a question of this very session, and only once."""
    if not oidc.is_configured():
        raise Http404
    tries.count_visit(kind=VISITS[1], method=METHOD)
    flow = oidc.Flow(**request.session.pop(FLOW)) if FLOW in request.session else None
    state = request.GET.get("state", "")
    if (
        flow is None
        or not flow.is_fresh
        or not constant_time_compare(state, flow.state)
    ):
        return _refused(request, _stale(), begun=flow is not None)
    try:
        if "code" not in request.GET:
            raise _provider_said(request.GET.get("error", ""))
        claims = oidc.claims_of(
            flow, code=request.GET["code"], redirect_uri=_back(request)
        )
        if flow.purpose == "confirm":
            return _confirmed(request, flow, claims)
        user = arrive(_arrival(claims))
        answer = pass_on(request, user=user, method=METHOD, target=flow.target)
    except DomainError as error:
        return _refused(request, error)
    tries.forget_visits(*VISITS)
    return answer


def _arrival(claims: dict[str, Any]) -> Arrival:
    groups = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    names = tuple(
        str(each) for each in (groups if isinstance(groups, list) else [groups])
    )
    required = settings.OIDC_REQUIRE_GROUP
    if required and required.casefold() not in {name.casefold() for name in names}:
        raise oidc.ProviderError(
            _("You are in no group that may sign in here."),
            _("Ask an administrator."),
            code="group_missing",
        )
    username = str(
        claims.get(settings.OIDC_USERNAME_CLAIM) or claims.get("email") or ""
    )
    return Arrival(
        source=User.Source.OIDC,
        external_id=f"{claims['iss']}#{claims['sub']}",
        username=username,
        display_name=str(claims.get("name") or ""),
        email=str(claims.get("email") or ""),
        groups=names,
    )


def _confirmed(
    request: HttpRequest, flow: oidc.Flow, claims: dict[str, Any]
) -> HttpResponse:
    if not request.user.is_authenticated:
        raise _stale()
    fresh = oidc.proves_anew(flow, claims)
    same = me(request).external_id == f"{claims['iss']}#{claims['sub']}"
    # The factor may have been set up meanwhile.
    if not (fresh and same) or factor_of(me(request)) is not None:
        tries.record_refusal(me(request), "session.confirm_refused", method=METHOD)
        raise oidc.ProviderError(
            _("The provider did not ask you anew, or vouches for somebody else."),
            code="not_confirmed",
        )
    request.session[PROVED_AT] = time.time()
    tries.forget_visits(VISITS[1])
    return redirect(flow.target)


def _stale() -> DomainError:
    return oidc.ProviderError(
        _("This sign-in was begun elsewhere, or too long ago."),
        _("Begin again."),
        code="stale_flow",
    )


def _provider_said(word: str) -> DomainError:
    plain = word if word.isascii() and word.replace("_", "").isalnum() else "?"
    return oidc.ProviderError(
        _("The provider did not let you in (%(why)s).") % {"why": plain[:50]},
        _("Begin again, or ask there."),
        code="provider_refused",
    )


def _refused(
    request: HttpRequest, error: DomainError, *, begun: bool = True
) -> HttpResponse:
    """Say it on the page that one came from; somebody who is signed in stays so.

    Args:
        begun: whether this session was on its way: nothing else is recorded, or strangers could fill the trail.
    """
    if begun and not request.user.is_authenticated:
        reason = error.reason if isinstance(error, NameRefused) else ""
        tries.record_refusal(None, method=METHOD, reason=reason)
    messages.error(request, f"{error.message} {error.hint}".strip())
    page = "accounts:confirm" if request.user.is_authenticated else "accounts:sign_in"
    return redirect(page)
