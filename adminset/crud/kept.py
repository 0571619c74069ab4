"""What the audit trail keeps of a field, read back as the field's own type, and held against what the object says now."""

from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit_seal import storable
from adminset.crud.forms import natural_field
from adminset.crud.history import keys_of

MISSING = object()


class Lost(Exception):
    """The trail does not keep enough to bring a value back; says why."""


def field_of(model: type[models.Model], name: str) -> Any:
    """Give a field of the model's own rows by its name, None for what is none: a fact, a count, a field that is gone."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    own = field.concrete or field.many_to_many
    return field if own and not field.auto_created else None


def kept_value(field: Any, change: dict[str, Any], side: str) -> Any:
    """Give what a line keeps of one side ("old", "new") of a change: a typed value, a key, a sorted list of keys.

    Raises:
        Lost: a secret; a name that no object, or that several objects bear; a text that the field takes no more.
    """
    told = change.get(side)
    if audit.is_secret(field) or told == audit.MASK:
        raise Lost(_("A secret: it was never written down and stays as it is."))
    if field.many_to_many:
        return sorted(_keys(field, change, side, told or []))
    if field.is_relation:
        return next(iter(_keys(field, change, side, [told] if told else [])), None)
    if told is None or isinstance(field, models.JSONField):
        return told
    try:
        return field.to_python(told)
    except ValidationError as error:
        raise Lost(_("What was kept does not fit the field any more.")) from error


def _keys(field: Any, change: dict[str, Any], side: str, names: list[Any]) -> list[Any]:
    if f"{side}_id" in change:
        return keys_of(change[f"{side}_id"])
    return [_key_of(field.related_model, str(name)) for name in names]


def _key_of(model: type[models.Model], name: str) -> Any:
    """Look a name of an old line up: those kept no keys."""
    field = natural_field(model)
    rows = model._default_manager.filter(**{field: name}) if field else None
    found = list(rows.values_list("pk", flat=True)[:2]) if rows is not None else []
    if len(found) != 1:
        raise Lost(
            _(
                "The line kept only the name “%(name)s”, which no longer names one object."
            )
            % {"name": name}
        )
    return found[0]


def value_now(field: Any, instance: models.Model) -> Any:
    """Give the value of an object's field in the form of `kept_value`."""
    if field.many_to_many:
        return sorted(row.pk for row in getattr(instance, field.name).all())
    value = getattr(instance, field.attname)
    return storable(value) if isinstance(field, models.JSONField) else value


def taken_back(old: Any, new: Any, now: Any) -> Any:
    """Work out what a field becomes when a change from `old` to `new` is taken back, three ways.

    Of custom fields and other mappings only the keys that the change touched count.

    Returns:
        MISSING where a later change touched the same: what is now is neither what the change left nor what it found.
    """
    if now in (new, old):
        return old
    if not all(isinstance(each, dict) for each in (old, new, now)):
        return MISSING
    merged = dict(now)
    for key in {*old, *new}:
        before, after = old.get(key, MISSING), new.get(key, MISSING)
        if before == after:
            continue
        if now.get(key, MISSING) not in (after, before):
            return MISSING
        merged.pop(key, None)
        if before is not MISSING:
            merged[key] = before
    return merged
