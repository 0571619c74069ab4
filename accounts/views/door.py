"""The door: signing in and out."""

import time

from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import door, throttle
from accounts.forms.passwords import SignInForm
from accounts.views.pages import form_methods, me, refuse, sent
from adminset.errors import DomainError
from adminset.http import PROVED_AT, SIGNED_IN, requires, safe_next


@sensitive_post_parameters("password")
@never_cache
@form_methods
def sign_in(request: HttpRequest) -> HttpResponse:
    """Let somebody in by name and password, to where he wanted to go."""
    target = safe_next(request, reverse("home"))
    if request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(sent(request))
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            user = door.authenticate(**form.cleaned_data)
        except DomainError as error:
            status = refuse(form, error)
        else:
            auth.login(request, user)
            request.session[PROVED_AT] = time.time()
            door.record_sign_in(actor=user)
            return redirect(target)
    context = {"form": form, "next": target, "page_title": _("Sign in")}
    answer = render(request, "accounts/sign_in.html", context, status=status)
    if status == 429:
        answer["Retry-After"] = str(throttle.SECONDS)
    return answer


@requires(SIGNED_IN)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    door.record_sign_out(actor=me(request))
    auth.logout(request)
    return redirect("accounts:sign_in")
