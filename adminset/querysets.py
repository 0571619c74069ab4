"""The one door to rows: every read starts at `visible_to(user, action)`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from django.db import models


@dataclass(frozen=True)
class Scope:
    """Where a permission holds for a user.

    `everything`, or the ids of single objects by kind of scope ("cmdb.hostgroup" -> ids). Neither: nowhere.
    """

    everything: bool = False
    ids: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.everything or any(self.ids.values())

    def of(self, kind: str) -> frozenset[int]:
        """Give the ids of one kind of scope."""
        return self.ids.get(kind, frozenset())


NOWHERE = Scope()


def scope_of(user: Any, permission: str) -> Scope:
    """Ask the user where `permission` ("cmdb.view_host") holds; anonymous users have it nowhere."""
    ask = getattr(user, "scope_of", None)
    return ask(permission) if ask and user.is_active else NOWHERE


def seen(user: Any, rows: Iterable[models.Model]) -> list[Any]:
    """Keep of some related objects those that the user may see; a queryset or a prefetched list of one model."""
    listed = list(rows)
    if not listed or not hasattr(type(listed[0])._default_manager.all(), "visible_to"):
        return listed
    options = type(listed[0])._meta
    if scope_of(user, f"{options.app_label}.view_{options.model_name}").everything:
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
        options = self.model._meta
        scope = scope_of(user, f"{options.app_label}.{action}_{options.model_name}")
        if scope.everything:
            return self.all()
        return self.within(scope, action) if scope else self.none()

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to a scope that is not everything. Models with a kind of scope override this.

        Reference data without a scope of its own (IDCs, statuses) may be read with a scoped grant, but changed only with one
        over everything: otherwise an operator of one group could rename what all groups use.
        """
        del scope
        return self.all() if action == "view" else self.none()
