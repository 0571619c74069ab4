"""API tokens: one's own, and the end of anybody's."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import selectors
from accounts.forms.tokens import NewTokenForm
from accounts.services import tokens as services
from accounts.views.pages import form_methods, form_page, me, sent
from adminset.http import SIGNED_IN, requires


@requires(SIGNED_IN)
@require_safe
def my_tokens(request: HttpRequest) -> HttpResponse:
    """Show one's own tokens."""
    context = {
        "tokens": selectors.tokens_of(me(request)),
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
    """Make a token of one's own and show its text this once."""
    form = NewTokenForm(sent(request))
    title, back = _("New API token"), reverse("accounts:my_tokens")
    crumbs = [(_("My API tokens"), back), (title, None)]
    if form.is_valid():
        token, text = services.create_token(
            actor=me(request), user=me(request), **form.cleaned_data
        )
        context = {"token": token, "text": text, "page_title": title, "crumbs": crumbs}
        return render(request, "accounts/my_token_add.html", context)
    submit = _("Make the token")
    return form_page(request, form, title, back, crumbs=crumbs, submit_title=submit)


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
