"""Questions about API tokens: whose they are, and what each may do in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import access, words
from accounts.models import ApiToken, User
from accounts.selectors import room_permissions
from adminset.scopes import all_kinds

Names = Mapping[tuple[str, int], str]
# How many objects or networks a list names.
NAMED = 3


def permissions_held(user: User) -> QuerySet[Permission]:
    """Give the permissions that a user holds anywhere: what a token of the user can be held to."""
    rows = room_permissions()
    if user.is_superuser:
        return rows
    held = access.permissions_of(user)
    return rows.filter(
        pk__in=[
            row.pk
            for row in rows
            if f"{row.content_type.app_label}.{row.codename}" in held
        ]
    )


def replaceable_by(user: User) -> QuerySet[ApiToken]:
    """Give the tokens that a user may ask to replace: the own ones, and with the permission those of others."""
    others = ApiToken.objects.visible_to(user, "add")
    mine = Q(user=user) | Q(pk__in=others.values("pk"))
    return ApiToken.objects.filter(mine)


def scope_names(user: Any, tokens: Iterable[ApiToken]) -> Names:
    """Name the objects to which tokens are held and which `user` may see: (kind, id) -> name. One query a kind."""
    ids: dict[str, set[int]] = {}
    for token in tokens:
        for kind, listed in token.scope_ids.items():
            ids.setdefault(kind, set()).update(listed)
    return {
        (kind.kind, row.pk): str(row)
        for kind in all_kinds()
        if ids.get(kind.kind)
        for row in kind.rows(user).filter(pk__in=ids[kind.kind])
    }


def all_scope_names(user: Any) -> Names:
    """Name the objects to which any token is held, for a list of tokens."""
    return scope_names(user, ApiToken.objects.exclude(scope_ids={}).only("scope_ids"))


def objects_of(token: ApiToken, names: Names) -> list[str]:
    """Name the only objects that a token reaches (by number where `names` lacks them); none: it is not held to any."""
    labels = {kind.kind: kind.label for kind in all_kinds()}
    return sorted(
        names.get((kind, pk)) or f"{labels.get(kind, kind)} {pk}"
        for kind, ids in token.scope_ids.items()
        for pk in ids
    )


def limits(token: ApiToken, names: Names) -> list[str]:
    """Say in a few words what a token may do less than its user."""
    number = len(token.permissions)
    found = [_("may change things") if token.can_write else _("reads only")]
    if number:
        words_for = ngettext("%(number)s permission", "%(number)s permissions", number)
        found.append(words_for % {"number": number})
    if objects := objects_of(token, names):
        found.append(_("only on %(names)s") % {"names": _some(objects)})
    if token.networks:
        found.append(_("only from %(names)s") % {"names": _some(token.networks)})
    return found


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def described(user: Any, tokens: Iterable[ApiToken]) -> list[dict[str, Any]]:
    """Give tokens with their limits in words, for `user` to read."""
    listed = list(tokens)
    names = scope_names(user, listed)
    return [{"token": token, "limits": limits(token, names)} for token in listed]


def permission_words(token: ApiToken) -> list[tuple[str, list[str]]]:
    """Say which permissions alone a token has: (kind of object, actions)."""
    found: dict[str, list[str]] = {}
    rows = {
        f"{row.content_type.app_label}.{row.codename}": row
        for row in room_permissions()
    }
    held = [rows[name] for name in token.permissions if name in rows]
    for permission in sorted(held, key=words.action_order):
        label = words.object_label(permission)
        found.setdefault(label, []).append(words.action_label(permission))
    return sorted(found.items())
