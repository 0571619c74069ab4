"""The shape of a list: a box to select a row, the columns, the row's buttons."""

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _


class ResourceTable(tables.Table):
    """Base of all lists. `Meta.default_columns` says which columns show before the user chooses."""

    select = tables.CheckBoxColumn(
        accessor="pk",
        attrs={"input": {"data-select-row": ""}, "th__input": {"data-select-page": ""}},
    )
    actions = tables.TemplateColumn(
        template_name="generic/_row_actions.html",
        verbose_name=_("Actions"),
        orderable=False,
        exclude_from_export=True,
        extra_context={},
    )

    class Meta:
        default_columns: tuple[str, ...] = ()
        attrs = {"class": "table"}
        sequence: tuple[str, ...] = ("select", "...", "actions")

    def choosable(self) -> list[tuple[str, Any]]:
        """List (name, title) of the columns that a user may show or hide."""
        return [
            (name, column.header)
            for name, column in self.columns.items()
            if name not in {"select", "actions"}
        ]

    def show_only(self, wanted: list[str]) -> list[str]:
        """Hide the columns that are not wanted (empty: the default ones); give the names that show."""
        known = [name for name, _title in self.choosable()]
        default = list(getattr(self.Meta, "default_columns", ())) or known
        chosen = [name for name in known if name in wanted] or [
            n for n in known if n in default
        ]
        for name in known:
            if name not in chosen:
                self.columns.hide(name)
        return chosen
