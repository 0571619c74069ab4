"""API tokens: one declaration, pages and REST endpoints follow from it."""

from django.utils.translation import gettext_lazy as _

from accounts import filters, selectors, tables
from accounts.forms.tokens import ApiTokenForm
from accounts.models import ApiToken
from accounts.resources.users import TABS
from accounts.services import tokens
from adminset.crud.resource import Action, Resource

# Through the API a token is revoked by DELETE; the pages have a button of that name instead (urls.py).


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
        "revoked_at",
    ),
    api_fields=(
        "name",
        "user",
        "prefix",
        "can_write",
        "state",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ),
    list_queryset=selectors.tokens_for_list,
    delete=tokens.revoke_token,
    verbs=frozenset({"delete"}),
    actions=(
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
