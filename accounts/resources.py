"""One declaration per model of the room: pages and REST endpoints follow from it."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import filters, forms, selectors, tables
from accounts.models import ApiToken, Grant, Role, User
from accounts.services import grants, roles, tokens, users
from adminset.crud.resource import Action, Panel, Resource

TABS = (
    "accounts:user_list",
    "accounts:role_list",
    "accounts:grant_list",
    "accounts:apitoken_list",
)


def _grants_of_user(request: HttpRequest, user: User) -> Mapping[str, Any]:
    return {"grants": _described(request, user.grants.all())}


def _grants_of_role(request: HttpRequest, role: Role) -> Mapping[str, Any]:
    return {"grants": _described(request, role.grants.all())}


def _described(request: HttpRequest, grants: Any) -> list[dict[str, Any]]:
    names = selectors.scope_names(request.user)
    rows = selectors.grants_for_list(grants)
    return [
        {"grant": grant, "places": selectors.places(grant, names)} for grant in rows
    ]


def _tokens(request: HttpRequest, user: User) -> Mapping[str, Any]:
    return {"tokens": selectors.tokens_of(user)}


def _scopes(request: HttpRequest, grant: Grant) -> Mapping[str, Any]:
    return {"places": selectors.places(grant, selectors.scope_names(request.user))}


USERS = Resource(
    model=User,
    table=tables.UserTable,
    form=forms.UserForm,
    filterset=filters.UserFilter,
    path="users",
    icon="user",
    tabs=TABS,
    search=("username", "display_name", "email"),
    detail_fields=(
        "username",
        "display_name",
        "email",
        "is_active",
        "is_superuser",
        "last_login",
        "language",
        "time_zone",
    ),
    bulk_fields=("is_active", "language", "time_zone"),
    import_fields=(
        "username",
        "display_name",
        "email",
        "is_active",
        "is_superuser",
        "language",
        "time_zone",
    ),
    api_fields=(
        "username",
        "display_name",
        "email",
        "is_active",
        "is_superuser",
        "language",
        "time_zone",
        "last_login",
    ),
    list_queryset=selectors.users_for_list,
    save=users.save_user,
    delete=users.delete_user,
    panels=(
        Panel(
            "grants",
            _("Grants"),
            "accounts/_grants.html",
            _grants_of_user,
            "accounts.view_grant",
        ),
        Panel(
            "tokens",
            _("API tokens"),
            "accounts/_tokens.html",
            _tokens,
            "accounts.view_apitoken",
        ),
    ),
    actions=(
        Action(
            _("Set password"), "accounts:user_password", "lock", "accounts.change_user"
        ),
    ),
)

ROLES = Resource(
    model=Role,
    table=tables.RoleTable,
    form=forms.RoleForm,
    path="roles",
    icon="user-shield",
    tabs=TABS,
    search=("name", "description"),
    detail_fields=("name", "description"),
    api_fields=("name", "description", "permissions", "permission_names"),
    list_queryset=selectors.roles_for_list,
    save=roles.save_role,
    delete=roles.delete_role,
    panels=(
        Panel(
            "permissions",
            _("Permissions"),
            "accounts/_role_permissions.html",
            lambda request, role: {"objects": selectors.role_objects(role)},
        ),
        Panel(
            "grants",
            _("Grants"),
            "accounts/_grants.html",
            _grants_of_role,
            "accounts.view_grant",
        ),
    ),
)

GRANTS = Resource(
    model=Grant,
    table=tables.GrantTable,
    form=forms.grant_form(),
    filterset=filters.GrantFilter,
    path="grants",
    icon="user-check",
    tabs=TABS,
    search=("user__username", "role__name"),
    detail_fields=("user", "role", "everything"),
    api_fields=("user", "role", "everything", "scope_ids"),
    list_queryset=selectors.grants_for_list,
    save=grants.save_grant,
    delete=grants.delete_grant,
    panels=(Panel("where", _("Where it holds"), "accounts/_places.html", _scopes),),
)

# Through the API a token is revoked by DELETE; the pages have a button of that name instead (urls.py).
API_TOKENS = Resource(
    model=ApiToken,
    table=tables.ApiTokenTable,
    form=forms.ApiTokenForm,
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
