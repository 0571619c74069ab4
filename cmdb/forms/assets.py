"""The form of an asset: its own fields, and those that the team added to its kind."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from adminset.crud.forms import ResourceForm, visible
from adminset.crud.resource import all_resources
from cmdb.custom import CustomField, fields_of
from cmdb.models import Asset

LONGEST_TEXT = 2000
Type = CustomField.Type


def _text(field: CustomField, _user: Any) -> forms.Field:
    longest = min(int(field.maximum or LONGEST_TEXT), LONGEST_TEXT)
    shortest = int(field.minimum) if field.minimum else None
    return forms.CharField(max_length=longest, min_length=shortest)


def _number(field: CustomField, _user: Any) -> forms.Field:
    return forms.DecimalField(
        min_value=field.minimum,
        max_value=field.maximum,
        max_digits=20,
        decimal_places=6,
    )


class _Day(forms.DateField):
    """A day, which JSON keeps as a text: the same day is no change."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare days."""
        kept = date.fromisoformat(initial) if isinstance(initial, str) else initial
        return super().has_changed(kept, data)


def _date(_field: CustomField, _user: Any) -> forms.Field:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return _Day(widget=widget)


def _choice(field: CustomField, _user: Any) -> forms.Field:
    return forms.ChoiceField(
        choices=[("", "---------"), *((each, each) for each in field.listed_choices)]
    )


def _boolean(_field: CustomField, _user: Any) -> forms.Field:
    answers = [("", "---------"), ("true", _("yes")), ("false", _("no"))]
    return forms.TypedChoiceField(
        choices=answers, coerce=lambda said: said == "true", empty_value=None
    )


def _url(_field: CustomField, _user: Any) -> forms.Field:
    return forms.URLField(assume_scheme="https", max_length=LONGEST_TEXT)


def _reference(field: CustomField, user: Any) -> forms.Field:
    model = referred_model(field.reference)
    rows = visible(model._default_manager.all(), user) if model else None
    return forms.ModelChoiceField(queryset=rows)


MAKERS: dict[str, Callable[[CustomField, Any], forms.Field]] = {
    Type.TEXT: _text,
    Type.NUMBER: _number,
    Type.DATE: _date,
    Type.CHOICE: _choice,
    Type.BOOLEAN: _boolean,
    Type.URL: _url,
    Type.REFERENCE: _reference,
}


def referred_model(label: str) -> type[models.Model] | None:
    """Give the model of a label such as "cmdb.contact", if objects of it have pages."""
    models_by_label = {
        each.model._meta.label_lower: each.model for each in all_resources()
    }
    return models_by_label.get(label.strip().lower())


def stored(value: Any) -> Any:
    """Turn what a box gave into what JSON keeps; None where nothing was entered."""
    if value in (None, ""):
        return None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, models.Model):
        return value.pk
    return value


def _takes(box: forms.Field, kept: Any) -> bool:
    try:
        box.clean(str(kept))
    except forms.ValidationError:
        return False
    return True


class AssetForm(ResourceForm):
    """Base of the forms of assets."""

    known_custom_fields: list[CustomField] | None = None

    @classmethod
    def know_once(cls) -> None:
        """Ask for the further fields once for all rows of a file."""
        cls.known_custom_fields = fields_of(cls._meta.model)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.known_custom_fields
        self.custom_fields = fields_of(self._meta.model) if known is None else known
        # Values that their box cannot show: an object out of sight or gone, a value of a type that was. They stay.
        self._set_aside: dict[str, Any] = {}
        for field in self.custom_fields:
            self._add_box(field)

    def _add_box(self, field: CustomField) -> None:
        asset: Asset = self.instance
        box = MAKERS[field.type](field, self.user)
        box.label, box.help_text = field.label, field.help_text
        box.required = field.required
        self.fields[field.form_name] = box
        kept = asset.custom.get(field.key)
        shown = str(kept).lower() if isinstance(kept, bool) else kept
        if kept is not None and not _takes(box, shown):
            self._set_aside[field.key] = kept
            box.required, shown = False, None
        self.initial.setdefault(field.form_name, shown)

    @classmethod
    def known_names(cls) -> list[str]:
        """Name the fields that imports and the API may give."""
        added = [field.form_name for field in fields_of(cls._meta.model)]
        return [*super().known_names(), *added]

    def clean(self) -> dict[str, Any]:
        """Keep the values of the further fields, each as its type asks."""
        cleaned = super().clean()
        custom = dict(self.instance.custom)
        for field in self.custom_fields:
            value = stored(cleaned.get(field.form_name))
            if value is None and field.key in self._set_aside:
                continue
            if value is None:
                custom.pop(field.key, None)
            else:
                custom[field.key] = value
        self.instance.custom = custom
        return cleaned


class CustomFieldForm(ResourceForm):
    """The declaration of a further field; what it is of, its key and its type stay once it exists."""

    FIXED = ("kind", "key", "type")

    class Meta:
        model = CustomField
        fields = (
            "kind",
            "key",
            "label",
            "type",
            "choices",
            "minimum",
            "maximum",
            "reference",
            "required",
            "help_text",
            "position",
        )
        widgets = {"choices": forms.Textarea(attrs={"rows": 4})}

    def clean(self) -> dict[str, Any]:
        """Check what stays, and what an object field refers to."""
        cleaned = super().clean()
        if self.instance.pk:
            for name in set(self.FIXED) & set(self.changed_data):
                self.add_error(name, _("This stays: make another field instead."))
        asked = cleaned.get("reference", "")
        if cleaned.get("type") == Type.REFERENCE and referred_model(asked) is None:
            known = ", ".join(
                sorted(r.model._meta.label_lower for r in all_resources())
            )
            said = _("There is no such kind of object. Known: %(known)s.")
            self.add_error("reference", said % {"known": known})
        return cleaned
