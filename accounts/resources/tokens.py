"""API tokens: one declaration, pages and REST endpoints follow from it."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import filters, selectors, tables, token_selectors
from accounts.forms.tokens import ApiTokenForm
from accounts.models import ApiToken, User
from accounts.resources.users import TABS
from accounts.services import tokens
from adminset.crud.resource import Action, Panel, Resource


def _limits(request: HttpRequest, token: ApiToken) -> Mapping[str, Any]:
    names = token_selectors.scope_names(request.user, [token])
    return {
        "permissions": token_selectors.permission_words(token),
        "places": token_selectors.objects_of(token, names),
    }


def _is_of_a_service(token: ApiToken) -> bool:
    return token.state == "usable" and token.user.kind == User.Kind.SERVICE


# Through the API a token is revoked by DELETE; the pages have a button of that name instead (urls.py). Tokens are made on
# pages only: whoever steals one must not be able to make others with it.
API_TOKENS = Resource(
    model=ApiToken,
    table=tables.ApiTokenTable,
    form=ApiTokenForm,
    filterset=filters.ApiTokenFilter,
    path="api-tokens",
    icon="ticket",
    tabs=TABS,
    search=("name", "prefix", "user__username"),
    detail_fields=(
        "name",
        "user",
        "prefix",
        "can_write",
        "expires_at",
        "last_used_at",
        "last_used_address",
        "replaces",
        "revoked_at",
    ),
    api_fields=(
        "name",
        "user",
        "prefix",
        "can_write",
        "permissions",
        "scope_ids",
        "networks",
        "state",
        "expires_at",
        "last_used_at",
        "last_used_address",
        "replaces",
        "revoked_at",
    ),
    list_queryset=selectors.tokens_for_list,
    delete=tokens.revoke_token,
    verbs=frozenset({"delete"}),
    panels=(Panel("limits", _("Limits"), "accounts/_token_limits.html", _limits),),
    actions=(
        Action(
            _("Rotate"),
            "accounts:apitoken_rotate",
            "rotate",
            "accounts.add_apitoken",
            post=True,
            when=_is_of_a_service,
        ),
        Action(
            _("Revoke"),
            "accounts:apitoken_revoke",
            "ban",
            "accounts.delete_apitoken",
            post=True,
            when=lambda token: token.revoked_at is None,
        ),
    ),
)
