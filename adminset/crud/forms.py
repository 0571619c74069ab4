"""The one form of a model: it validates the page, the import row and the API body."""

import copy
from collections.abc import Mapping
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext as _

from adminset import audit, gathering
from adminset.crud import links
from adminset.crypto import EncryptedTextField
from adminset.env import FALSE_WORDS, TRUE_WORDS
from adminset.querysets import ScopedQuerySet, permission_for, scope_of
from adminset.scopes import is_scoped


class SecretInput(forms.PasswordInput):
    """A password box that is never filled from what is stored."""

    template_name = "django/forms/widgets/password.html"


class SecretTextarea(forms.Textarea):
    """A box for a private key, never filled from what is stored."""

    def format_value(self, value: Any) -> None:
        """Show nothing."""


def moment_input() -> forms.DateTimeInput:
    """Make a box for a day and a time, in the reader's zone."""
    return forms.DateTimeInput(
        attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
    )


class ResourceForm(forms.ModelForm):
    """A ModelForm that knows the user: related objects are only those the user may see, secrets are write-only.

    A secret that is left empty stays as it is; `clear_<name>` forgets it.
    """

    reason = ""

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.before = audit.snapshot(self.instance) if self.instance.pk else {}
        self._sealed = {
            name: getattr(self.instance, name) for name in self.secret_names()
        }
        self._new_secrets: list[str] = []
        self._hidden: dict[str, list[Any]] = {}
        for name in self._sealed:
            self.initial.pop(name, None)
        for name, field in self.fields.items():
            if isinstance(field, forms.ModelChoiceField):
                self._narrow(name, field)

    @classmethod
    def know_once(cls) -> None:
        """Ask for what every form of this class asks for, once for many forms of rows: `cls` is made for one file only."""

    def save(self, commit: bool = True) -> Any:
        """Save the object and what it is linked to."""
        self._is_new = self.instance._state.adding
        return super().save(commit)

    def _save_m2m(self) -> None:
        """Write the links that differ; those of one of many new objects wait until all are there (adminset/gathering.py)."""
        for relation in self.instance._meta.many_to_many:
            if relation.name not in self.cleaned_data:
                continue
            if self._meta.fields and relation.name not in self._meta.fields:
                continue
            rows = list(self.cleaned_data[relation.name])
            if self._is_new and gathering.current.get() is not None:
                links.link_later(self.instance, relation, rows)
            elif not links.are_same(self.instance, relation, rows):
                relation.save_form_data(self.instance, rows)

    def for_another(self) -> Self:
        """Give a form for one more new object, made of this one: fields and choices are shared, values are not."""
        made = copy.copy(self)
        made.instance = self._meta.model()
        vars(made).update(_errors=None, _bound_fields_cache={})
        made._new_secrets = []
        return made

    def _narrow(self, name: str, field: forms.ModelChoiceField) -> None:
        """Offer what the user may see; what the object has beyond that stays with it."""
        every, seen = field.queryset, visible(field.queryset, self.user)
        if seen is every:
            return
        field.queryset = seen
        held = _keys(self.initial.get(name)) if self.instance.pk else []
        if every is None or seen is None or seen is every or not held:
            return
        if isinstance(field, forms.ModelMultipleChoiceField):
            known = set(seen.filter(pk__in=held).values_list("pk", flat=True))
            self._hidden[name] = list(every.filter(pk__in=set(held) - known))
            self.initial[name] = [key for key in held if key in known]
        else:
            field.queryset = every.filter(
                models.Q(pk__in=seen.values("pk")) | models.Q(pk__in=held)
            )
            if is_scoped(every.model) and not seen.filter(pk__in=held).exists():
                _hide_name(field, held)

    @classmethod
    def known_names(cls) -> list[str]:
        """Name the fields that imports and the API may give."""
        return list(cls.base_fields)

    @classmethod
    def secret_names(cls) -> list[str]:
        """Name the fields whose values are sealed."""
        model_fields = cls._meta.model._meta.concrete_fields
        return [
            f.name
            for f in model_fields
            if isinstance(f, EncryptedTextField) and f.name in cls.base_fields
        ]

    def clean(self) -> dict[str, Any]:
        """Keep stored secrets that were left empty, and related objects that the user cannot see."""
        cleaned = super().clean() or self.cleaned_data
        for name, hidden in self._hidden.items():
            cleaned[name] = [*cleaned.get(name, ()), *hidden]
        for name in self.secret_names():
            if cleaned.get(name):
                self._new_secrets.append(name)
            elif not self.data.get(self.add_prefix(f"clear_{name}")):
                cleaned[name] = self._sealed[name]
        return cleaned

    def secret_changes(self) -> list[audit.Change]:
        """List replaced secrets for the audit trail, without a value (a mask equals a mask: `changed` cannot see them)."""
        return [
            {"field": name, "old": audit.MASK, "new": audit.MASK}
            for name in self._new_secrets
            if self._sealed[name] is not None
        ]


