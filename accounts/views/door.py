"""The door: signing in and out."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import door, oidc
from accounts.forms.passwords import SignInForm
from accounts.views.pages import form_methods, refuse, sent
from accounts.views.second_factor import pass_on
from adminset.errors import DomainError
from adminset.http import SIGNED_IN, requires, safe_next


@sensitive_post_parameters("password")
@never_cache
@form_methods
def sign_in(request: HttpRequest) -> HttpResponse:
    """Let somebody in by name and password, to where he wanted to go."""
    target = safe_next(request, reverse("home"))
    if request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(sent(request))
    status, wait = 422 if form.errors else 200, None
    if form.is_valid():
        try:
            user = door.authenticate(**form.cleaned_data)
            method = door.method_of(user)
            return pass_on(request, user=user, method=method, target=target)
        except DomainError as error:
            status, wait = refuse(form, error), error.retry_after
    by_password = settings.PASSWORD_SIGN_IN or "password" in request.GET
    context = {
        "form": form,
        "next": target,
        "page_title": _("Sign in"),
        "by_password": by_password or request.method == "POST",
        "provider": settings.OIDC_NAME if oidc.is_configured() else "",
    }
    answer = render(request, "accounts/sign_in.html", context, status=status)
    if wait:
        answer["Retry-After"] = str(wait)
    return answer


@requires(SIGNED_IN)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    door.leave(request)
    return redirect("accounts:sign_in")
