"""Writes the audit trail: `record(...)` beside every write, with what changed from what to what."""

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import models, transaction
from django.utils import timezone
from redis import RedisError  # what Django's cache raises when Redis is away

from adminset import gathering, webhook_outbox
from adminset.audit_chain import content, seal_later
from adminset.audit_seal import clean, mac_of, storable
from adminset.context import RequestContext, current
from adminset.crypto import EncryptedTextField
from adminset.models import AuditEntry
from adminset.redaction import without_secrets

logger = logging.getLogger(__name__)

Change = dict[str, Any]
MASK = "••••"
# What the act at hand (RequestContext.act) is called in place of, and which of them are about an object's existence.
PLAIN_VERBS = frozenset({"create", "update", "delete"})
# What somebody does again and again (a refusal, a look) is told once in this time.
NEWS_SECONDS = 600


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
    target: models.Model | type[models.Model] | None = None,
    *,
    changes: Iterable[Change] = (),
    reason: str = "",
) -> AuditEntry:
    """Write one line of the trail; call it inside the transaction of the write itself.

    The line bears its own seal from the start and is chained after the commit (adminset/audit_chain.py).

    Args:
        actor: who did it.
        verb: what was done, such as "host.update" or "token.create".
        target: the object it was done to; a model where it was done to many of them.
        changes: {"field", "old", "new"} each, with "old_id" and "new_id" for related objects; see `changed`.
        reason: why, in the actor's words.
    """
    entry = line(actor, verb, target, changes=changes, reason=reason)
    if (waiting := gathering.current.get()) is not None:
        waiting.lines.append(entry)
        return entry
    entry.save(force_insert=True)
    seal_later(entry)
    webhook_outbox.note([entry])
    return entry


def line(
    actor: Actor,
    verb: str,
    target: models.Model | type[models.Model] | None,
    *,
    changes: Iterable[Change],
    reason: str = "",
) -> AuditEntry:
    """Make a sealed line that is not written yet: `record` and adminset/audit_many.py write it."""
    context = current.get()
    verb, changes = _as_act(context, verb, target, list(changes))
    entry = AuditEntry(
        at=timezone.now(),
        actor=actor if isinstance(actor, get_user_model()) else None,
        actor_kind=actor.audit_kind,
        actor_name=clean(actor.audit_name)[:150],
        verb=verb[:80],
        **_named(target),
        changes=storable(changes),
        reason=clean("; ".join(filter(None, (reason, context.reason))))[:500],
        request_id=clean(context.request_id)[:64],
        address=clean(context.address)[:64],
    )
    entry.mac = mac_of(content(entry))
    return entry


def _as_act(
    context: RequestContext,
    verb: str,
    target: models.Model | type[models.Model] | None,
    changes: list[Change],
) -> tuple[str, list[Change]]:
    """Name a plain write by the act that it is part of; whether the object came or went then stands in its key's change."""
    kind, _dot, word = verb.rpartition(".")
    if not context.act or word not in PLAIN_VERBS:
        return verb, changes
    if word != "update" and isinstance(target, models.Model):
        keys = (None, target.pk) if word == "create" else (target.pk, None)
        changes.insert(0, {"field": "id", "old": keys[0], "new": keys[1]})
    return f"{kind}.{context.act}", changes


def _named(target: models.Model | type[models.Model] | None) -> dict[str, str]:
    if target is None:
        return {}
    kind = target._meta.label_lower
    if isinstance(target, type):
        return {
            "target_type": kind,
            "target_name": str(target._meta.verbose_name_plural),
        }
    name = clean(str(target))[:200]
    return {"target_type": kind, "target_id": str(target.pk or ""), "target_name": name}


def record_export(
    actor: Actor, model: type[models.Model], *, rows: str | int, kind: str, query: str
) -> None:
    """Tell the trail who took rows out.

    Args:
        rows: how many; a text where they were not counted to the end.
        kind: format, such as "csv".
        query: the filter, as in the address; what looks like a secret in it is masked.
    """
    told = {"rows": rows, "format": kind, "filter": without_secrets(query)[:1000]}
    changes = [{"field": name, "old": None, "new": told[name]} for name in told]
    record(actor, f"{model._meta.model_name}.export", model, changes=changes)


