"""The form of a module, made from its definition: one for the page, the API, schedules and templates alike."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

from tasks.models import TaskModule
from tasks.taskmodules import definitions as d
from tasks.taskmodules.fields import Tick, choices_of, make_field
from tasks.taskmodules.parsing import from_values

PREFIX = "answer"
CONFIRMED = "confirmed"


class ModuleForm(forms.Form):
    """The questions of one module. Field names stand behind a prefix, so that it fits into any other form.

    Args:
        definition: the module.
        user: whose hosts, groups and other objects of the CMDB are offered.
        kept: names of secrets that are stored already: they may be left empty.
    """

    def __init__(
        self,
        definition: d.Definition,
        user: Any,
        data: Any = None,
        initial: Mapping[str, Any] | None = None,
        *,
        kept: Collection[str] = (),
        prefix: str = PREFIX,
    ) -> None:
        self.definition, self.user, self._kept = definition, user, kept
        super().__init__(
            _with_defaults(definition, data, prefix),
            initial=_as_initial(definition, initial),
            prefix=prefix,
        )
        for one in definition.fields:
            self.fields[one.name] = make_field(one, user)
            if one.is_secret and one.name in kept:
                self.fields[one.name].required = False
                self.fields[one.name].help_text = _("Set. Empty: it stays as it is.")
            self.fields[one.name].widget.attrs |= _marks(one, user, prefix)
        if definition.dangerous:
            self.fields[CONFIRMED] = Tick(
                label=_("I know what this does to the hosts"),
                help_text=d.said(definition.description),
            )

    def clean(self) -> dict[str, Any]:
        """Look at each field in the light of those before it: what is not shown is not asked."""
        cleaned = super().clean() or self.cleaned_data
        for one in self.definition.fields:
            if not self.shows(one):
                self.errors.pop(one.name, None)
                cleaned[one.name] = None
            elif one.name not in self.errors:
                self._check(one, cleaned.get(one.name))
        return cleaned

    def shows(self, one: d.Field) -> bool:
        """Say whether a field is asked, as the answers before it stand."""
        return all(
            _as_text(self.cleaned_data.get(name)) in values
            for name, values in one.shown_when.items()
        )

    def _check(self, one: d.Field, value: Any) -> None:
        empty = value in (None, "", [])
        needs = one.required and one.type != d.CHECKBOX
        if empty and needs and not (one.is_secret and one.name in self._kept):
            self.add_error(
                one.name,
                ValidationError(
                    forms.Field.default_error_messages["required"], "required"
                ),
            )
        elif one.choices.when and not empty and one.choices.when not in self.errors:
            other = _as_text(self.cleaned_data.get(one.choices.when))
            known = {choice.value for choice in one.choices.cases.get(other, ())}
            chosen = value if isinstance(value, list) else [value]
            if not set(chosen) <= known:
                self.add_error(
                    one.name,
                    _("This does not go with %(other)s.") % {"other": other or "-"},
                )

    def answers(self) -> dict[str, Any]:
        """Give the valid answers as JSON types, without secrets; hosts and groups by name."""
        return {
            one.name: as_json(one, self.cleaned_data.get(one.name))
            for one in self.definition.fields
            if not one.is_secret and self.shows(one)
        }

    def secret_answers(self) -> dict[str, str]:
        """Give the valid answers that nobody may see; a kept one that was left empty is not among them."""
        return {
            one.name: self.cleaned_data[one.name]
            for one in self.definition.fields
            if one.is_secret and self.cleaned_data.get(one.name)
        }


def form_for(
    module: TaskModule,
    user: Any,
    data: Any = None,
    initial: Mapping[str, Any] | None = None,
    *,
    kept: Collection[str] = (),
) -> ModuleForm:
    """Give the form of a module.

    Args:
        data: what a page sent (request.POST). initial: answers of another time, as `answers()` gave them.
        kept: names of secrets that are stored already.

    Raises:
        DefinitionError: the module's definition cannot be used.
    """
    return ModuleForm(from_values(module.definition), user, data, initial, kept=kept)


def form_of_answers(
    definition: d.Definition,
    user: Any,
    answers: Mapping[str, Any],
    secrets: Mapping[str, str],
) -> ModuleForm:
    """Give a form filled with answers from elsewhere than a page; what is not answered takes its default."""
    data: dict[str, Any] = {f"{PREFIX}-{CONFIRMED}": "on"}
    for one in definition.fields:
        value = secrets.get(one.name) if one.is_secret else answers.get(one.name)
        value = one.default if value is None else value
        data[f"{PREFIX}-{one.name}"] = value
    return ModuleForm(definition, user, data)


def _with_defaults(definition: d.Definition, data: Any, prefix: str) -> Any:
    """Add the defaults of what was not sent at all: a page sends each input, a program what it wants to say."""
    if data is None:
        return None
    absent = {
        f"{prefix}-{one.name}": one.default
        for one in definition.fields
        if one.type not in (d.CHECKBOX, d.RADIO, d.MULTI_SELECT)
        and one.default is not None
        and f"{prefix}-{one.name}" not in data
    }
    if not absent:
        return data
    made = data.copy()
    made.update(absent)
    return made


def _as_initial(
    definition: d.Definition, given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Give the answers that the form still asks for; a script's are texts, so lists and ticks are read back."""
    known = {one.name: one for one in definition.fields if not one.is_secret}
    found = {}
    for name, value in (given or {}).items():
        one = known.get(name)
        if one is None:
            continue
        if one.type == d.MULTI_SELECT and isinstance(value, str):
            value = value.splitlines()
        if one.type == d.CHECKBOX:
            value = value in (True, "true")
        found[name] = value
    return found


