"""Second factor and step-up: the code at the door, setting up, and the proof before dangerous acts."""

import time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import door, pending, second_factor, selectors
from accounts.duties import SECOND_FACTOR_WANTED
from accounts.forms.second_factor import CodeForm, FirstCodeForm, PasswordProofForm
from accounts.models import User
from accounts.services import second_factor as services
from accounts.views.pages import form_methods, me, refuse, sent
from adminset.errors import DomainError
from adminset.http import PROVED_AT, SIGNED_IN, requires, safe_next
from adminset.navigation import reverse_or_none

# Session key: the set-up that this session has begun.
SETTING_UP = "second_factor_begun"


def pass_on(
    request: HttpRequest, *, user: User, method: str, target: str
) -> HttpResponse:
    """Go on after the first proof: to the code where the user has a second factor, else in.

    Raises:
        DomainError: this user may not come in by the door.
    """
    if services.factor_of(user) is None:
        door.enter(request, user=user, method=method)
        return redirect(target)
    pending.begin(request, user=user, method=method)
    request.session["next"] = target
    return redirect("accounts:sign_in_code")


@sensitive_post_parameters("code")
@never_cache
@form_methods
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """Take the code of somebody whose password was right."""
    found = pending.expected(request)
    if found is None or request.user.is_authenticated:
        return redirect("accounts:sign_in")
    user, method = found
    form = CodeForm(sent(request))
    status, wait = 422 if form.errors else 200, None
    if form.is_valid():
        target = request.session.get("next") or reverse("home")
        try:
            kind = door.prove_by_code(user=user, code=form.cleaned_data["code"])
            door.enter(request, user=user, method=f"{method}+{kind}")
        except DomainError as error:
            status, wait = refuse(form, error), error.retry_after
        else:
            _tell_codes_left(request, user, kind)
            return redirect(target)
    context = {"form": form, "page_title": _("Enter the code")}
    return _drawn(request, "accounts/sign_in_code.html", context, status, wait)


def _tell_codes_left(request: HttpRequest, user: User, kind: str) -> None:
    left = services.codes_left(user)
    if kind != services.RECOVERY:
        return
    words = ngettext(
        "You used a recovery code; %(number)s is left.",
        "You used a recovery code; %(number)s are left.",
        left,
    ) % {"number": left}
    messages.warning(request, words)


def _drawn(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    status: int,
    wait: int | None,
) -> HttpResponse:
    answer = render(request, template, context, status=status)
    if wait:
        answer["Retry-After"] = str(wait)
    return answer


@sensitive_post_parameters("code")
@requires(SIGNED_IN)
@never_cache
@form_methods
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Show the state of one's own second factor; set it up by scanning and giving the first code."""
    user, title = me(request), _("Second factor")
    context: dict[str, Any] = {
        "page_title": title,
        "crumbs": [(_("My account"), reverse("accounts:profile")), (title, None)],
        "required": services.is_required(user),
    }
    factor = services.factor_of(user)
    if factor is not None:
        context |= {"factor": factor, "left": services.codes_left(user)}
        return render(request, "accounts/second_factor.html", context)
    # Who sets it up owns the account from then on, and has proved to be there.
    if not door.has_proved(request):
        return to_confirm(reverse("accounts:second_factor"))
    begun = services.begin(user=user, known=request.session.get(SETTING_UP))
    request.session[SETTING_UP] = begun.pk
    form = FirstCodeForm(sent(request))
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            codes = door.set_up_factor(
                begun, code=form.cleaned_data["code"], keep=_session_id(request)
            )
        except DomainError as error:
            status = refuse(form, error)
        else:
            request.session.pop(SECOND_FACTOR_WANTED, None)
            del request.session[SETTING_UP]
            request.session[PROVED_AT] = time.time()
            return _show_codes(request, codes)
    secret = services.secret_of(begun)
    context |= {
        "form": form,
        "picture": second_factor.picture_of(secret, user.username),
        "typed": second_factor.in_groups(secret),
    }
    return render(request, "accounts/second_factor_set_up.html", context, status=status)


def _session_id(request: HttpRequest) -> int | None:
    row = getattr(request.session, "row", None)
    return row.pk if row is not None else None


def _show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    title = _("Recovery codes")
    context = {
        "codes": codes,
        "page_title": title,
        "crumbs": [
            (_("Second factor"), reverse("accounts:second_factor")),
            (title, None),
        ],
    }
    return render(request, "accounts/recovery_codes.html", context)


@requires(SIGNED_IN)
@require_POST
@never_cache
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them this once; asks for a fresh proof."""
    if not door.has_proved(request):
        return to_confirm(reverse("accounts:second_factor"))
    return _show_codes(request, services.renew_codes(actor=me(request)))


@requires(SIGNED_IN)
@require_POST
def second_factor_off(request: HttpRequest) -> HttpResponse:
    """Go without a second factor again; asks for a fresh proof."""
    if not door.has_proved(request):
        return to_confirm(reverse("accounts:second_factor"))
    services.switch_off(actor=me(request), keep=_session_id(request))
    messages.success(request, _("Your second factor is switched off."))
    return redirect("accounts:second_factor")


def to_confirm(back: str) -> HttpResponse:
    """Lead to the proof, and from there back."""
    return redirect(reverse("accounts:confirm", query={"next": back}))


@sensitive_post_parameters("code", "password")
@requires(SIGNED_IN)
@never_cache
@form_methods
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask once more who is there: a code where there is a second factor, else the password."""
    user, target = me(request), safe_next(request, reverse("home"))
    by_code = services.factor_of(user) is not None
    form = (CodeForm if by_code else PasswordProofForm)(sent(request))
    status, wait = 422 if form.errors else 200, None
    if form.is_valid():
        try:
            _prove(user, by_code, form.cleaned_data)
        except DomainError as error:
            status, wait = refuse(form, error), error.retry_after
        else:
            request.session[PROVED_AT] = time.time()
            return redirect(target)
    title = _("Confirm who you are")
    context = {
        "form": form,
        "next": target,
        "page_title": title,
        "crumbs": [(title, None)],
        "lost": request.GET.get("lost"),
        "provider_url": reverse_or_none("accounts:oidc_confirm")
        if user.source == User.Source.OIDC and not by_code
        else None,
    }
    return _drawn(request, "accounts/confirm.html", context, status, wait)


def _prove(user: User, by_code: bool, given: dict[str, str]) -> None:
    if by_code:
        door.prove_by_code(user=user, code=given["code"])
    else:
        door.prove_by_password(user=user, password=given["password"])


@requires("accounts.change_user")
@require_POST
def user_second_factor_reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Take away the second factor of somebody who lost the device."""
    user = get_object_or_404(selectors.users(me(request), "change"), pk=pk)
    services.reset(actor=me(request), user=user)
    messages.success(
        request, _("The second factor of %(name)s is reset.") % {"name": user}
    )
    return redirect(user)
