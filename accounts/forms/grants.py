"""Shape of roles and grants."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import Grant, Role
from accounts.permission_field import PermissionField
from adminset import scopes
from adminset.crud.choices import RemoteSelectMultiple
from adminset.crud.forms import ResourceForm, moment_input


class RoleForm(ResourceForm):
    """A role: a name and what it allows."""

    permissions = PermissionField(label=capfirst(_("permissions")), required=False)

    class Meta:
        model = Role
        fields = ["name", "description", "requires_second_factor", "permissions"]


class GrantForm(ResourceForm):
    """A role for a user, everywhere or on chosen objects; `grant_form` adds a field for each kind of scope."""

    class Meta:
        model = Grant
        fields = ["user", "role", "everything", "valid_from", "valid_until"]
        widgets = {"valid_from": moment_input(), "valid_until": moment_input()}
        help_texts = {
            "everything": _(
                "Holds on all objects. Otherwise it holds only on what is chosen below."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.scope_ids if self.instance.pk else {}
        self.unseen: dict[str, set[int]] = {}
        for kind in scopes.all_kinds():
            mine = set(stored.get(kind.kind, ()))
            rows = kind.rows(self.user).filter(pk__in=mine)
            seen = set(rows.values_list("pk", flat=True))
            self.initial.setdefault(kind.field_name, sorted(seen))
            self.unseen[kind.kind] = mine - seen

    def clean(self) -> dict[str, Any]:
        """Refuse a grant that would hold nowhere."""
        cleaned = super().clean()
        if (
            not self.errors
            and not cleaned.get("everything")
            and not any(self.scope_ids().values())
        ):
            raise forms.ValidationError(
                _("Choose where it holds: everywhere, or on some objects.")
            )
        return cleaned

    def scope_ids(self) -> dict[str, set[int]]:
        """Give the chosen objects by kind of scope; those that the user may not see stay as they are."""
        return {
            kind.kind: {row.pk for row in self.cleaned_data.get(kind.field_name) or ()}
            | self.unseen[kind.kind]
            for kind in scopes.all_kinds()
        }


def grant_form() -> type[GrantForm]:
    """Make the form of a grant with the kinds of scope that the rooms brought: call it once all are ready."""
    fields = {
        kind.field_name: forms.ModelMultipleChoiceField(
            kind.all_rows(),
            label=capfirst(kind.label),
            required=False,
            widget=RemoteSelectMultiple(kind.path) if kind.path else None,
        )
        for kind in scopes.all_kinds()
    }
    return type("ScopedGrantForm", (GrantForm,), fields)