def as_json(one: d.Field, value: Any) -> Any:
    """Put a clean value as JSON: rows by name (by number where the name is one), days and decimals as text."""
    if value is None:
        return {d.CHECKBOX: False, d.MULTI_SELECT: []}.get(one.type, "")
    if isinstance(value, Model) and str(value).isdecimal():
        return str(value.pk)
    return value if isinstance(value, str | bool | int | list) else str(value)


def _as_text(value: Any) -> str:
    """Put a clean value as a definition writes it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _marks(one: d.Field, user: Any, prefix: str) -> dict[str, Any]:
    """Tell the page's script (static/js/module-form.js) when a field shows, and which choices go with which value."""
    marks: dict[str, Any] = {}
    if one.shown_when:
        marks["data-shown-when"] = _json(
            {
                f"{prefix}-{name}": list(values)
                for name, values in one.shown_when.items()
            }
        )
    if one.choices.when:
        marks["data-depends-on"] = f"{prefix}-{one.choices.when}"
        # A searchable select would keep choices of its own.
        marks["data-enhance"] = "plain"
        marks["data-cases"] = _json(
            {
                value: [c.value for c in some]
                for value, some in one.choices.cases.items()
            }
        )
    return marks


def schema_of(definition: d.Definition, user: Any) -> list[dict[str, Any]]:
    """Describe the form for machines: name, type, label, help, required, default, limits, choices of each field."""
    return [_described(one, user) for one in definition.fields]


def _described(one: d.Field, user: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": one.name,
        "type": one.type,
        "label": d.said(one.label) or one.name,
        "help": d.said(one.help),
        "required": one.required and one.type != d.CHECKBOX,
        "default": one.default,
        "min": one.min,
        "max": one.max,
        "pattern": one.pattern,
        "shown_when": {name: list(values) for name, values in one.shown_when.items()},
    }
    if one.type in d.CHOOSING:
        listed = choices_of(one, user)
        found["choices"] = [{"value": v, "label": label} for v, label in listed]
        if one.choices.when:
            cases = one.choices.cases.items()
            found["depends_on"] = one.choices.when
            found["cases"] = {value: [c.value for c in some] for value, some in cases}
    return {key: value for key, value in found.items() if value not in (None, "", {})}