def is_news(
    *about: object, seconds: int = NEWS_SECONDS, without_cache: bool = True
) -> bool:
    """Say whether this was not told yet in the last seconds: what comes again and again gets one line in a while.

    Args:
        about: what is told, and of whom. It may come with a request: only its hash becomes a key.
        without_cache: the answer while the cache is away: tell rather twice than never, unless strangers could flood the trail.
    """
    known = hashlib.sha256(repr(about).encode("utf-8", "replace")).hexdigest()
    try:
        return bool(cache.add(f"audit:news:{known}", 1, seconds))
    except (RedisError, OSError):
        return without_cache


def note_refusal(actor: Any, permission: str) -> None:
    """Tell the trail that somebody asked for what he or she may not do; once in ten minutes for each permission.

    Never fails: the answer to the refused request matters more. Anonymous visitors are not told of.

    Args:
        actor: the user of the request.
        permission: name of what was missing, "" when it has none.
    """
    try:
        known = getattr(actor, "is_authenticated", False)
        about = ("access.refused", actor.pk, permission)
        if known and is_news(*about, without_cache=False):
            with transaction.atomic():
                record(actor, "access.refused", reason=permission)
    except Exception:
        logger.exception("a refusal could not be recorded")


class Named(str):
    """The name of a related object that knows the object's key."""

    key: Any = None


class NamedList(list[str]):
    """The names of several related objects that know their keys, in the same order."""

    key: list[Any]


def snapshot_of(instance: models.Model, names: Iterable[str]) -> dict[str, Any]:
    """Take the values of some plain fields of an object as the trail keeps them; see `snapshot`."""
    meta = instance._meta
    return {name: _plain(instance, meta.get_field(name)) for name in names}  # type: ignore[arg-type]


def snapshot(instance: models.Model) -> dict[str, Any]:
    """Take the values of an object as the trail keeps them: JSON types, related objects by name and key, secrets masked."""
    values = {
        field.name: _plain(instance, field)
        for field in instance._meta.concrete_fields
        if not field.primary_key and field.name not in {"created_at", "updated_at"}
    }
    if instance.pk is not None:
        for relation in instance._meta.many_to_many:
            rows = sorted(
                (str(r), r.pk) for r in getattr(instance, relation.name).all()
            )
            values[relation.name] = NamedList(name for name, _key in rows)
            values[relation.name].key = [key for _name, key in rows]
    return values


def is_secret(field: Any) -> bool:
    """Say whether the values of a model's field are kept from everybody, the trail included."""
    return isinstance(field, EncryptedTextField) or bool(
        getattr(field, "secret", False)
    )


def _plain(instance: models.Model, field: models.Field) -> Any:
    if is_secret(field):
        return MASK if getattr(instance, field.attname) else ""
    if field.is_relation:
        return _named_row(
            getattr(instance, field.attname), getattr(instance, field.name)
        )
    value = getattr(instance, field.attname)
    if isinstance(field, models.DecimalField) and value is not None:
        # As the database keeps it: "1" that was entered equals "1.0" that was read.
        return f"{Decimal(value):.{field.decimal_places}f}"
    return (
        value
        if value is None or isinstance(value, bool | int | float | str | list | dict)
        else str(value)
    )


def _named_row(key: Any, row: models.Model | None) -> Named | None:
    if row is None:
        return None
    named = Named(row)
    named.key = key
    return named


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """List the fields whose values differ between two snapshots, in the order of `after`.

    Of related objects the line keeps the names, and beside them the keys ("old_id", "new_id"), by which a change can be
    taken back.
    """
    return [
        change_of(name, before.get(name), value)
        for name, value in after.items()
        if _comparable(before.get(name)) != _comparable(value)
    ]


def change_of(name: str, old: Any, new: Any) -> Change:
    """Write down a change of one field, with the keys of related objects where the values know them."""
    change = {"field": name, "old": old, "new": new}
    if isinstance(old, Named | NamedList) or isinstance(new, Named | NamedList):
        change |= {
            "old_id": getattr(old, "key", None),
            "new_id": getattr(new, "key", None),
        }
    return change


def _comparable(value: Any) -> tuple[Any, Any]:
    return value, getattr(value, "key", None)
