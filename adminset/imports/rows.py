"""Makes the form of each row of a file without asking the database for each: what its cells name is known beforehand."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db import models

from adminset.crud.forms import ResourceForm, as_input, given
from adminset.crud.resource import Resource
from adminset.imports.damage import damage, mended
from adminset.imports.light import known_of, known_of_new, light
from adminset.imports.problems import Problem
from adminset.imports.related import Related
from adminset.imports.sheet import Row, Sheet

ID = "id"
# A single field of these classes asks the database for each value; a class of a room's own is left alone.
ONE, MANY = forms.ModelChoiceField, forms.ModelMultipleChoiceField


class RowForms:
    """The forms of a sheet's rows."""

    def __init__(self, resource: Resource, user: Any, sheet: Sheet) -> None:
        self._class, self._user, self._sheet = (
            light(resource.form, sheet.names),
            user,
            sheet,
        )
        self.blank = self._class(user=user)
        self.fields = {
            name: self.blank.fields[name]
            for name in sheet.names
            if name in self.blank.fields
        }
        cells: dict[str, list[str]] = {name: [] for name in self.fields}
        for row in sheet.rows:
            for name, cell in sheet.values(row).items():
                cells.get(name, []).append(cell)
        self.related = {
            name: Related(field, set(cells[name]))
            for name, field in self.fields.items()
            if isinstance(field, ONE) and type(field) in (ONE, MANY) and _by_key(field)
        }

        self._start = starting_values(self.blank)
        self._remember(self.blank)
        vars(self.blank)["known"] = known_of_new(self.blank, self._start)
        self._words = {
            name: _words(field)
            for name, field in self.fields.items()
            if isinstance(field, forms.ChoiceField) and not isinstance(field, ONE)
        }

    def read(self, row: Row) -> tuple[dict[str, Any], list[Problem]]:
        """Give field -> what a page would send of a row, and what is wrong with its cells."""
        problems = list(row.faults)
        values: dict[str, Any] = {}
        cells = self._sheet.values(row)
        for name, field in self.fields.items():
            cell = mended(cells.get(name, ""), field)
            message = damage(cell, field)
            if not message and name not in self.related:
                said = self._words.get(name, {}).get(cell.casefold(), cell)
                values[name], message = _plain(field, said)
            if message:
                problems.append(Problem(row.line, name, cell[:200], message))
        wrong = {problem.column for problem in problems}
        problems += self._name_related(row, cells, values, wrong)
        return values, problems

    def _name_related(
        self, row: Row, cells: Mapping[str, str], values: dict[str, Any], skip: set[str]
    ) -> list[Problem]:
        """Put keys for names; the plain ones first, because they say which of several is meant."""
        problems, near = [], {}
        todo = [name for name in self.related if name not in skip]
        for name in sorted(todo, key=lambda n: self.related[n].many):
            near[name] = self.related[name].key_of(cells.get(name, ""), {})[0]
        for name in todo:
            related, keys = self.related[name], []
            for part in related.parts(cells.get(name, "")):
                key, message = related.key_of(part, near)
                keys.append(key)
                if message:
                    problems.append(Problem(row.line, name, part[:200], message))
            values[name] = keys if related.many else next(iter(keys), "")
        return problems

    def form(
        self, row: Row, values: Mapping[str, Any], instance: models.Model | None
    ) -> ResourceForm:
        """Make the bound form of a row: what the file does not say stays as it is, and what it leaves empty of a new object."""
        form = (
            self.blank.for_another()
            if instance is None
            else self._class(user=self._user, instance=instance)
        )
        data = self._start if instance is None else starting_values(form)
        filled = self._sheet.values(row)
        said = {
            name: value
            for name, value in values.items()
            if instance or filled.get(name) or value is False
        }
        form.data, form.is_bound = data | said, True
        if instance is not None:
            vars(form)["known"] = known_of(form)
            self._remember(form)
        # Whether the related objects exist was asked for the whole file.
        form.instance.clean_fields = partial(_clean_plain_fields, form.instance)
        return form

    def _remember(self, form: ResourceForm) -> None:
        """Let the fields of related objects know what was looked up, so that they need not ask for each row."""
        for name, field in form.fields.items():
            known = self.related[name].objects if name in self.related else {}
            if type(field) is ONE and _by_key(field):
                field.to_python = partial(  # type: ignore[method-assign]
                    _known_one, form.instance, name, known, field.to_python
                )
            elif type(field) is MANY and _by_key(field):
                field.clean = partial(  # type: ignore[method-assign]
                    _known_many, form, name, known, field.clean
                )


def starting_values(form: ResourceForm) -> dict[str, Any]:
    """Give what a page would send of a form that nobody has touched."""
    return {
        name: as_input(form.get_initial_for_field(field, name))
        for name, field in form.fields.items()
    }


def _by_key(field: forms.ModelChoiceField) -> bool:
    """Say whether the values of a field are keys, and not some other field's."""
    key = field.queryset.model._meta.pk.name if field.queryset is not None else ""
    return field.to_field_name in (None, "pk", key)


def _clean_plain_fields(instance: models.Model, exclude: Any = None) -> None:
    related = {f.name for f in instance._meta.concrete_fields if f.many_to_one}
    type(instance).clean_fields(instance, exclude={*(exclude or ()), *related})


def _words(field: forms.ChoiceField) -> dict[str, str]:
    """Give what the pages call a choice -> its value; a value means itself."""
    pairs = [(str(value), str(label)) for value, label in _flat(field.choices) if value]
    called = {label.casefold(): value for value, label in pairs}
    return called | {value.casefold(): value for value, _label in pairs}


def _flat(choices: Any) -> Iterator[tuple[Any, Any]]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield value, label


def _plain(field: forms.Field, cell: str) -> tuple[Any, str]:
    if isinstance(field, forms.MultipleChoiceField):
        return [part.strip() for part in cell.split(";") if part.strip()], ""
    try:
        return given(field, cell), ""
    except ValueError:
        return cell, str(RegexValidator.message)


def _known_one(
    instance: models.Model,
    name: str,
    known: Mapping[str, models.Model],
    ask: Callable[[Any], Any],
    value: Any,
) -> models.Model | None:
    """Give the object of a key that was looked up for the whole file, or that the row holds already; else ask."""
    held = instance.__dict__.get(f"{name}_id")
    if held is not None and str(held) == str(value):
        return getattr(instance, name)
    return known.get(str(value)) or ask(value)


def _known_many(
    form: ResourceForm,
    name: str,
    known: Mapping[str, models.Model],
    ask: Callable[[Any], Any],
    value: Any,
) -> Any:
    """Give objects as a queryset that has been read already."""
    held = {str(getattr(row, "pk", row)): row for row in form.initial.get(name) or ()}
    found = [known.get(str(key)) or held.get(str(key)) for key in value or ()]
    if not found or not all(isinstance(row, models.Model) for row in found):
        return ask(value)
    rows = form.fields[name].queryset.filter(pk__in=[row.pk for row in found if row])  # type: ignore[attr-defined]
    rows._result_cache, rows._prefetch_done = (
        list({r.pk: r for r in found if r}.values()),
        True,
    )
    return rows


def errors_of(line: int, cells: Mapping[str, str], form: ResourceForm) -> list[Problem]:
    """Turn the errors of a form into problems of a line."""
    return [
        Problem(
            line,
            "" if field == "__all__" else field,
            cells.get(field, "")[:200],
            str(text),
        )
        for field, texts in form.errors.items()
        for text in texts
    ]
