"""Users and roles: one declaration each, pages and REST endpoints follow from it."""

from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import filters, selectors, session_selectors, tables, token_selectors
from accounts.forms.grants import RoleForm
from accounts.forms.users import UserForm
from accounts.models import Role, User
from accounts.services import roles, users
from accounts.services.second_factor import factor_of
from adminset.crud.resource import VERBS, Action, Panel, Resource
from adminset.querysets import everywhere

TABS = (
    "accounts:user_list",
    "accounts:role_list",
    "accounts:grant_list",
    "accounts:groupmapping_list",
    "accounts:apitoken_list",
    "accounts:portalsession_list",
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
    asker = cast("User", request.user)
    may_add = user.kind == User.Kind.SERVICE and everywhere(
        asker, "accounts.add_apitoken"
    )
    return {
        "tokens": token_selectors.described(asker, selectors.tokens_of(user)),
        "add_url": reverse("accounts:user_token_add", args=[user.pk])
        if may_add and asker.has_perm("accounts.change_user", user)
        else "",
        "may_rotate": may_add,
        "may_revoke": everywhere(asker, "accounts.delete_apitoken"),
    }


def _sessions(request: HttpRequest, user: User) -> Mapping[str, Any]:
    return {
        "sessions": session_selectors.sessions_of(user),
        "current": getattr(getattr(request.session, "row", None), "pk", 0),
        "may_end": everywhere(request.user, "accounts.delete_portalsession"),
    }


def _is_person(user: User) -> bool:
    return user.kind == User.Kind.PERSON


# Who may do what is decided anew each time, never given back by a revert.
DECIDED = VERBS - {"revert"}
USERS = Resource(
    verbs=DECIDED,
    model=User,
    table=tables.UserTable,
    form=UserForm,
    filterset=filters.UserFilter,
    path="users",
    icon="user",
    tabs=TABS,
    search=("username", "display_name", "email"),
    detail_fields=(
        "username",
        "kind",
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
        "kind",
        "display_name",
        "email",
        "is_active",
        "is_superuser",
        "language",
        "time_zone",
    ),
    api_fields=(
        "username",
        "kind",
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
    private_verbs=(session_selectors.SIGN_INS,),
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
        Panel(
            "sessions",
            _("Sessions"),
            "accounts/_sessions.html",
            _sessions,
            "accounts.view_portalsession",
        ),
    ),
    actions=(
        Action(
            _("Audit trail"),
            "accounts:user_audit",
            "clock-rotate-left",
            "adminset.view_auditentry",
        ),
        Action(
            _("Set password"),
            "accounts:user_password",
            "lock",
            "accounts.change_user",
            when=_is_person,
        ),
        Action(
            _("Reset the second factor"),
            "accounts:user_second_factor_reset",
            "mobile-screen",
            "accounts.change_user",
            post=True,
            when=lambda user: factor_of(user) is not None,
        ),
        Action(
            _("Sign out everywhere"),
            "accounts:user_sessions_end",
            "arrow-right-from-bracket",
            "accounts.delete_portalsession",
            post=True,
            when=_is_person,
            everywhere=True,
        ),
    ),
)


ROLES = Resource(
    verbs=DECIDED,
    model=Role,
    table=tables.RoleTable,
    form=RoleForm,
    path="roles",
    icon="user-shield",
    tabs=TABS,
    search=("name", "description"),
    detail_fields=("name", "description", "requires_second_factor"),
    api_fields=(
        "name",
        "description",
        "requires_second_factor",
        "permissions",
        "permission_names",
    ),
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
