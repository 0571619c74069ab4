"""Extra variables of Ansible: rows of name, value and whether it is a secret; never one that steers Ansible itself."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tasks.ansible_variables import steers
from tasks.launching.rows import Column, RowsField, RowsWidget

LONGEST = 65536


@dataclass
class Variables:
    """What rows say: plain values, secrets that were typed, and names of secrets that are to stay as they are."""

    plain: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)


def check_name(name: str) -> str:
    """Say what is wrong with the name of a variable; "" for a good one."""
    if not steers(name):
        return ""
    return _(
        "%(name)s cannot be the name of a variable: letters, digits and _ only, and none of Ansible's own (ansible_...)."
    ) % {"name": name[:60] or "?"}


def read_rows(rows: list[Any]) -> tuple[Variables, list[str]]:
    """Give what rows say, and the sentences about those that cannot be."""
    found, wrong = Variables(), []
    seen: set[str] = set()
    for row in rows:
        if not isinstance(row, Mapping):
            wrong.append(_("A row has a name, a value and whether it is a secret."))
            continue
        name, value = str(row.get("name", "")).strip(), row.get("value", "")
        problem = check_name(name)
        if name in seen:
            problem = _("%(name)s is there twice.") % {"name": name}
        if len(str(value)) > LONGEST:
            problem = _("The value of %(name)s is too long.") % {"name": name}
        if problem:
            wrong.append(problem)
        seen.add(name)
        if not row.get("secret"):
            found.plain[name] = value
        elif value:
            found.typed[name] = str(value)
        else:
            found.kept.add(name)
    return found, wrong


class VariablesField(RowsField):
    """Cleans to `Variables`; takes rows of a page, or {name: value} of a program (whose secrets come apart)."""

    none = dict

    def __init__(self, **kwargs: Any) -> None:
        columns = (
            Column("name", gettext_lazy("Name"), placeholder="app_version"),
            Column("value", gettext_lazy("Value"), kind="area"),
            Column("secret", gettext_lazy("Secret"), kind="tick"),
        )
        kwargs.setdefault("widget", RowsWidget(columns, gettext_lazy("Add a variable")))
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> Variables:
        """Read rows or an object.

        Raises:
            ValidationError: a name that cannot be, or one that is there twice.
        """
        found = self.to_python(value)
        if isinstance(found, dict):
            read, wrong = (
                Variables(plain=found),
                [said for name in found if (said := check_name(str(name)))],
            )
            if len(json.dumps(found)) > LONGEST:
                wrong.append(_("These are too long."))
        elif isinstance(found, list):
            read, wrong = read_rows(found)
        else:
            read, wrong = Variables(), [_("Give an object of names and values.")]
        if wrong:
            raise forms.ValidationError(wrong)
        return read

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Leave it to the form, which knows the secrets that are kept (WorkForm.has_changed)."""
        return False


def shown(value: Any) -> str:
    """Give a value as a row shows it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def rows_of(
    plain: Mapping[str, Any], kept: Iterable[str], anew: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Give rows to draw: of a secret only that there is one, kept or to be typed anew."""
    rows = [{"name": n, "value": shown(value)} for n, value in plain.items()]
    hints = dict.fromkeys(sorted(anew), _("type it anew"))
    hints |= dict.fromkeys(sorted(kept), _("kept: type to replace it"))
    return rows + [
        {"name": n, "value": "", "secret": "1", "value_hint": hint}
        for n, hint in hints.items()
    ]


def without_secrets(rows: Any) -> Any:
    """Give sent rows as a page may show them again: the values of secrets are left out."""
    if not isinstance(rows, list):
        return rows
    hint = _("kept: type to replace it")
    return [
        {**row, "value": "", "value_hint": hint} if row.get("secret") else row
        for row in rows
        if isinstance(row, Mapping)
    ]


def as_before(found: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Give plain values, with the numbers and lists that a program had set where their text was not touched."""
    return {
        name: before[name] if name in before and shown(before[name]) == value else value
        for name, value in found.items()
    }
