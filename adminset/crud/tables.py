"""The shape of a list: a box to select a row, the columns, the row's buttons."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from adminset.templatetags.ui import icon

# Where the key "e" goes (static/js/keys.js).
EDIT_MARK = format_html(" data-edit{}", "")
NEW_PAGE_MARK = format_html(' target="_blank" rel="noopener"{}', "")


@dataclass(frozen=True)
class RowButton:
    """A button of a row: a link to a verb of the object, its address made once and filled in for each row."""

    permission: str
    verb: str
    icon: str
    css: str
    title: Any
    spoken: Any
    url: str = ""
    mark: SafeString | str = ""

    @cached_property
    def _parts(self) -> tuple[SafeString, SafeString, SafeString, str, str, str]:
        """What is the same in every row: the markup around address and name, the halves of the address, the words."""
        before, _zero, behind = self.url.rpartition("/0/")
        return (
            format_html('<a class="row-action {}" href="', self.css),
            format_html(
                '" title="{}"{}><span class="visually-hidden">', self.title, self.mark
            ),
            format_html("</span>{}</a>", icon(self.icon)),
            before,
            behind,
            str(self.spoken),
        )

    def draw(self, record: Any) -> SafeString:
        """Draw it for one object."""
        begin, middle, end, before, behind, spoken = self._parts
        address = f"{before}/{record.pk}/{behind}"
        name = spoken % {"name": record}
        return format_html("{}{}{}{}{}", begin, address, middle, name, end)


class ResourceTable(tables.Table):
    """Base of all lists. `Meta.default_columns` says which columns show before the user chooses."""

    select = tables.CheckBoxColumn(
        accessor="pk",
        attrs={"input": {"data-select-row": ""}, "th__input": {"data-select-page": ""}},
    )
    actions = tables.Column(
        verbose_name=_("Actions"),
        orderable=False,
        exclude_from_export=True,
        empty_values=(),
    )

    class Meta:
        default_columns: tuple[str, ...] = ()
        attrs = {"class": "table"}
        sequence: tuple[str, ...] = ("select", "...", "actions")

    # Set by the list: what the rows are of, and which verbs their reader may use.
    resource: Any = None
    can: Mapping[str, bool] = {}

    @cached_property
    def _buttons(self) -> list[RowButton]:
        offered = [
            RowButton(
                "change",
                "edit",
                "pen",
                "",
                _("Edit"),
                _("Edit %(name)s"),
                mark=EDIT_MARK,
            ),
            RowButton(
                "delete",
                "delete",
                "trash-can",
                "danger",
                _("Delete"),
                _("Delete %(name)s"),
            ),
        ]
        plain = [
            replace(button, url=self.resource.url(button.verb, 0))
            for button in offered
            if self.can.get(button.permission)
            and button.permission in self.resource.verbs
        ]
        return [*self._own_buttons(), *plain]

    def _own_buttons(self) -> list[RowButton]:
        """The resource's further buttons, where the reader holds their permission; on which rows is asked where they lead."""
        return [
            RowButton(
                action.permission,
                action.url_name,
                action.icon,
                "",
                action.title,
                format_lazy("{}: %(name)s", action.title),
                reverse(action.url_name, args=[0]),
                NEW_PAGE_MARK if action.new_page else "",
            )
            for action in self.resource.row_actions
            if self.request.user.has_perm(action.permission)
        ]

    def render_actions(self, record: Any) -> SafeString:
        """Draw the buttons of a row. A template for each row would cost more than all the rest of it."""
        parts = ((button.draw(record),) for button in self._buttons)
        return format_html_join("", "{}", parts)

    def choosable(self) -> list[tuple[str, Any]]:
        """List (name, title) of the columns that a user may show or hide."""
        return [
            (name, column.header)
            for name, column in self.columns.items()
            if name not in {"select", "actions"}
        ]

    def show_only(self, wanted: list[str]) -> list[str]:
        """Hide the columns that are not wanted (empty: the default ones), in the order wanted; give the names that show."""
        known = [name for name, _title in self.choosable()]
        default = list(getattr(self.Meta, "default_columns", ())) or known
        chosen = [name for name in dict.fromkeys(wanted) if name in known]
        chosen = chosen or [name for name in known if name in default]
        hidden = [name for name in known if name not in chosen]
        for name in hidden:
            self.columns.hide(name)
        ends = {"select", "actions"} & set(self.base_columns)
        order = ["select", *chosen, *hidden, "actions"]
        self.sequence = [name for name in order if name in ends or name in known]
        return chosen
