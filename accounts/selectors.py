"""Questions about people and rights: which permissions there are, where grants hold, which audit lines one may see."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Count, Model, QuerySet
from django.utils.translation import gettext

from accounts import words
from accounts.models import ApiToken, Grant, GroupMapping, Role, User
from adminset.crud import history
from adminset.crud.resource import all_resources
from adminset.models import AuditEntry
from adminset.querysets import scope_of
from adminset.scopes import all_kinds

# Nobody writes these rows by hand, so that a permission to do so would mean nothing.
MEANINGLESS = ("add_auditentry", "change_auditentry", "delete_auditentry")


@cache
def rooms() -> tuple[str, ...]:
    """Name the rooms: the apps beside manage.py, in the order of the settings."""
    here = Path(settings.BASE_DIR)
    return tuple(
        app.label for app in apps.get_app_configs() if Path(app.path).parent == here
    )


def room_permissions() -> QuerySet[Permission]:
    """Give the permissions that a role can hold: those of our rooms, with their content types."""
    rows = Permission.objects.filter(content_type__app_label__in=rooms())
    rows = rows.exclude(codename__in=MEANINGLESS).exclude(
        content_type__model="grantscope"
    )
    return rows.select_related("content_type").order_by("content_type__model", "id")


def names_of(permissions: QuerySet[Permission]) -> set[str]:
    """Give permissions by the names that code uses ("cmdb.view_host")."""
    rows = permissions.order_by().values_list("content_type__app_label", "codename")
    return {f"{label}.{codename}" for label, codename in rows}


def scope_names(user: Any) -> Mapping[tuple[str, int], str]:
    """Name the objects that grants hold on and `user` may see: (kind, id) -> name. One query a kind."""
    scoped = apps.get_model("accounts", "GrantScope").objects
    return {
        (kind.kind, row.pk): str(row)
        for kind in all_kinds()
        for row in kind.rows(user).filter(
            pk__in=scoped.filter(kind=kind.kind).values("object_id")
        )
    }


def all_scope_names(user: Any) -> Mapping[tuple[str, int], str]:
    """Name the objects that mappings hold on and `user` may see: (kind, id) -> name."""
    ids: dict[str, set[int]] = {}
    for scope_ids in GroupMapping.objects.values_list("scope_ids", flat=True):
        for kind, listed in scope_ids.items():
            ids.setdefault(kind, set()).update(listed)
    return {
        (kind.kind, row.pk): str(row)
        for kind in all_kinds()
        for row in kind.rows(user).filter(pk__in=ids.get(kind.kind, ()))
    }


def audit_trail(user: Any) -> QuerySet[AuditEntry]:
    """Give the lines of the trail that a user may see: all, or with a scoped permission only the user's own acts."""
    scope = scope_of(user, "adminset.view_auditentry")
    if scope.everything:
        return AuditEntry.objects.all()
    return AuditEntry.objects.filter(actor=user) if scope else AuditEntry.objects.none()


def fresh(user: User) -> User:
    """Read a user anew: a form that fails must not change the one that the page is drawn for."""
    return User.objects.get(pk=user.pk)


def users(user: User, action: str) -> QuerySet[User]:
    """Give the users on whom `user` may do an action."""
    return User.objects.visible_to(user, action)


def tokens(user: User, action: str) -> QuerySet[ApiToken]:
    """Give the tokens, of anybody, on which `user` may do an action."""
    return ApiToken.objects.visible_to(user, action)


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """Give a user's own tokens."""
    return ApiToken.objects.filter(user=user)


def places(
    grant: Grant | GroupMapping, names: Mapping[tuple[str, int], str]
) -> list[str]:
    """Say where a grant holds: everywhere, or the objects by name (by number where `names` lacks them)."""
    if grant.everything:
        return [gettext("everywhere")]
    labels = {kind.kind: kind.label for kind in all_kinds()}
    found = [
        names.get((kind, pk)) or f"{labels.get(kind, kind)} {pk}"
        for kind, ids in grant.scope_ids.items()
        for pk in ids
    ]
    return sorted(found) or [gettext("nowhere")]


def users_for_list(rows: QuerySet) -> QuerySet:
    """Bring along the roles that a row of the list names."""
    return rows.prefetch_related("grants__role")


def roles_for_list(rows: QuerySet) -> QuerySet:
    """Bring along the permissions, and count the grants."""
    counted = rows.prefetch_related("permissions__content_type").annotate(
        grant_count=Count("grants")
    )
    return counted.order_by("name")  # counting loses the model's own order


def grants_for_list(rows: QuerySet) -> QuerySet:
    """Bring along who, what and where."""
    return rows.select_related("user", "role").prefetch_related("scopes")


def tokens_for_list(rows: QuerySet) -> QuerySet:
    """Bring along the owners."""
    return rows.select_related("user")


def role_objects(role: Role) -> list[tuple[str, list[str]]]:
    """Say what a role allows: (kind of object, actions)."""
    found: dict[str, list[str]] = {}
    held = room_permissions().filter(roles=role)
    for permission in sorted(held, key=words.action_order):
        label = words.object_label(permission)
        found.setdefault(label, []).append(words.action_label(permission))
    return sorted(found.items())


def permissions_of_roles(roles: QuerySet[Role]) -> set[str]:
    """Give the names of the permissions that any of these roles holds."""
    return names_of(Permission.objects.filter(roles__in=roles))


def with_drawn_changes(entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """Give lines with their changes as pages draw them (`drawn`), with the names that people know the fields by."""
    listed = list(entries)
    for entry in listed:
        entry.drawn = history.drawn(_target_model(entry), entry.changes)  # type: ignore[attr-defined]
    return listed


def target_url(user: Any, entry: AuditEntry) -> str:
    """Give the address of the object that a line is about, "" when it is gone or not for the user to see."""
    model = _target_model(entry)
    resource = next((r for r in all_resources() if r.model is model), None)
    if resource is None or not entry.target_id.isdecimal():
        return ""
    pk = int(entry.target_id)
    return (
        resource.url("detail", pk) if resource.rows(user).filter(pk=pk).exists() else ""
    )


def _target_model(entry: AuditEntry) -> type[Model] | None:
    try:
        return apps.get_model(entry.target_type) if entry.target_type else None
    except (LookupError, ValueError):
        return None
