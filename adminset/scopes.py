"""On what a grant can hold: a room declares its kinds of scope in its apps.py, and every queryset obeys them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q


@dataclass(frozen=True)
class Scope:
    """Where a permission holds for a user.

    Attributes:
        everything: on all rows.
        ids: else the ids of single objects by kind of scope ("cmdb.hostgroup" -> ids). Neither: nowhere.
        limit: a second scope within which rows must lie too: that of a token which may do less than its user.
    """

    everything: bool = False
    ids: Mapping[str, frozenset[int]] = field(default_factory=dict)
    limit: "Scope | None" = None

    def __bool__(self) -> bool:
        return self.everything or any(self.ids.values())

    def of(self, kind: str) -> frozenset[int]:
        """Give the ids of one kind of scope."""
        return self.ids.get(kind, frozenset())

    def narrowed(self, limit: "Scope") -> "Scope":
        """Give the part of this scope that lies within `limit` too."""
        if not self:
            return NOWHERE
        return Scope(ids=limit.ids if self.everything else self.ids, limit=limit)


NOWHERE = Scope()


# (ids of the scope's objects, action) -> condition on the rows of a model, None where the kind does not lead there.
Reach = str | Callable[[frozenset[int], str], Q | None]


@dataclass(frozen=True)
class ScopeKind:
    """One kind of scope.

    Attributes:
        kind: label of the model whose rows can be chosen ("cmdb.hostgroup"); its manager has `visible_to`.
        label: what many of them are called.
        path: plural noun of the resource, where there are too many rows to draw them all ("hosts").
        reaches: which rows of which models a chosen object opens, by label of the model ("cmdb.host"): the path of
            a foreign key or "pk", or a function for what is not as plain. A room may name models of the rooms below it,
            so that product lines open hosts without the CMDB knowing of product lines.
    """

    kind: str
    label: Any
    path: str = ""
    reaches: Mapping[str, Reach] = field(default_factory=dict)

    @property
    def field_name(self) -> str:
        """Name of the field in the grant's form and in the API ("cmdb_hostgroup")."""
        return self.kind.replace(".", "_")

    def all_rows(self) -> models.QuerySet:
        """Give every row of the kind, for the form's class; the form narrows it to its user."""
        return apps.get_model(self.kind)._default_manager.all()

    def rows(self, user: Any) -> models.QuerySet:
        """Give the rows that the user may see."""
        return apps.get_model(self.kind)._default_manager.visible_to(user)

    def condition(self, label: str, ids: frozenset[int], action: str) -> Q | None:
        """Give the condition under which a row of a model lies within the chosen objects; None: they do not lead there."""
        reach = self.reaches[label]
        return (
            Q(**{f"{reach}__in": ids}) if isinstance(reach, str) else reach(ids, action)
        )


_kinds: dict[str, ScopeKind] = {}


def register(kind: ScopeKind) -> None:
    """Make a kind of scope known; a room calls it in `ready()`."""
    _kinds[kind.kind] = kind


def all_kinds() -> list[ScopeKind]:
    """List the kinds of scope, in the order of the rooms."""
    return list(_kinds.values())


# (actor, kind, id): takes a deleted object out of all that is held to it. The room of grants brings it.
Forget = Callable[[Any, str, int], None]
_forgetting: list[Forget] = []


def on_deletion(forget: Forget) -> None:
    """Have `forget` called in the transaction of each deletion of an object of a registered kind."""
    _forgetting.append(forget)


def forget(actor: Any, label: str, pk: int) -> None:
    """Say that an object is deleted: what is held to it must not wait for another one of the same number."""
    if label in _kinds:
        for each in _forgetting:
            each(actor, label, pk)


def is_scoped(model: type[models.Model]) -> bool:
    """Say whether some kind of scope leads to rows of a model: what is not scoped is reference data."""
    return any(model._meta.label_lower in kind.reaches for kind in _kinds.values())


def condition(model: type[models.Model], scope: Scope, action: str) -> Q | None:
    """Give the condition under which a row of `model` lies within a scope that is not everything.

    Returns:
        None when no kind of scope leads to the model: it is reference data, the same for everybody.
    """
    if not is_scoped(model):
        return None
    label, found = model._meta.label_lower, Q(pk__in=())
    for kind in _kinds.values():
        ids = scope.of(kind.kind) if label in kind.reaches else frozenset()
        part = kind.condition(label, ids, action) if ids else None
        if part is not None:
            found |= part
    return found
