"""By what a row finds the object that it changes: a unique field, several that are unique together, a declared one, the id."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from adminset.crud.resource import Resource
from adminset.imports.related import batches

ID = "id"
Key = tuple[str, ...]


def unique_together(model: type[models.Model]) -> list[Key]:
    """List the fields, or groups of fields, of which no two rows have the same values."""
    single = [
        (f.name,) for f in model._meta.concrete_fields if f.unique and not f.primary_key
    ]
    groups = [tuple(group) for group in model._meta.unique_together]
    groups += [tuple(c.fields) for c in model._meta.total_unique_constraints]
    return list(dict.fromkeys([*single, *groups]))


def offered(resource: Resource, labels: dict[str, str]) -> list[tuple[str, str]]:
    """List (key, words) of the keys that a file of this resource may use, the surest first; "" makes every row a new object.

    Args:
        labels: field -> what it is called, of the columns that there are.
    """
    found = unique_together(resource.model)
    found += [(name,) for name in resource.import_keys]
    known = [key for key in dict.fromkeys(found) if all(name in labels for name in key)]
    return [
        *(
            (",".join(key), " + ".join(capfirst(labels[n]) for n in key))
            for key in known
        ),
        (ID, _("id (a column of the file)")),
        ("", _("None: every row is a new object")),
    ]


class Matches:
    """The objects that rows of a file mean.

    Args:
        rows: those that the user may see; others are not there.
        key: names of fields, or ("id",).
    """

    def __init__(self, rows: models.QuerySet, key: Key) -> None:
        self._rows, self._key = rows, key
        self._fields = [
            rows.model._meta.pk if name == ID else rows.model._meta.get_field(name)
            for name in key
        ]

    def value_of(self, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Give what a row's key is in the database's terms; None where part of it is empty or makes no sense."""
        made = []
        for name, field in zip(self._key, self._fields, strict=True):
            told = values.get(name)
            if told in (None, "", []):
                return None
            try:
                made.append(str(told if field.is_relation else field.to_python(told)))
            except (ValidationError, ValueError):
                return None
        return tuple(made)

    def find(
        self, wanted: Iterable[tuple[Any, ...]]
    ) -> dict[tuple[Any, ...], list[Any]]:
        """Give key -> ids of the objects that have it, at most some hundred keys at once."""
        asked = set(wanted)
        found: dict[tuple[Any, ...], list[Any]] = {}
        for key, pk in self._pairs(asked):
            if key in asked:
                found.setdefault(key, []).append(pk)
        return found

    def _pairs(self, asked: set[tuple[Any, ...]]) -> Iterator[tuple[Any, Any]]:
        names = [field.attname for field in self._fields]
        for batch in batches(sorted(asked)):
            columns = zip(names, zip(*batch, strict=True), strict=True)
            within = {f"{name}__in": set(column) for name, column in columns}
            rows = self._rows.filter(**within).order_by().distinct()
            for *key, pk in rows.values_list(*names, "pk"):
                yield tuple(map(str, key)), pk
