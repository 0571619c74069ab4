"""How the fields of an object read on its page, and what depends on the object."""

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext as _

from adminset.crud.resource import Resource
from adminset.crypto import EncryptedTextField
from adminset.querysets import seen
from adminset.scopes import is_scoped


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
    value = getattr(instance, field.name)
    hidden = (
        isinstance(value, models.Model)
        and is_scoped(type(value))
        and not seen(user, [value])
    )
    return _("not for you to see") if hidden else value


def dependents(instance: models.Model, user: Any) -> list[dict[str, Any]]:
    """Count what points at the object; see `dependents_of`."""
    rows = type(instance)._base_manager.filter(pk=instance.pk)
    return dependents_of(rows, user)


def dependents_of(instances: models.QuerySet, user: Any) -> list[dict[str, Any]]:
    """Count what points at some objects and the user may see: {label, count} for each kind of which there is any.

    That there are others is said, not what or how many.
    """
    found, hidden = [], False
    keys = instances.order_by().values("pk")
    for relation in instances.model._meta.related_objects:
        rows = relation.related_model._base_manager.filter(
            **{f"{relation.field.name}__in": keys}
        ).distinct()
        shown = _seen_rows(rows, user)
        if count := shown.count():
            label = relation.related_model._meta.verbose_name_plural
            found.append({"label": label, "count": count})
        hidden = hidden or (shown is not rows and rows.count() > count)
    if hidden:
        found.append({"label": _("objects that you may not see"), "count": _("some")})
    return found


def _seen_rows(rows: models.QuerySet, user: Any) -> models.QuerySet:
    if not is_scoped(rows.model):
        return rows
    seen_keys = rows.model._default_manager.visible_to(user)
    return rows.filter(pk__in=seen_keys.order_by().values("pk"))
