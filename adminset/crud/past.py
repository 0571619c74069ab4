"""An object as it was at a moment: today's values, with every later line of the trail undone."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.text import capfirst

from adminset import audit
from adminset.crud.changes import shape_of
from adminset.crud.history import keys_of, label_of, seen_change
from adminset.crud.kept import field_of
from adminset.crud.resource import Resource
from adminset.models import AuditEntry

BATCH = 500
# Of a text that names a day and no time.
DAY_LENGTH = 10
DAY = timedelta(days=1) - timedelta(microseconds=1)


@dataclass
class Past:
    """What an object was.

    Attributes:
        existed: whether there was such an object.
        values: field -> value as the trail keeps it; keys: field -> key or keys of related objects.
        undone: how many lines were undone; hidden: secrets that changed since.
    """

    values: dict[str, Any]
    keys: dict[str, Any]
    existed: bool = True
    undone: int = 0
    hidden: set[str] = field(default_factory=set)

    def undo(self, entry: AuditEntry) -> None:
        """Go back behind a line."""
        shape = shape_of(entry)
        self.existed = shape != "create"
        self.undone += 1
        for change in entry.changes:
            name, old = str(change.get("field", "")), change.get("old")
            if name not in self.values:
                continue
            if audit.MASK in (old, change.get("new")):
                self.hidden.add(name)
                continue
            self.values[name] = old
            self.keys[name] = change.get("old_id")


def moment_of(text: str) -> datetime:
    """Read a day (its end is meant) or a time, in the reader's zone; nothing, or nonsense, is now."""
    try:
        moment = forms.DateTimeField().clean(text.strip()[:40])
    except ValidationError:
        return timezone.now()
    return moment + DAY if len(text.strip()) <= DAY_LENGTH else moment


def past_of(instance: models.Model, moment: datetime) -> Past:
    """Work out what an object was at a moment."""
    now = audit.snapshot(instance)
    past = Past(dict(now), _keys(now))
    lines = AuditEntry.objects.filter(
        target_type=instance._meta.label_lower,
        target_id=str(instance.pk),
        at__gt=moment,
    )
    for entry in lines.order_by("-at", "-pk").iterator(chunk_size=BATCH):
        past.undo(entry)
    return past


def _keys(values: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(value, "key", None) for name, value in values.items()}


def describe_past(
    resource: Resource, instance: models.Model, user: Any, past: Past
) -> list[dict[str, Any]]:
    """List {name, label, then, now, differs, hidden} of the fields that the overview shows, and of every other that differs."""
    now = audit.snapshot(instance)
    shown = [*(resource.detail_fields or resource.form.base_fields)]
    model = type(instance)
    further = [n for n in now if n not in shown and now[n] != past.values[n]]
    rows = []
    for name in [n for n in (*shown, *further) if n in now]:
        change = {"field": name, "old": past.values[name], "new": now[name]}
        ids = {"old_id": past.keys[name], "new_id": getattr(now[name], "key", None)}
        if any(keys_of(key) for key in ids.values()):
            change |= ids
        differs = _differs(model, name, change)
        seen = seen_change(user, model, change)
        rows.append(
            {
                "name": name,
                "label": capfirst(str(label_of(field_of(model, name), name))),
                "then": _shown(model, name, seen["old"]),
                "now": _shown(model, name, seen["new"]),
                "differs": differs or name in past.hidden,
                "hidden": name in past.hidden,
            }
        )
    return [row for row in rows if row["differs"] or row["then"] not in (None, "", [])]


def _differs(model: type[models.Model], name: str, change: dict[str, Any]) -> bool:
    """Compare as values, not as texts: 42 is 42.0."""
    if "old_id" in change and change["old_id"] is not None:
        return bool(change["old_id"] != change["new_id"])
    old, new = (_typed(model, name, change[side]) for side in ("old", "new"))
    empty: tuple[Any, ...] = (None, "", [], {})
    return bool(old != new and not (old in empty and new in empty))


def _typed(model: type[models.Model], name: str, value: Any) -> Any:
    field = field_of(model, name)
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    if field is None or field.is_relation or not plain:
        return value
    try:
        return field.to_python(value)
    except ValidationError:
        return value


def _shown(model: type[models.Model], name: str, value: Any) -> Any:
    """Give a value as the overview draws it: choices in words, moments as moments."""
    field = field_of(model, name)
    if getattr(field, "choices", None):
        return dict(field.flatchoices).get(value, value)
    return _typed(model, name, value)
