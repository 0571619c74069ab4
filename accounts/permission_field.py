"""The permissions of a role as a field: a matrix of objects and what may be done with them."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django import forms
from django.contrib.auth.models import Permission
from django.forms.models import ModelChoiceIterator
from django.utils.translation import gettext

from accounts import selectors
from accounts.words import action_label, action_order, object_label


class _Groups(ModelChoiceIterator):
    """Permissions by the object that they are about, rooms in the order of the settings."""

    def __iter__(self) -> Iterator[Any]:
        order = {label: number for number, label in enumerate(selectors.rooms())}

        def place(permission: Permission) -> tuple[int, str]:
            kind = permission.content_type
            return order.get(kind.app_label, len(order)), kind.model

        for _place, found in groupby(sorted(self.queryset, key=place), key=place):
            permissions = sorted(found, key=action_order)
            choices = [self.choice(permission) for permission in permissions]
            yield object_label(permissions[0]), choices


class PermissionMatrix(forms.CheckboxSelectMultiple):
    """One row for each kind of object, one box for each action."""

    template_name = "accounts/_permission_matrix.html"


class PermissionField(forms.ModelMultipleChoiceField):
    """Permissions of our rooms, by id or by name ("cmdb.view_host")."""

    iterator = _Groups
    widget = PermissionMatrix

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(selectors.room_permissions(), **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        """Name the action only: the row names the object."""
        return action_label(obj)

    def clean(self, value: Any) -> Any:
        """Turn names into ids and let the rest be checked as ever."""
        given = [str(each).strip() for each in value or []]
        names = {name for name in given if "." in name}
        if not names:
            return super().clean(given)
        ids = {
            f"{p.content_type.app_label}.{p.codename}": p.pk
            for p in selectors.room_permissions()
        }
        if unknown := sorted(names - set(ids)):
            raise forms.ValidationError(
                gettext("There is no permission %(name)s.")
                % {"name": ", ".join(unknown)}
            )
        return super().clean([ids.get(each, each) for each in given])
