"""The stages of a pipeline as rows of inputs: kind, title, command, time-out, hosts; a program gives the list as JSON."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from delivery.stages import ALL, KINDS, ON, default_stages
from tasks.launching.rows import Column, RowsField, RowsWidget


class StagesField(RowsField):
    """Cleans to [{"kind", "title", "command", "timeout", "on"}] without what is empty; delivery/stages.py judges the whole."""

    def __init__(self, **kwargs: Any) -> None:
        columns = (
            Column(
                "kind",
                gettext_lazy("Kind"),
                "select",
                choices=lambda: [(key, str(words)) for key, words in KINDS.items()],
            ),
            Column("title", gettext_lazy("Title")),
            Column("command", gettext_lazy("Command"), "area"),
            Column("timeout", gettext_lazy("Time-out (s)")),
            Column(
                "on",
                gettext_lazy("Runs on"),
                "select",
                choices=lambda: [(key, str(words)) for key, words in ON.items()],
            ),
        )
        widget = RowsWidget(columns, gettext_lazy("Add a stage"))
        super().__init__(
            required=False, widget=widget, initial=default_stages, **kwargs
        )

    none = staticmethod(default_stages)

    def clean(self, value: Any) -> Any:
        """Read rows: what a page sends are texts.

        Raises:
            ValidationError: a time-out that is no number.
        """
        found = super().clean(value)
        return [_row(row) for row in found] if isinstance(found, list) else found

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is meant."""
        try:
            return bool(self.clean(data) != (initial or self.none()))
        except forms.ValidationError:
            return True


def _row(row: Any) -> Any:
    """Leave out what is empty, read the time-out; what is no row goes on as it is and is refused with its number."""
    if not isinstance(row, Mapping):
        return row
    kept = {name: value for name, value in row.items() if value not in ("", None)}
    seconds = kept.get("timeout")
    if isinstance(seconds, str):
        if not (seconds.isascii() and seconds.isdecimal() and len(seconds) < 9):
            raise forms.ValidationError(_("A time-out is a number of seconds."))
        kept["timeout"] = int(seconds)
    if kept.get("on") == ALL:
        # That is what is meant without it: the same way has one form, and one hash.
        del kept["on"]
    if isinstance(kept.get("command"), str):
        # A browser sends the line ends of a text as CR LF; a shell wants LF.
        kept["command"] = kept["command"].replace("\r\n", "\n")
    return kept
