"""Choosing where something holds: a field for each kind of scope, for grants, group mappings and tokens alike."""

from typing import Any, TypeVar

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from adminset import scopes
from adminset.crud.choices import RemoteSelectMultiple
from adminset.crud.forms import ResourceForm

FormClass = TypeVar("FormClass", bound=type["ScopedForm"])


class ScopedForm(ResourceForm):
    """A form of something that holds everywhere or on chosen objects; `with_scope_fields` adds the fields."""

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

    def scope_boxes(self) -> list[forms.BoundField]:
        """Give the fields of the kinds of scope, for the page."""
        return [self[kind.field_name] for kind in scopes.all_kinds()]

    def scope_ids(self) -> dict[str, set[int]]:
        """Give the chosen objects by kind of scope; those that the user may not see stay as they are."""
        return {
            kind.kind: {row.pk for row in self.cleaned_data.get(kind.field_name) or ()}
            | self.unseen[kind.kind]
            for kind in scopes.all_kinds()
        }

    def refuse_nowhere(self, cleaned: dict[str, Any]) -> None:
        """Refuse what would hold nowhere.

        Raises:
            ValidationError: neither everywhere nor an object is chosen.
        """
        everywhere = cleaned.get("everything")
        if not self.errors and not everywhere and not any(self.scope_ids().values()):
            raise forms.ValidationError(
                _("Choose where it holds: everywhere, or on some objects.")
            )


def with_scope_fields(form: FormClass) -> FormClass:
    """Make the form with the kinds of scope that the rooms brought: call it once all are ready."""
    fields = {
        kind.field_name: forms.ModelMultipleChoiceField(
            kind.all_rows(),
            label=capfirst(kind.label),
            required=False,
            widget=RemoteSelectMultiple(kind.path) if kind.path else None,
        )
        for kind in scopes.all_kinds()
    }
    return type(f"Scoped{form.__name__}", (form,), fields)  # type: ignore[return-value]
