"""Inputs of contracts, purchases, installations and licences: hosts are found while one types, keys go in and never come out."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from adminset.crud.choices import RemoteSelect, RemoteSelectMultiple
from adminset.crud.forms import ResourceForm, SecretInput
from adminset.crud.plain import plain_form
from cmdb.forms.credentials import KEEP
from cmdb.models import Contract, Installation, Licence, Purchase


class _Finding(ResourceForm):
    """A form that finds one or several among a hundred thousand rows: field -> path of their resource."""

    finds: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, path in self.finds.items():
            field = self.fields[name]
            many = isinstance(field, forms.ModelMultipleChoiceField)
            field.widget = (RemoteSelectMultiple if many else RemoteSelect)(path)
            field.widget.choices = field.choices  # type: ignore[attr-defined]


class ContractForm(
    _Finding,
    plain_form(  # type: ignore[misc]
        Contract,
        "number",
        "name",
        "kind",
        "supplier",
        "starts_on",
        "ends_on",
        "notice_days",
        "amount",
        "budgeted",
        "paid",
        "currency",
        "branch",
        "owner",
        "service_phone",
        "serial",
        "hosts",
        "spec",
        "notes",
    ),
):
    """A contract."""

    finds = {"hosts": "hosts"}


class PurchaseForm(
    _Finding,
    plain_form(  # type: ignore[misc]
        Purchase,
        "number",
        "name",
        "supplier",
        "contract",
        "budget",
        "ordered_on",
        "delivered_on",
        "amount",
        "currency",
        "hosts",
        "notes",
    ),
):
    """An order."""

    finds = {"hosts": "hosts"}


class InstallationForm(
    _Finding,
    plain_form(Installation, "software", "host", "since", "notes"),  # type: ignore[misc]
):
    """Software on a host."""

    finds = {"host": "hosts"}


class LicenceForm(
    plain_form(  # type: ignore[misc]
        Licence,
        "software",
        "name",
        "supplier",
        "contract",
        "seats",
        "key",
        "expires_on",
        "amount",
        "currency",
        "owner",
        "notes",
    )
):
    """A licence: an empty box keeps the key that is stored, a tick forgets it."""

    key = forms.CharField(
        label=_("Licence key"),
        required=False,
        max_length=4000,
        widget=SecretInput(attrs={"autocomplete": "off"}),
        help_text=KEEP,
    )
    clear_key = forms.BooleanField(label=_("Forget the licence key"), required=False)

    field_order = (
        "software",
        "name",
        "supplier",
        "contract",
        "seats",
        "expires_on",
        "amount",
        "currency",
        "key",
        "clear_key",
        "owner",
        "notes",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk or self.instance.key is None:
            del self.fields["clear_key"]
