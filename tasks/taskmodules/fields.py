"""Makes the inputs of a module's form; each accepts what its definition allows and nothing else."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.choices import RemoteSelect
from adminset.crud.forms import SecretInput
from cmdb.models import Host, HostGroup
from tasks.taskmodules import definitions as d
from tasks.taskmodules.sources import values_of

LONGEST = {d.TEXT: 1000, d.SECRET: 1000, d.TEXTAREA: 65_536}
FEW_CHOICES = 8


def make_field(one: d.Field, user: Any) -> forms.Field:
    """Make the input of one field, with the choices that the user may see."""
    made = _MAKERS[one.type](one, user)
    made.label, made.help_text = (
        d.said(one.label) or _in_words(one.name),
        d.said(one.help),
    )
    # What is asked only sometimes is required only then: the form says so (tasks/taskmodules/forms.py).
    made.required = one.required and not one.shown_when and one.type != d.CHECKBOX
    made.initial = one.default
    made.widget.is_required = made.required
    return made


def _in_words(name: str) -> str:
    return name.replace("_", " ").capitalize()


class Text(forms.CharField):
    """A text that reaches the host unchanged: nothing is stripped, what cannot be seen is refused."""

    def __init__(self, one: d.Field, **options: Any) -> None:
        longest = min(int(one.max or LONGEST[one.type]), LONGEST[d.TEXTAREA])
        super().__init__(max_length=longest, strip=False, **options)
        self._one = one

    def to_python(self, value: Any) -> str:
        """Bring line ends into one form: browsers send two characters."""
        if isinstance(value, bool | list | dict | tuple):
            raise ValidationError(_("Write a text."))
        text = super().to_python(value) or ""
        return text.replace("\r\n", "\n") if self._one.type == d.TEXTAREA else text

    def validate(self, value: Any) -> None:
        """Want a text that can be seen and written, and that the pattern matches as a whole."""
        super().validate(value)
        _check_characters(value, many_lines=self._one.type == d.TEXTAREA)
        if value and self._one.pattern and not re.fullmatch(self._one.pattern, value):
            words = d.said(self._one.pattern_help)
            raise ValidationError(
                words or _("This does not have the form that is asked for.")
            )


def _check_characters(value: str, *, many_lines: bool) -> None:
    for sign in value:
        kind = unicodedata.category(sign)
        if kind == "Cs" or sign == "\0":
            raise ValidationError(_("This holds a character that no text has."))
        if kind in ("Cc", "Zl", "Zp") and not many_lines:
            raise ValidationError(
                _("This holds a line break or another character that cannot be seen.")
            )


class _Named(forms.ModelChoiceField):
    """A host or a group, by number or by name, among those that the user may see."""

    def __init__(self, rows: Any, name_field: str, **options: Any) -> None:
        super().__init__(rows, **options)
        self._name_field = name_field

    def prepare_value(self, value: Any) -> Any:
        """Show what is chosen, also where it was written as a name."""
        if isinstance(value, str) and value and not value.isdecimal():
            found = self._find(value)
            return found[0].pk if len(found) == 1 else None
        return super().prepare_value(value)

    def to_python(self, value: Any) -> Any:
        """Find the one that is meant."""
        if value in (None, ""):
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValidationError(_("Choose one of the list."))
        found = self._find(str(value))
        if not found:
            raise ValidationError(_("There is no such one that you may see."))
        if len(found) > 1:
            raise ValidationError(_("Several are called so: give the number."))
        return found[0]

    def _find(self, text: str) -> list[Any]:
        """Give the one of this number, or those of this name, two at most; digits are always a number."""
        rows: Any = self.queryset
        if text.isdecimal():
            return list(rows.filter(pk=int(text)) if len(text) < 10 else ())
        if "\0" in text or len(text) > 253:
            return []
        return list(rows.filter(**{self._name_field: text})[:2])

    def validate(self, value: Any) -> None:
        """Want one where one is required; it was looked for among the right ones."""
        if value is None and self.required:
            raise ValidationError(self.error_messages["required"], code="required")


class _TickInput(forms.CheckboxInput):
    """Hands on what was sent: Django's own takes every word for a yes."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name, False)


