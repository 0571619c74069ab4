"""The objects that a column of a file names: all of them are looked up at once, by name, by how they read, or by id."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset.crud.forms import natural_field

# Names asked for in one query: every database takes so many.
BATCH = 500
# Up to so many objects are read to compare how they read ("IDC 1 / R1").
MOST_READ = 5000


def batches(values: Iterable[Any], size: int = BATCH) -> Iterator[list[Any]]:
    """Cut into lists of at most `size`."""
    listed = list(values)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


class Related:
    """What one column of related objects says, for every row of the file.

    Args:
        field: the field of a form of the user, so that its queryset holds what the user may see.
        texts: all cells of the column.
    """

    def __init__(self, field: forms.ModelChoiceField, texts: Iterable[str]) -> None:
        self.many = isinstance(field, forms.ModelMultipleChoiceField)
        self.objects: dict[str, models.Model] = {}
        self._called: dict[str, list[models.Model]] = {}
        rows: Any = field.queryset
        self._rows = rows
        self._name = natural_field(rows.model)
        self._load({part for text in texts for part in self.parts(text)})

    def parts(self, text: str) -> list[str]:
        """Give the names in a cell: one, or several with semicolons between."""
        split = text.split(";") if self.many else [text]
        return [part.strip() for part in split if part.strip()]

    def _load(self, wanted: set[str]) -> None:
        if self._name:
            for batch in batches(sorted(wanted)):
                for row in self._rows.filter(**{f"{self._name}__in": batch}):
                    self._keep(str(getattr(row, self._name)), row, wanted)
        open_texts = {text for text in wanted if len(self._called.get(text, ())) != 1}
        if open_texts:
            read = list(self._rows[: MOST_READ + 1])
            for row in read if len(read) <= MOST_READ else ():
                self._keep(str(row), row, open_texts)
        numbers = [text for text in wanted if self._is_key(text)]
        for batch in batches(numbers):
            for row in self._rows.filter(pk__in=batch):
                self._keep(str(row.pk), row, wanted)

    def _is_key(self, text: str) -> bool:
        return text not in self._called and text.isdecimal() and len(text) < 19

    def _keep(self, text: str, row: models.Model, wanted: set[str]) -> None:
        called = self._called.setdefault(text, []) if text in wanted else []
        if text in wanted and all(each.pk != row.pk for each in called):
            called.append(row)
            self.objects[str(row.pk)] = row

    def key_of(self, text: str, near: Mapping[str, Any]) -> tuple[Any, str]:
        """Give the key of the object that a text names.

        Args:
            near: field -> key of what else the row names: of several cabinets R1 it means the one of the row's IDC.

        Returns:
            the key, or None and why there is none.
        """
        found = self._called.get(text, [])
        if len(found) > 1:
            found = [row for row in found if _fits(row, near)] or found
        if len(found) == 1:
            return found[0].pk, ""
        kind = self._rows.model._meta
        if not found:
            said = _(
                "There is no %(kind)s “%(name)s”, or you may not see it. Add it first, or correct the name."
            )
            return None, said % {"kind": kind.verbose_name, "name": text[:80]}
        said = ngettext(
            "%(count)s object is called “%(name)s”: write “%(example)s”, or the id.",
            "%(count)s objects are called “%(name)s”: write “%(example)s”, or the id.",
            len(found),
        )
        shown = {"count": len(found), "name": text[:80], "example": found[0]}
        return None, said % shown


def _fits(row: models.Model, near: Mapping[str, Any]) -> bool:
    """Say whether an object stands where the row says."""
    own = {field.name: field.attname for field in row._meta.concrete_fields}
    return all(
        getattr(row, own[name]) == key
        for name, key in near.items()
        if name in own and key is not None
    )
