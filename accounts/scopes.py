"""On what a grant can hold: rooms above register their kinds of scope in their apps.py, so that this room never looks up."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models


@dataclass(frozen=True)
class ScopeKind:
    """One kind of scope.

    Attributes:
        kind: label of the model whose rows can be chosen ("cmdb.hostgroup"); its manager has `visible_to`.
        label: what many of them are called.
    """

    kind: str
    label: Any

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


_kinds: dict[str, ScopeKind] = {}


def register(kind: ScopeKind) -> None:
    """Make a kind of scope known; a room calls it in `ready()`."""
    _kinds[kind.kind] = kind


def all_kinds() -> list[ScopeKind]:
    """List the kinds of scope, in the order of the rooms."""
    return list(_kinds.values())
