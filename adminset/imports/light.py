"""Forms that are made for each of thousands of rows: they check what the file says, and take the rest as it is."""

import copy
from collections.abc import Collection
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property

from adminset.crud.forms import ResourceForm


class _SharedFields(dict[str, forms.Field]):
    """The fields of such a form class: every form gets light copies.

    Django copies each field with its widget, validators and messages, which takes longer than all that a row is checked for;
    no widget of these is ever drawn.
    """

    def __deepcopy__(self, memo: Any) -> dict[str, forms.Field]:
        return {name: copy.copy(field) for name, field in self.items()}


class OfRow(forms.BaseModelForm):
    """What such a form does otherwise than the form of the page.

    Attributes:
        said: names of the fields that the file names.
        known: values, as they come out of the check, of fields that it does not name.
    """

    said: Collection[str] = frozenset()
    known: dict[str, Any] = {}

    def _clean_fields(self) -> None:
        for name, field in self.fields.items():
            try:
                self.cleaned_data[name] = self._cleaned(name, field)
                if own := getattr(self, f"clean_{name}", None):
                    self.cleaned_data[name] = own()
            except ValidationError as error:
                self.add_error(name, error)

    def _cleaned(self, name: str, field: forms.Field) -> Any:
        if name not in self.said and name in self.known:
            return self.known[name]
        several = isinstance(field.widget, forms.MultiWidget)
        if several or field.disabled or isinstance(field, forms.FileField):
            return field._clean_bound_field(self[name])  # type: ignore[attr-defined]
        return field.clean(self.data.get(name))

    @cached_property
    def changed_data(self) -> list[str]:
        """Name the fields that the file changes."""
        return [n for n in self.fields if n in self.said and self[n]._has_changed()]  # type: ignore[attr-defined]


def light(form_class: type[ResourceForm], said: Collection[str]) -> type[ResourceForm]:
    """Give a form class for the rows of one file, with fields of its own that no page sees."""
    make: Any = type(form_class)
    made: Any = make(f"{form_class.__name__}OfRow", (OfRow, form_class), {})
    made.base_fields = _SharedFields(copy.deepcopy(dict(form_class.base_fields)))
    made.said = frozenset(said)
    made.know_once()
    light_class: type[ResourceForm] = made
    return light_class


def known_of_new(form: ResourceForm, start: dict[str, Any]) -> dict[str, Any]:
    """Check once what every new object has in the fields that the file does not name; what is wrong there stays to be checked."""
    known = {}
    for name, field in form.fields.items():
        try:
            known[name] = field.clean(start[name])
        except ValidationError:
            continue
    return known


def known_of(form: ResourceForm) -> dict[str, Any]:
    """Take the plain fields of an object that is there as they are."""
    plain = {
        field.name: field.attname
        for field in form.instance._meta.concrete_fields
        if not field.is_relation and not isinstance(field, models.FileField)
    }
    # An empty box keeps a secret; the secret itself in the box would be a new one.
    for name in form.secret_names():
        plain.pop(name, None)
    values = vars(form.instance)
    return {
        name: values[plain[name]]
        for name, field in form.fields.items()
        if name in plain and not (field.required and values[plain[name]] in (None, ""))
    }
