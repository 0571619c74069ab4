"""Draws the rows of a list: what django-tables2 finds out again for every cell is found out once for each column."""

import inspect
from collections.abc import Iterator
from typing import Any

import django_tables2 as tables
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.formats import localize
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import template_localtime  # type: ignore[attr-defined]
from django.utils.translation import gettext as _
from django_tables2.columns import BoundColumn
from django_tables2.rows import BoundRow

from adminset.querysets import everywhere, permission_for
from adminset.scopes import is_scoped

# What stands for a related object that the reader may not see, and for a question that is not asked yet.
HIDDEN, ASK = object(), object()
CALLABLE = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def draw_rows(table: tables.Table) -> SafeString:
    """Draw the rows of a table's page; cells are escaped unless they are safe already."""
    columns = _columns(table)
    return format_html_join("\n", "{}", ((_row(columns, r),) for r in _records(table)))


def _row(columns: "list[_Boxes | Cells]", record: Any) -> SafeString:
    cells = format_html_join("", "{}", ((column.draw(record),) for column in columns))
    key = str(record.pk)
    return format_html('<tr tabindex="-1" data-key="{}" data-row>{}</tr>', key, cells)


def _records(table: tables.Table) -> Iterator[Any]:
    return (row.record for row in table.paginated_rows)


def _columns(table: tables.Table) -> "list[_Boxes | Cells]":
    shown = list(table.columns)
    first = next((column.name for column in shown if column.name != "select"), "")
    return [
        _Boxes() if column.name == "select" else Cells(table, column, first)
        for column in shown
    ]


class _Boxes:
    """The boxes before the rows."""

    def __init__(self) -> None:
        self._words = _("Select %(name)s")

    def draw(self, record: Any) -> SafeString:
        return format_html(
            '<td class="select"><input class="form-check-input" type="checkbox" name="pk" value="{}" form="bulk-form" aria-label="{}" data-select-row></td>',
            str(record.pk),
            self._words % {"name": record},
        )


class Cells:
    """A column: where its value is found, what draws it, and the link around it."""

    def __init__(self, table: tables.Table, column: BoundColumn, first: str) -> None:
        self._table, self._column = table, column
        self._visible: Any = ASK
        marks = [column.attrs["td"].get("class") or ""]
        marks += ["first"] if column.name == first else []
        marks += ["actions"] if column.name == "actions" else []
        self._open = format_html('<td class="{}">', " ".join(filter(None, marks)))
        self._bits = tuple(column.accessor.bits)
        self._said = _says_choice(table, column)
        self._empty = tuple(column.column.empty_values)
        self._default = column.default
        self._render = self._drawing(column)
        self._wanted = _wanted(self._render)

    def _drawing(self, column: BoundColumn) -> Any:
        """Give what draws a value that is there."""
        return column.render

    def draw(self, record: Any) -> SafeString:
        """Draw the cell of a row."""
        value = self._value(record)
        if value is HIDDEN:
            return format_html("{}{}</td>", self._open, _("not for you to see"))
        cell = (
            self._default if _is_in(value, self._empty) else self._full(value, record)
        )
        shown = conditional_escape(localize(template_localtime(cell)))
        return format_html("{}{}</td>", self._open, shown)

    def _value(self, record: Any) -> Any:
        """Follow the accessor; what cannot be followed is no value."""
        value = record
        for bit in self._bits[:-1]:
            value = getattr(value, bit, None)
            if self._is_hidden(value):
                return HIDDEN
        if value is None or not self._bits:
            return value
        if self._said:
            return getattr(value, self._said)()
        value = getattr(value, self._bits[-1], None)
        if self._is_hidden(value):
            return HIDDEN
        return value() if callable(value) and _is_safe_to_call(value) else value

    def _is_hidden(self, value: Any) -> bool:
        """Say whether a related object lies outside what the reader may see."""
        if not isinstance(value, models.Model) or not is_scoped(type(value)):
            return False
        if self._visible is ASK:
            self._visible = _keys_for(self._table.request.user, type(value))
        return self._visible is not None and value.pk not in self._visible

    def _full(self, value: Any, record: Any) -> Any:
        known = {
            "value": value,
            "record": record,
            "column": self._column.column,
            "bound_column": self._column,
            "table": self._table,
        }
        if self._wanted is None or "bound_row" in self._wanted:
            known["bound_row"] = BoundRow(record, self._table)
        given = {
            k: v for k, v in known.items() if not self._wanted or k in self._wanted
        }
        return self._linked(self._render(**given), known)

    def _linked(self, drawn: Any, known: dict[str, Any]) -> Any:
        link = self._column.link
        if link is None:
            return drawn
        if link.attrs:
            return link(drawn, **known)
        return format_html('<a href="{}">{}</a>', link.compose_url(**known), drawn)


class PlainCells(Cells):
    """A column as an export takes it: values without markup."""

    def _drawing(self, column: BoundColumn) -> Any:
        """Give what says a value: the table's or the column's own way, else what draws it."""
        own = getattr(column.value, "__func__", None) is not tables.Column.value
        return column.value if own else column.render

    def say(self, record: Any) -> Any:
        """Give the value of a row."""
        value = self._value(record)
        if value is HIDDEN or _is_in(value, self._empty):
            return None
        return self._full(value, record)

    def _linked(self, drawn: Any, known: dict[str, Any]) -> Any:
        return drawn


def _keys_for(user: Any, model: type[models.Model]) -> set[int] | None:
    """Give the keys of a model that a reader may see; None: all of them. One query a column, for readers with a scope only."""
    if everywhere(user, permission_for(model, "view")):
        return None
    rows: Any = model._default_manager
    return set(rows.visible_to(user).values_list("pk", flat=True))


def _is_safe_to_call(value: Any) -> bool:
    """Tell a method that answers from one that writes, and from the manager of related rows."""
    return not (
        getattr(value, "alters_data", False)
        or getattr(value, "do_not_call_in_templates", False)
    )


def _is_in(value: Any, empty: tuple[Any, ...]) -> bool:
    # A manager or a list is compared with None and "" in vain, but at no cost.
    return any(value is each or value == each for each in empty)


def _wanted(render: Any) -> frozenset[str] | None:
    """Name the arguments that a column's drawing takes; None: all."""
    parameters = inspect.signature(render).parameters.values()
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
        return None
    return frozenset(each.name for each in parameters if each.kind in CALLABLE)


def _says_choice(table: tables.Table, column: BoundColumn) -> str:
    """Name the method that says a choice in words, "" where the column is none."""
    model = getattr(table._meta, "model", None)
    field: Any = None
    for bit in column.accessor.bits if model else ():
        try:
            field = model._meta.get_field(bit)  # type: ignore[union-attr]
        except (FieldDoesNotExist, AttributeError):
            return ""
        model = field.related_model
    return f"get_{field.name}_display" if getattr(field, "choices", None) else ""
