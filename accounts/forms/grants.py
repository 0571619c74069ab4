"""Shape of roles, grants and group mappings."""

from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.forms.scope_fields import ScopedForm, with_scope_fields
from accounts.models import Grant, GroupMapping, Role
from accounts.permission_field import PermissionField
from adminset.crud.forms import ResourceForm, moment_input


class RoleForm(ResourceForm):
    """A role: a name and what it allows."""

    permissions = PermissionField(label=capfirst(_("permissions")), required=False)

    class Meta:
        model = Role
        fields = ["name", "description", "requires_second_factor", "permissions"]


class GrantForm(ScopedForm):
    """A role for a user, everywhere or on chosen objects, for good or for a time."""

    class Meta:
        model = Grant
        fields = ["user", "role", "everything", "valid_from", "valid_until"]
        widgets = {"valid_from": moment_input(), "valid_until": moment_input()}
        help_texts = {
            "everything": _(
                "Holds on all objects. Otherwise it holds only on what is chosen below."
            )
        }

    def clean(self) -> dict[str, Any]:
        """Refuse a grant that would hold nowhere."""
        cleaned = super().clean()
        self.refuse_nowhere(cleaned)
        return cleaned


class GroupMappingForm(ScopedForm):
    """The role that a group of a directory brings, everywhere or on chosen objects."""

    class Meta:
        model = GroupMapping
        fields = ["source", "group", "role", "everything"]

    def clean(self) -> dict[str, Any]:
        """Refuse a mapping that would hold nowhere."""
        cleaned = super().clean()
        self.refuse_nowhere(cleaned)
        return cleaned


def grant_form() -> type[GrantForm]:
    """Make the form of a grant, once all kinds of scope are known."""
    return with_scope_fields(GrantForm)


def mapping_form() -> type[GroupMappingForm]:
    """Make the form of a group mapping, once all kinds of scope are known."""
    return with_scope_fields(GroupMappingForm)
