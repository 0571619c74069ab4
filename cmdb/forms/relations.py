"""The input of a relation: its kind, and the object that it leads to."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from adminset.crud.choices import RemoteSelect
from adminset.crud.resource import Resource
from cmdb.models import RelationKind
from cmdb.related import nameable


class RelationForm(forms.Form):
    """A relation from an object that is known already, to one of a kind that is known already."""

    kind = forms.ModelChoiceField(
        label=_("Relation"), queryset=RelationKind.objects.all()
    )
    note = forms.CharField(label=_("Note"), max_length=250, required=False)

    def __init__(
        self, *args: Any, user: Any, resource: Resource, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"] = forms.ModelChoiceField(
            label=capfirst(resource.verbose_name),
            queryset=nameable(resource.rows(user)),
            widget=RemoteSelect(resource.path),
        )
        self.order_fields(["kind", "target", "note"])
