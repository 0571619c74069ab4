"""Shape of API tokens."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts import token_selectors
from accounts.forms.scope_fields import ScopedForm, with_scope_fields
from accounts.models import ApiToken, User
from accounts.permission_field import PermissionField
from accounts.selectors import names_of
from accounts.token_models import default_days
from adminset.crud.forms import ResourceForm


class ApiTokenForm(ResourceForm):
    """A token by its name: the rest of it is never edited."""

    class Meta:
        model = ApiToken
        fields = ["name"]


class NewTokenForm(ScopedForm):
    """A token that somebody makes, for himself or for a service account: never more than its owner may."""

    days = forms.IntegerField(
        label=capfirst(_("days until it expires")), initial=default_days
    )
    permissions = PermissionField(
        label=capfirst(_("only these permissions")), required=False
    )

    class Meta:
        model = ApiToken
        fields = ["name", "can_write", "networks"]
        help_texts = {
            "name": _("What uses it: a script, a machine."),
            "can_write": _("Off: the token may only read."),
        }

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["days"].validators += [
            MinValueValidator(1),
            MaxValueValidator(settings.TOKEN_MAX_DAYS),
        ]
        held = token_selectors.permissions_held(owner)
        self.fields["permissions"].queryset = held  # type: ignore[attr-defined]

    def limits(self) -> dict[str, Any]:
        """Give what was chosen as the service takes it."""
        chosen = {
            name: self.cleaned_data[name]
            for name in ("name", "days", "can_write", "networks")
        }
        permissions = names_of(self.cleaned_data["permissions"])
        return {**chosen, "permissions": permissions, "scope_ids": self.scope_ids()}


def new_token_form() -> type[NewTokenForm]:
    """Make the form of a new token, once all kinds of scope are known."""
    return with_scope_fields(NewTokenForm)
