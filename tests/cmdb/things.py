"""Makes one of any model of the CMDB by its fields alone, for tests that walk all of them."""

import itertools
from datetime import date
from typing import Any

from django.db import models
from django.utils import timezone

from adminset.crypto import EncryptedTextField
from adminset.models import Timestamped

_numbers = itertools.count(1)
# What a maker that only knows the field's type cannot guess.
SPECIAL: dict[str, Any] = {
    "cidr": lambda n: f"10.{n // 250 % 250}.{n % 250}.0/24",
    "address": lambda n: f"172.16.{n // 250 % 250}.{n % 250 + 1}",
    "currency": lambda n: "EUR",
    "key": lambda n: f"k{n}",
    "username": lambda n: "root",
}
HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>\u202e"


def make_thing(model: type[models.Model]) -> Any:
    """Make one with the least that its fields ask for; what it must refer to is made too."""
    number = next(_numbers)
    values = {
        field.name: _value(field, number)
        for field in model._meta.concrete_fields
        if _is_needed(field)
    }
    return model._default_manager.create(**values)


def _is_needed(field: Any) -> bool:
    given = field.primary_key or field.null or field.has_default()
    stamped = field.name in {f.name for f in Timestamped._meta.fields}
    spare = field.blank and not field.unique and field.name not in SPECIAL
    return not (given or stamped or spare) and field.editable


def _value(field: Any, number: int) -> Any:
    if field.name in SPECIAL and not field.is_relation:
        return SPECIAL[field.name](number)
    if field.is_relation:
        return make_thing(field.related_model)
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.DateField):
        return date(2026, 1, 1)
    if isinstance(field, models.GenericIPAddressField):
        return SPECIAL["address"](number)
    if isinstance(field, models.IntegerField | models.DecimalField):
        return 2026 if field.name == "year" else 1
    return f"thing-{number}"[: field.max_length]


def poison(instance: models.Model) -> dict[str, str]:
    """Write hostile text into every field that holds free text, past every form; gives what was written."""
    values = {}
    for field in instance._meta.concrete_fields:
        free = isinstance(field, models.CharField | models.TextField)
        kept = field.choices or field.name in {"cidr", "key", "pem", "fingerprint"}
        if free and not kept and not isinstance(field, EncryptedTextField):
            values[field.name] = HOSTILE[: field.max_length]
    # Sort keys and spans are made of addresses, a host key is read before it is kept, both by the portal itself.
    for name in ("first_key", "last_key", "area", "host_key"):
        values.pop(name, None)
    type(instance)._default_manager.filter(pk=instance.pk).update(**values)
    return values
