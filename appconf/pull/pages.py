"""Pull tokens on pages: the list, one token, a new one that is shown once, the end of one."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from adminset.crud.forms import ResourceForm
from adminset.crud.plain import plain_filter, plain_table
from adminset.crud.resource import Action, Resource
from adminset.crud.views import find
from adminset.errors import DomainError
from adminset.http import form_refuses, requires
from appconf.models import PullToken
from appconf.pull import tokens

FIELDS = (
    "name",
    "project",
    "environment",
    "prefix",
    "with_secrets",
    "networks",
    "expires_at",
    "last_used_at",
    "last_used_address",
    "created_by",
    "is_active",
)


class PullTokenForm(ResourceForm):
    """What a new token is good for; nothing of it is edited later."""

    days = forms.IntegerField(
        label=gettext_lazy("Good for (days)"),
        validators=[MinValueValidator(1), MaxValueValidator(tokens.MOST_DAYS)],
    )

    class Meta:
        model = PullToken
        fields = ("name", "environment", "with_secrets", "networks")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("days", settings.CONFIG_TOKEN_DAYS)
        chosen: Any = self.fields["environment"]
        chosen.queryset = chosen.queryset.select_related("project")


class PullTokenResource(Resource):
    """Pull tokens are added by a page of their own, which shows the text once; the API makes none."""

    def can(self, user: Any) -> dict[str, bool]:
        """Offer the button for that page."""
        return super().can(user) | {"add": user.has_perm(self.permission("add"))}


PULL_TOKENS = PullTokenResource(
    model=PullToken,
    table=plain_table(
        PullToken,
        "name",
        "project",
        "environment",
        "prefix",
        "with_secrets",
        "expires_at",
        "last_used_at",
        "last_used_address",
        "is_active",
    ),
    form=PullTokenForm,
    filterset=plain_filter(PullToken, "project", "environment"),
    path="pull-tokens",
    icon="ticket",
    search=("name", "prefix"),
    actions=(
        Action(
            gettext_lazy("Revoke"),
            "appconf:pulltoken_revoke",
            "ban",
            "appconf.change_pulltoken",
            post=True,
            when=lambda token: token.is_active,
        ),
    ),
    detail_fields=FIELDS,
    api_fields=FIELDS,
    list_queryset=lambda rows: rows.select_related(
        "project", "environment__project", "created_by"
    ),
    verbs=frozenset({"delete"}),
)


@requires("appconf.add_pulltoken")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pulltoken_add(request: HttpRequest) -> HttpResponse:
    """Make a token and show it: this once."""
    sent = request.POST if request.method == "POST" else None
    form = PullTokenForm(sent, user=request.user)
    title = _("Add %(name)s") % {"name": PULL_TOKENS.verbose_name}
    back = PULL_TOKENS.url("list")
    context = {
        "form": form,
        "page_title": title,
        "crumbs": [(PULL_TOKENS.verbose_name_plural, back), (title, None)],
        "cancel_url": back,
        "back": back,
    }
    if form.is_valid():
        try:
            made = tokens.create_token(actor=request.user, **form.cleaned_data)
        except DomainError as error:
            form_refuses(form, error)
        else:
            context |= {"token": made[0], "text": made[1]}
            return render(request, "appconf/config/pulltoken_made.html", context)
    status = 422 if form.errors else 200
    return render(request, "generic/form.html", context, status=status)


@requires("appconf.change_pulltoken")
@require_POST
def pulltoken_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End a token."""
    token = find(PULL_TOKENS, request.user, pk, "change")
    tokens.revoke_token(actor=request.user, token=token)
    messages.success(request, _("%(name)s is revoked.") % {"name": token})
    return redirect(PULL_TOKENS.url("detail", token.pk))
