"""Writes the audit trail: `record(...)` beside every write, with what changed from what to what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.contrib.auth import get_user_model
from django.db import models

from adminset.context import current
from adminset.crypto import EncryptedTextField
from adminset.models import AuditEntry

Change = dict[str, Any]
MASK = "••••"


class Actor(Protocol):
    """Whoever can do something: a user, an agent, the system itself."""

    @property
    def audit_kind(self) -> str:
        """Say "user", "agent" or "system"."""

    @property
    def audit_name(self) -> str:
        """Say the name that the trail keeps, even when the actor is gone."""


@dataclass(frozen=True)
class SystemActor:
    """The portal itself: a schedule, a set-up step, a clean-up."""

    audit_name: str
    audit_kind: str = "system"


def record(
    actor: Actor,
    verb: str,
    target: models.Model | None = None,
    *,
    changes: Iterable[Change] = (),
    reason: str = "",
) -> AuditEntry:
    """Write one line of the trail; call it inside the transaction of the write itself.

    Args:
        actor: who did it.
        verb: what was done, such as "host.update" or "token.create".
        target: the object it was done to.
        changes: {"field", "old", "new"} each; see `changed`.
        reason: why, in the actor's words.
    """
    context = current.get()
    return AuditEntry.objects.create(
        actor=actor if isinstance(actor, get_user_model()) else None,
        actor_kind=actor.audit_kind,
        actor_name=actor.audit_name[:150],
        verb=verb,
        target_type=target._meta.label_lower if target is not None else "",
        target_id=str(target.pk or "") if target is not None else "",
        target_name=str(target)[:200] if target is not None else "",
        changes=list(changes),
        reason=reason[:500],
        request_id=context.request_id,
        address=context.address,
    )


def snapshot(instance: models.Model) -> dict[str, Any]:
    """Take the values of an object as the trail keeps them: JSON types, names of related objects, secrets masked."""
    values = {
        field.name: _plain(instance, field)
        for field in instance._meta.concrete_fields
        if not field.primary_key and field.name not in {"created_at", "updated_at"}
    }
    if instance.pk is not None:
        for relation in instance._meta.many_to_many:
            related = getattr(instance, relation.name).all()
            values[relation.name] = sorted(str(each) for each in related)
    return values


def _plain(instance: models.Model, field: models.Field) -> Any:
    if isinstance(field, EncryptedTextField) or getattr(field, "secret", False):
        return MASK if getattr(instance, field.attname) else ""
    value = (
        getattr(instance, field.name)
        if field.is_relation
        else getattr(instance, field.attname)
    )
    return (
        value
        if value is None or isinstance(value, bool | int | float | str | list | dict)
        else str(value)
    )


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """List the fields whose values differ between two snapshots, in the order of `after`."""
    return [
        {"field": name, "old": before.get(name), "new": value}
        for name, value in after.items()
        if before.get(name) != value
    ]
