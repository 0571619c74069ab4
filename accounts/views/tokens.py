"""API tokens: one's own, those of service accounts, and the end of anybody's. Tokens are made in a session only."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import door, selectors, token_selectors
from accounts.forms.tokens import new_token_form
from accounts.models import User
from accounts.services import tokens as services
from accounts.views.pages import form_methods, me, refuse, sent
from accounts.views.second_factor import to_confirm
from adminset.errors import DomainError
from adminset.http import SIGNED_IN, requires

NewToken = new_token_form()


@requires(SIGNED_IN)
@require_safe
def my_tokens(request: HttpRequest) -> HttpResponse:
    """Show one's own tokens."""
    mine = selectors.tokens_of(me(request))
    context = {
        "tokens": token_selectors.described(me(request), mine),
        "own": True,
        "page_title": _("My API tokens"),
        "crumbs": [
            (_("My account"), reverse("accounts:profile")),
            (_("API tokens"), None),
        ],
    }
    return render(request, "accounts/my_tokens.html", context)


@requires(SIGNED_IN)
@never_cache
@form_methods
def my_token_add(request: HttpRequest) -> HttpResponse:
    """Make a token of one's own and show its text this once; asks for a fresh proof."""
    if not door.has_proved(request):
        return to_confirm(reverse("accounts:my_token_add"))
    back = reverse("accounts:my_tokens")
    return _add(request, me(request), [(_("My API tokens"), back)], back)


@requires("accounts.add_apitoken", everywhere=True)
@never_cache
@form_methods
def user_token_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a token of a service account and show its text this once."""
    user = get_object_or_404(selectors.users(me(request), "change"), pk=pk)
    services.ensure_may_make(me(request), user)
    page = user.get_absolute_url()
    crumbs = [(_("Users"), reverse("accounts:user_list")), (user, page)]
    return _add(request, user, crumbs, f"{page}?tab=tokens")


def _add(
    request: HttpRequest, owner: User, crumbs: list[Any], back: str
) -> HttpResponse:
    form = NewToken(sent(request), user=me(request), owner=owner)
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            made = services.create_token(actor=me(request), user=owner, **form.limits())
        except DomainError as error:
            status = refuse(form, error)
        else:
            return _shown_once(request, made, crumbs, back)
    title = _("New API token")
    context = {
        "form": form,
        "page_title": title,
        "crumbs": [*crumbs, (title, None)],
        "cancel_url": back,
    }
    return render(request, "accounts/token_form.html", context, status=status)


def _shown_once(
    request: HttpRequest, made: tuple[Any, str], crumbs: list[Any], back: str
) -> HttpResponse:
    token, text = made
    title = _("New API token")
    context = {
        "token": token,
        "text": text,
        "back": back,
        "page_title": title,
        "crumbs": [*crumbs, (title, None)],
    }
    return render(request, "accounts/my_token_add.html", context)


@requires(SIGNED_IN)
@never_cache
@require_POST
def my_token_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Replace one of one's own tokens and show the new text this once; asks for a fresh proof."""
    token = get_object_or_404(selectors.tokens_of(me(request)), pk=pk)
    back = reverse("accounts:my_tokens")
    if not door.has_proved(request):
        return to_confirm(back)
    made = services.rotate_token(actor=me(request), token=token)
    return _shown_once(request, made, [(_("My API tokens"), back)], back)


@requires("accounts.add_apitoken")
@never_cache
@require_POST
def apitoken_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Replace a token of a service account, or one's own, and show the new text this once."""
    token = get_object_or_404(selectors.tokens(me(request), "add"), pk=pk)
    made = services.rotate_token(actor=me(request), token=token)
    back = reverse("accounts:apitoken_list")
    return _shown_once(request, made, [(_("API tokens"), back)], back)


@requires(SIGNED_IN)
@require_POST
def my_token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens."""
    token = get_object_or_404(selectors.tokens_of(me(request)), pk=pk)
    services.revoke_token(actor=me(request), instance=token)
    messages.success(request, _("%(name)s is revoked.") % {"name": token})
    return redirect("accounts:my_tokens")


@requires("accounts.delete_apitoken")
@require_POST
def apitoken_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End anybody's token."""
    token = get_object_or_404(selectors.tokens(me(request), "delete"), pk=pk)
    services.revoke_token(actor=me(request), instance=token)
    messages.success(request, _("%(name)s is revoked.") % {"name": token})
    return redirect("accounts:apitoken_detail", token.pk)