def _hide_name(field: forms.ModelChoiceField, held: list[Any]) -> None:
    """Offer what the object has without its name: the user may keep it, and does not see it."""
    named = field.label_from_instance
    field.label_from_instance = lambda row: (  # type: ignore[assignment,method-assign]
        _("set (not for you to see)") if row.pk in held else named(row)
    )


def _keys(held: Any) -> list[Any]:
    """Give the keys of an initial value: one or many, objects or keys."""
    many = held if isinstance(held, list | tuple) else [held]
    return [getattr(each, "pk", each) for each in many if each not in (None, "")]


def visible(rows: models.QuerySet | None, user: Any) -> models.QuerySet | None:
    """Narrow the choices of a related field to what the user may see, where its model has a scope."""
    if rows is None or not hasattr(rows, "visible_to"):
        return rows
    plain = getattr(type(rows), "visible_to", None) is ScopedQuerySet.visible_to
    if plain and scope_of(user, permission_for(rows.model, "view")).everything:
        return rows
    return rows.visible_to(user)


def bound_form(
    form_class: type[ResourceForm],
    *,
    user: Any,
    values: Mapping[str, Any],
    instance: models.Model | None = None,
) -> ResourceForm:
    """Make a form from JSON or a spreadsheet row: related objects by id or by name, absent fields as they are.

    Args:
        values: field name -> value; a list, or "a; b", for several related objects.

    Raises:
        ValidationError: a field that does not exist (key: its name).
    """
    names = form_class.known_names()
    unknown = sorted(set(values) - set(names))
    if unknown:
        known = ", ".join(names)
        raise ValidationError(
            {
                name: _("There is no such field. Known: %(known)s.") % {"known": known}
                for name in unknown
            }
        )
    form = form_class(user=user, instance=instance)
    start = {
        name: form.get_initial_for_field(field, name)
        for name, field in form.fields.items()
    }
    data: dict[str, Any] = {name: as_input(value) for name, value in start.items()}
    senseless = []
    for name, value in values.items():
        if name not in form.fields and name.startswith("clear_"):
            continue  # nothing is stored that could be forgotten
        try:
            data[name] = given(form.fields[name], value)
        except ValueError:
            senseless.append(name)
    # Bound only now: making the form a second time would cost as much as all the rest.
    form.data, form.is_bound = data, True
    for name in senseless:
        form.add_error(name, RegexValidator.message)
    return form


def given(field: forms.Field, value: Any) -> Any:
    """Put a value of JSON or of a spreadsheet as a page would send it.

    Raises:
        ValueError: a field of this kind cannot take such a value: an object for a text, "perhaps" for yes or no.
    """
    if isinstance(field, forms.ModelChoiceField):
        return _related(field, value)
    if isinstance(field, forms.BooleanField):
        return _yes_or_no(value)
    if value is None or isinstance(field, forms.MultipleChoiceField | forms.JSONField):
        return value
    if isinstance(value, bool | list | dict):
        raise ValueError(value)
    return str(value)


def _yes_or_no(value: Any) -> bool:
    """Read a tick: a browser sends it or leaves it out, a file or a program says a word."""
    word = str("" if value is None else value).strip().lower()
    if word in {*FALSE_WORDS, ""}:
        return False
    if word in TRUE_WORDS:
        return True
    raise ValueError(value)


def as_input(value: Any) -> Any:
    """Put the initial value of a field as a page would send it."""
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, list | tuple | models.QuerySet):
        return [as_input(each) for each in value]
    return value


def _related(field: forms.ModelChoiceField, value: Any) -> Any:
    if isinstance(field, forms.ModelMultipleChoiceField):
        parts = value if isinstance(value, list) else str(value or "").split(";")
        return [_one_related(field, part) for part in parts if str(part).strip()]
    return _one_related(field, value) if value not in (None, "") else ""


def _one_related(field: forms.ModelChoiceField, value: Any) -> Any:
    """Turn a name into a key; what cannot be found goes on as it is and the field itself complains."""
    text = str(value).strip()
    name_field = (
        natural_field(field.queryset.model) if field.queryset is not None else ""
    )
    if field.queryset is None or not name_field or isinstance(value, int):
        return value
    found = list(
        field.queryset.filter(**{name_field: text}).values_list("pk", flat=True)[:2]
    )
    return found[0] if len(found) == 1 else text


def natural_field(model: type[models.Model]) -> str:
    """Name the field by which people call an object of this model."""
    names = {field.name for field in model._meta.concrete_fields}
    return next(
        (name for name in ("name", "hostname", "username") if name in names), ""
    )
