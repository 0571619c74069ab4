"""How the fields of an object read on its page, and what depends on the object."""

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext as _

from adminset.crud.resource import Resource
from adminset.crypto import EncryptedTextField
from adminset.querysets import seen


def describe(
    resource: Resource, instance: models.Model, user: Any
) -> list[dict[str, Any]]:
    """List {label, value, help, name} of the fields that the overview shows, without those that are empty."""
    names = resource.detail_fields or tuple(resource.form.base_fields)
    rows = [_one(instance, name, user) for name in names]
    return [row for row in rows if row["value"] not in (None, "", [])]


def _one(instance: models.Model, name: str, user: Any) -> dict[str, Any]:
    try:
        field = instance._meta.get_field(name)
    except FieldDoesNotExist:
        attribute = getattr(type(instance), name, None)
        label = getattr(
            getattr(attribute, "fget", attribute),
            "short_description",
            name.replace("_", " "),
        )
        value = getattr(instance, name, None)
        return {
            "name": name,
            "label": label,
            "value": value() if callable(value) else value,
            "help": "",
        }
    return {
        "name": name,
        "label": getattr(field, "verbose_name", name),
        "value": _value(instance, field, user),
        "help": getattr(field, "help_text", ""),
    }


def _value(instance: models.Model, field: Any, user: Any) -> Any:
    if isinstance(field, EncryptedTextField):
        return _("set (never shown)") if getattr(instance, field.name) else ""
    if field.many_to_many:
        return seen(user, getattr(instance, field.name).all())
    if getattr(field, "choices", None):
        return getattr(instance, f"get_{field.name}_display")()
    return getattr(instance, field.name)


def dependents(instance: models.Model) -> list[dict[str, Any]]:
    """Count what points at the object: {label, count} for each kind of which there is any."""
    found = []
    for relation in instance._meta.related_objects:
        rows = relation.related_model._base_manager.filter(
            **{relation.field.name: instance.pk}
        )
        if count := rows.count():
            found.append(
                {
                    "label": relation.related_model._meta.verbose_name_plural,
                    "count": count,
                }
            )
    return found
