"""Inputs of a web-hook's rules: rows of a page, or the lists of a program; and words, one on each line."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tasks.hooks import rules
from tasks.launching.rows import Column, RowsField, RowsWidget

MOST_WORDS = 50
LONGEST_WORD = 80
Reader = Callable[[Any], tuple[list[dict[str, Any]], list[str]]]


class RulesField(RowsField):
    """Rows that are read by one of tasks/hooks/rules.py; rows that say nothing are left out."""

    read: Reader
    # Columns without which a row says nothing.
    telling: tuple[str, ...]

    def __init__(
        self, columns: tuple[Column, ...], add: Any, read: Reader, **kwargs: Any
    ) -> None:
        self.read = read
        self.telling = tuple(c.name for c in columns if c.kind == "text")
        super().__init__(required=False, widget=RowsWidget(columns, add), **kwargs)

    def clean(self, value: Any) -> list[dict[str, Any]]:
        """Read the rules.

        Raises:
            ValidationError: one that cannot be.
        """
        found = self.to_python(value)
        if isinstance(found, list):
            found = [row for row in found if self._says(row)]
        kept, wrong = self.read(found)
        if wrong:
            raise forms.ValidationError(wrong)
        return kept

    def _says(self, row: Any) -> bool:
        if not isinstance(row, dict):
            return True
        return any(row.get(name) not in (None, "") for name in self.telling)

    def prepare_value(self, value: Any) -> Any:
        """Give rows to draw: a list of values with commas between."""
        if not isinstance(value, list):
            return value
        return [_drawn(row) if isinstance(row, dict) else row for row in value]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is meant."""
        try:
            return self.clean(data) != (initial or [])
        except forms.ValidationError:
            return True


def _drawn(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: ", ".join(map(str, each)) if isinstance(each, list) else each
        for name, each in row.items()
    }


def match_field() -> RulesField:
    """Make the input of what a message must say."""
    return RulesField(
        (
            Column("path", gettext_lazy("Path"), placeholder="repository.full_name"),
            Column(
                "operator",
                gettext_lazy("How"),
                "select",
                choices=lambda: [(o.value, str(o.label)) for o in rules.Operator],
            ),
            Column("value", gettext_lazy("Value"), placeholder="refs/heads/main"),
        ),
        gettext_lazy("Add a rule"),
        rules.read_match,
        label=gettext_lazy("Only when all of these hold"),
        help_text=gettext_lazy(
            "A path leads to a value of the message: ref, commits.0.id. `looks like` takes * and ?, for the whole text."
        ),
    )


def extract_field() -> RulesField:
    """Make the input of which values go where."""
    return RulesField(
        (
            Column("field", gettext_lazy("Field"), placeholder="answers.version"),
            Column("path", gettext_lazy("Path"), placeholder="release.tag_name"),
            Column("constant", gettext_lazy("Or a fixed value")),
            Column("pattern", gettext_lazy("Looks like"), placeholder="v*"),
            Column("optional", gettext_lazy("May be missing"), "tick"),
        ),
        gettext_lazy("Add a value"),
        rules.read_extract,
        label=gettext_lazy("Values"),
        help_text=gettext_lazy(
            "Of a template: title, hosts, groups, answers.<name>, variables.<name>, where it leaves them open. Of a task module its questions, of a workflow its variables."
        ),
    )


class WordsInput(forms.Textarea):
    """Words, one on each line."""

    def format_value(self, value: Any) -> str:
        """Write a list as lines."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value or ""


class WordsField(forms.JSONField):
    """Cleans to a list of words; takes lines or commas of a page, the list of a program."""

    def __init__(self, **kwargs: Any) -> None:
        widget = WordsInput(attrs={"rows": 2, "spellcheck": "false"})
        super().__init__(required=False, widget=widget, **kwargs)

    def to_python(self, value: Any) -> Any:
        """Read them.

        Raises:
            ValidationError: these are no words.
        """
        if value in self.empty_values:
            return []
        found = (
            value.replace(",", "\n").splitlines() if isinstance(value, str) else value
        )
        if not isinstance(found, list) or len(found) > MOST_WORDS:
            raise forms.ValidationError(_("Give words, one on each line."))
        words = [each.strip() if isinstance(each, str) else each for each in found]
        fine = all(isinstance(e, str) and len(e) <= LONGEST_WORD for e in words)
        if not fine or not all(word.isprintable() for word in words):
            raise forms.ValidationError(_("Give words, one on each line."))
        return list(dict.fromkeys(word for word in words if word))

    def prepare_value(self, value: Any) -> Any:
        """Give the list to the widget."""
        return value

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Give what was sent as it is."""
        return data

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is meant."""
        try:
            return bool(self.to_python(data) != (initial or []))
        except forms.ValidationError:
            return True
