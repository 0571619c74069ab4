"""What is asked of the explanation: who, what, on which object."""

from typing import Any

from django import forms
from django.db import models
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import selectors
from accounts.models import User
from accounts.words import action_label, object_label
from adminset.crud.resource import Resource, all_resources
from adminset.querysets import permission_for


def _permissions() -> list[tuple[str, list[tuple[str, str]]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for each in selectors.room_permissions():
        name = f"{each.content_type.app_label}.{each.codename}"
        noun = object_label(each)
        # The whole of it: a closed box shows the choice without the heading above it.
        groups.setdefault(noun, []).append((name, f"{noun} / {action_label(each)}"))
    return sorted(groups.items())


def askable(asker: User) -> models.QuerySet[User]:
    """Give the users about whom somebody may ask: oneself, and whom one sees if one sees grants."""
    own = User.objects.filter(pk=asker.pk)
    if not asker.has_perm("accounts.view_grant"):
        return own
    return User.objects.visible_to(asker) | own


class ExplainForm(forms.Form):
    """A question, asked in the address so that it can be sent to somebody."""

    user = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("User"), to_field_name="username"
    )
    permission = forms.ChoiceField(label=gettext_lazy("May do"), choices=_permissions)
    object = forms.CharField(
        label=gettext_lazy("Object"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "The number or the whole name. Empty: on anything at all."
        ),
    )

    def __init__(self, *args: Any, asker: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asker = asker
        self.fields["user"].queryset = askable(asker)  # type: ignore[attr-defined]
        self.fields["user"].initial = asker.username

    def target(self) -> models.Model | None:
        """Give the object that was asked about.

        Raises:
            Http404: there is none of that name that the asker may see.
        """
        text = self.cleaned_data["object"].strip()
        if not text:
            return None
        resource = _resource_of(self.cleaned_data["permission"])
        row = _find(resource, self.asker, text) if resource else None
        if row is None:
            raise Http404(_("There is no such object, or it is not for you to see."))
        return row


def _resource_of(permission: str) -> Resource | None:
    action, _underscore, _model = permission.partition(".")[2].partition("_")
    for resource in all_resources():
        if permission_for(resource.model, action) == permission:
            return resource
    return None


def _find(resource: Resource, asker: User, text: str) -> models.Model | None:
    rows = resource.rows(asker)
    if text.isascii() and text.isdecimal() and len(text) < 16:
        found: models.Model | None = rows.filter(pk=int(text)).first()
        if found:
            return found
    for name in resource.search:
        named: models.Model | None = rows.filter(**{f"{name}__iexact": text}).first()
        if named:
            return named
    return None
