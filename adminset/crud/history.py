"""What a reader may see of an object's history: names of objects out of scope stand in no old line either."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext as _

from adminset import scopes
from adminset.crud import differences
from adminset.models import AuditEntry
from adminset.querysets import ScopedQuerySet, everywhere, permission_for

NAME_FIELDS = ("name", "hostname", "host_name", "username")
IDS = ("old_id", "new_id")


def without_verbs(entries: models.QuerySet, verbs: Iterable[str]) -> models.QuerySet:
    """Leave out the lines of actions that begin with any of these words ("session.")."""
    for verb in verbs:
        entries = entries.exclude(verb__startswith=verb)
    return entries


def seen_entries(
    user: Any, model: type[models.Model], entries: Iterable[AuditEntry]
) -> list[AuditEntry]:
    """Give the lines with the names of related objects that the user may not see taken out (in memory only).

    Each has `drawn`: its changes as a page draws them.
    """
    listed = list(entries)
    for entry in listed:
        entry.changes = [seen_change(user, model, change) for change in entry.changes]
        entry.drawn = drawn(model, entry.changes)  # type: ignore[attr-defined]
    return listed


def drawn(
    model: type[models.Model] | None, changes: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Give changes as pages draw them: what the field is called (`label`), and how it differs (`diff`)."""
    names = {f.name: f for f in model._meta.get_fields()} if model else {}
    return [
        {
            **change,
            "label": label_of(names.get(change["field"]), change["field"]),
            "diff": differences.describe(change),
        }
        for change in changes
        if not differences.says_nothing(change)
    ]


def label_of(field: Any, name: str) -> Any:
    """Say what people call a field; one that is gone keeps its name."""
    return getattr(field, "verbose_name", name)


def seen_change(
    user: Any, model: type[models.Model], change: dict[str, Any]
) -> dict[str, Any]:
    """Give a change without the names and keys of related objects that the user may not see."""
    related = _scoped_relation(model, str(change.get("field", "")))
    if related is None or everywhere(user, permission_for(related, "view")):
        return change
    if any(name in change for name in IDS):
        return _seen_by_key(user, related, change)
    seen = _seen_names(user, related, [*_names(change["old"]), *_names(change["new"])])
    return {
        **change,
        "old": _kept(change["old"], seen),
        "new": _kept(change["new"], seen),
    }


def _seen_by_key(user: Any, related: Any, change: dict[str, Any]) -> dict[str, Any]:
    """Names may be the same or have changed since; keys tell which object is meant."""
    asked = {key for name in IDS for key in keys_of(change.get(name))}
    rows = related._default_manager.visible_to(user).filter(pk__in=asked).order_by()
    seen = set(rows.values_list("pk", flat=True))
    shown = dict(change)
    for side in ("old", "new"):
        keys = keys_of(change.get(f"{side}_id"))
        if isinstance(change[side], list):
            pairs = zip(keys, change[side], strict=False)
            names = [name for key, name in pairs if key in seen]
            rest = [_("others")] if len(names) < len(change[side]) else []
            shown |= {side: names + rest, f"{side}_id": [k for k in keys if k in seen]}
        elif change[side] and not seen.issuperset(keys):
            shown |= {side: _("not for you to see"), f"{side}_id": None}
    return shown


def keys_of(value: Any) -> list[Any]:
    """Give the keys that a change keeps of one or several related objects."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _scoped_relation(model: type[models.Model], name: str) -> Any:
    try:
        related = model._meta.get_field(name).related_model
    except FieldDoesNotExist:
        return None
    known = isinstance(related, type) and (
        scopes.is_scoped(related) or _narrows_by_itself(related)
    )
    return related if known else None


def _narrows_by_itself(model: type[models.Model]) -> bool:
    """Say whether the model's own queryset follows other rows to their scope, as the hosts of a run do."""
    rows = type(model._default_manager.all())
    return issubclass(rows, ScopedQuerySet) and rows.within is not ScopedQuerySet.within


def _names(value: Any) -> list[str]:
    if isinstance(value, dict):
        return []
    if isinstance(value, list):
        return [str(each) for each in value]
    return [str(value)] if value else []


def _seen_names(user: Any, related: Any, names: list[str]) -> set[str]:
    fields = {field.name for field in related._meta.concrete_fields}
    field = next((each for each in NAME_FIELDS if each in fields), None)
    if field is None or not names:
        return set()
    rows = related._default_manager.visible_to(user)
    found = rows.filter(**{f"{field}__in": names}).order_by()
    return set(found.values_list(field, flat=True))


def _kept(value: Any, seen: set[str]) -> Any:
    if isinstance(value, dict):
        return value  # how many of what, without a name
    if isinstance(value, list):
        kept = [each for each in value if str(each) in seen]
        return kept if len(kept) == len(value) else [*kept, _("others")]
    return value if not value or str(value) in seen else _("not for you to see")