class Tick(forms.BooleanField):
    """Yes or no, from a page or from a program."""

    widget = _TickInput

    def to_python(self, value: Any) -> bool:
        """Read what a browser sends for a tick, or a truth value."""
        if value in (None, "", False, "false"):
            return False
        if value is True or value in ("on", "true"):
            return True
        raise ValidationError(_("Say true or false."))


class Day(forms.DateField):
    """A day within limits."""

    def __init__(self, one: d.Field, **options: Any) -> None:
        day = {"type": "date"}
        day |= {k: str(v) for k, v in (("min", one.min), ("max", one.max)) if v}
        widget = forms.DateInput(format="%Y-%m-%d", attrs=day)
        super().__init__(widget=widget, input_formats=["%Y-%m-%d"], **options)
        self._one = one

    def to_python(self, value: Any) -> Any:
        """Read a day from a text; nothing else is one."""
        if value is not None and not isinstance(value, str | date):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)

    def validate(self, value: Any) -> None:
        """Want a day that is not too early and not too late."""
        super().validate(value)
        low, high = self._one.min, self._one.max
        if isinstance(value, datetime | date) and low and value < low:
            raise ValidationError(_("The earliest day is %(day)s.") % {"day": low})
        if isinstance(value, datetime | date) and high and value > high:
            raise ValidationError(_("The latest day is %(day)s.") % {"day": high})


def choices_of(one: d.Field, user: Any) -> list[tuple[str, str]]:
    """List (value, label) of all that a field can be, whatever other fields say."""
    if one.choices.source:
        return [(value, value) for value in values_of(one.choices.source, user)]
    return [(c.value, d.said(c.label) or c.value) for c in one.choices.every()]


class _Choice(forms.ChoiceField):
    default_error_messages = {
        "invalid_choice": gettext_lazy("%(value)s is none of the choices."),
    }

    def to_python(self, value: Any) -> str:
        if isinstance(value, bool | list | dict | tuple):
            raise ValidationError(_("Choose one of the list."))
        return super().to_python(value)


def _text(one: d.Field, user: Any) -> forms.Field:
    many = forms.Textarea(attrs={"rows": one.rows, "spellcheck": "false"})
    line = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return Text(one, widget=many if one.type == d.TEXTAREA else line)


def _secret(one: d.Field, user: Any) -> forms.Field:
    return Text(one, widget=SecretInput(attrs={"autocomplete": "new-password"}))


def _number(one: d.Field, user: Any) -> forms.Field:
    limits = {"min_value": one.min, "max_value": one.max}
    if one.decimals:
        return forms.DecimalField(decimal_places=one.decimals, max_digits=20, **limits)
    return forms.IntegerField(**limits)


def _select(one: d.Field, user: Any) -> forms.Field:
    listed = choices_of(one, user)
    empty = [] if one.default is not None and one.required else [("", "---------")]
    return _Choice(choices=[*empty, *listed])


def _radio(one: d.Field, user: Any) -> forms.Field:
    return _Choice(choices=choices_of(one, user), widget=forms.RadioSelect)


def _multi_select(one: d.Field, user: Any) -> forms.Field:
    listed = choices_of(one, user)
    few = len(listed) <= FEW_CHOICES
    widget = forms.CheckboxSelectMultiple if few else forms.SelectMultiple
    return forms.MultipleChoiceField(choices=listed, widget=widget)


def _host(one: d.Field, user: Any) -> forms.Field:
    seen = Host.objects.visible_to(user)
    return _Named(seen, "hostname", widget=RemoteSelect("hosts"))


def _group(one: d.Field, user: Any) -> forms.Field:
    return _Named(HostGroup.objects.visible_to(user), "name")


_MAKERS = {
    d.TEXT: _text,
    d.TEXTAREA: _text,
    d.NUMBER: _number,
    d.DATE: lambda one, user: Day(one),
    d.SECRET: _secret,
    d.SELECT: _select,
    d.MULTI_SELECT: _multi_select,
    d.RADIO: _radio,
    d.CHECKBOX: lambda one, user: Tick(),
    d.HOST: _host,
    d.GROUP: _group,
}
