"""Inputs of several rows: the files of a distribution, the extra variables; a page sends columns, a program sends JSON."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _

MOST_ROWS = 100
# Empty rows that a page without JavaScript offers.
SPARE = 1


@dataclass(frozen=True)
class Column:
    """One input of a row.

    Attributes:
        kind: text, area, number, tick or select. choices: (value, words) of a select, asked for when it is drawn.
    """

    name: str
    label: Any
    kind: str = "text"
    placeholder: Any = ""
    choices: Callable[[], Iterable[tuple[str, str]]] | None = None


class RowsWidget(forms.Widget):
    """Draws rows; reads `<name>-<number>-<column>`, or the JSON that a program gave under the plain name."""

    template_name = "tasks/widgets/rows.html"

    def __init__(self, columns: Iterable[Column], add: Any) -> None:
        self.columns, self.add = tuple(columns), add
        super().__init__()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Give JSON as it came, else the rows that are not empty."""
        if name in data:
            return data.get(name)
        sent = re.compile(rf"\A{re.escape(name)}-(\d{{1,4}})-([a-z]+)\Z")
        rows: dict[int, dict[str, str]] = {}
        for key in data:
            if match := sent.match(str(key)):
                value = str(data.get(key))
                rows.setdefault(int(match[1]), {})[match[2]] = value
        return [rows[number] for number in sorted(rows) if any(rows[number].values())]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Say no: rows that are all taken away are sent as nothing."""
        return False

    def format_value(self, value: Any) -> list[dict[str, Any]]:
        """Give rows to draw."""
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                # No JSON: the field says so, and there is nothing to draw.
                return []
        return value if isinstance(value, list) else []

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Give rows of cells, and the pattern that JavaScript copies."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        shown = [row for row in self.format_value(value) if isinstance(row, Mapping)]
        rows = [*shown, *({} for _spare in range(SPARE))]
        context["widget"] |= {
            "rows": [
                self._cells(name, str(number), row) for number, row in enumerate(rows)
            ],
            "pattern": self._cells(name, "__", {}),
            "columns": self.columns,
            "add": self.add,
        }
        return context

    def _cells(
        self, name: str, number: str, row: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        return [
            {
                "name": f"{name}-{number}-{column.name}",
                "label": column.label,
                "kind": column.kind,
                "value": row.get(column.name, ""),
                "placeholder": row.get(f"{column.name}_hint") or column.placeholder,
                "choices": list(column.choices()) if column.choices else [],
            }
            for column in self.columns
        ]


class RowsField(forms.JSONField):
    """A list of rows, or the JSON of a program."""

    # What stands for nothing.
    none: Callable[[], Any] = list

    def to_python(self, value: Any) -> Any:
        """Read it.

        Raises:
            ValidationError: it is no JSON, or too many rows.
        """
        found = self.none() if value in self.empty_values else super().to_python(value)
        if isinstance(found, list) and len(found) > MOST_ROWS:
            raise forms.ValidationError(
                _("At most %(most)s rows.") % {"most": MOST_ROWS}, code="too_many"
            )
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Give what was sent as it is: the widget draws it again."""
        return data

    def prepare_value(self, value: Any) -> Any:
        """Give rows to the widget."""
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is meant."""
        try:
            return bool(self.to_python(data) != (initial or self.none()))
        except forms.ValidationError:
            return True
