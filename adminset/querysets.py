"""The one door to rows: `visible_to(user, action)` narrows a queryset, `may(user, action, row)` asks about one row."""

from collections.abc import Iterable
from typing import Any, Self

from django.db import models

from adminset import scopes
from adminset.scopes import NOWHERE, Scope

__all__ = [
    "NOWHERE",
    "Scope",
    "ScopedQuerySet",
    "everywhere",
    "may",
    "permission_for",
    "scope_of",
    "seen",
]


def scope_of(user: Any, permission: str) -> Scope:
    """Ask the user where `permission` ("cmdb.view_host") holds; anonymous users have it nowhere."""
    ask = getattr(user, "scope_of", None)
    return ask(permission) if ask and user.is_active else NOWHERE


def everywhere(user: Any, permission: str) -> bool:
    """Say whether `permission` holds on all objects: what acts on the whole portal is not opened by a grant on some of them."""
    return scope_of(user, permission).everything


def permission_for(model: type[models.Model], action: str) -> str:
    """Name the permission for an action on rows of a model ("cmdb.view_host")."""
    return f"{model._meta.app_label}.{action}_{model._meta.model_name}"


def may(user: Any, action: str, row: models.Model) -> bool:
    """Say whether `user` may do `action` on this row: the same answer as `visible_to`, because it asks there.

    The row is asked for in the database, so that what a form has changed in memory opens nothing.
    """
    rows = type(row)._default_manager.visible_to(user, action)  # type: ignore[attr-defined]
    return bool(rows.filter(pk=row.pk).exists())


def seen(user: Any, rows: Iterable[models.Model]) -> list[Any]:
    """Keep of some related objects those that the user may see; a queryset or a prefetched list of one model."""
    listed = list(rows)
    if not listed or not hasattr(type(listed[0])._default_manager.all(), "visible_to"):
        return listed
    if scope_of(user, permission_for(type(listed[0]), "view")).everything:
        return listed
    mine = type(listed[0])._default_manager.visible_to(user)  # type: ignore[attr-defined]
    keys = set(
        mine.filter(pk__in=[row.pk for row in listed]).values_list("pk", flat=True)
    )
    return [row for row in listed if row.pk in keys]


class ScopedQuerySet(models.QuerySet):
    """A queryset that knows which of its rows a user may see, change, delete or run work on."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to the rows on which `user` may do `action`; without the permission: no row."""
        scope = scope_of(user, permission_for(self.model, action))
        if scope.everything:
            return self.all()
        return self.within(scope, action) if scope else self.none()

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to a scope that is not everything, by what the kinds of scope say of this model (adminset/scopes.py).

        Reference data that no kind leads to (IDCs, statuses) may be read with a scoped grant, but changed only with one
        over everything: otherwise an operator of one group could rename what all groups use.
        """
        reached = scopes.condition(self.model, scope, action)
        if reached is None:
            return self.all() if action == "view" else self.none()
        rows = self.filter(reached)
        return rows.within(scope.limit, action) if scope.limit else rows
