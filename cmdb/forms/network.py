"""Inputs of interfaces, disks, addresses, records and certificates: one of very many rows is searched for, not listed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from adminset.crud.choices import RemoteSelect
from adminset.crud.forms import ResourceForm
from cmdb.models import Certificate, Disk, DnsRecord, Host, IpAddress, Nic


def _notes() -> forms.Textarea:
    return forms.Textarea(attrs={"rows": 3})


class NicForm(ResourceForm):
    """A network interface."""

    class Meta:
        model = Nic
        fields = ("host", "name", "mac", "kind", "state", "speed_mbps", "mtu", "notes")
        widgets = {"host": RemoteSelect("hosts"), "notes": _notes()}


class DiskForm(ResourceForm):
    """A disk."""

    class Meta:
        model = Disk
        fields = ("host", "name", "size_bytes", "kind", "model", "serial", "notes")
        widgets = {"host": RemoteSelect("hosts"), "notes": _notes()}


class IpAddressForm(ResourceForm):
    """An address."""

    class Meta:
        model = IpAddress
        fields = ("address", "area", "name", "status", "host", "nic", "notes")
        widgets = {
            "host": RemoteSelect("hosts"),
            "nic": RemoteSelect("nics"),
            "notes": _notes(),
        }


class DnsRecordForm(ResourceForm):
    """A DNS record."""

    class Meta:
        model = DnsRecord
        fields = ("zone", "name", "type", "value", "ttl", "address", "notes")
        widgets = {
            "zone": RemoteSelect("dns-zones"),
            "address": RemoteSelect("ip-addresses"),
            "value": forms.Textarea(attrs={"rows": 2}),
            "notes": _notes(),
        }


class PemInput(forms.Textarea):
    """A box for a certificate; a private key that was pasted by a slip is not sent back."""

    def format_value(self, value: Any) -> str | None:
        """Show what is no secret."""
        return "" if "PRIVATE KEY" in str(value) else super().format_value(value)


class CertificateForm(ResourceForm):
    """A certificate."""

    class Meta:
        model = Certificate
        fields = (
            "name",
            "server",
            "port",
            "server_name",
            "pem",
            "owner",
            "product_line",
            "tags",
            "notes",
        )
        widgets = {"pem": PemInput(attrs={"rows": 6}), "notes": _notes()}


class ReserveForm(forms.Form):
    """What to reserve the next free address for."""

    name = forms.CharField(label=_("name"), max_length=253, required=False)
    host = forms.ModelChoiceField(
        Host.objects.none(),
        label=_("host"),
        required=False,
        widget=RemoteSelect("hosts"),
    )
    notes = forms.CharField(label=_("notes"), max_length=4000, required=False)

    def __init__(self, *args: object, user: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        hosts: forms.ModelChoiceField = self.fields["host"]  # type: ignore[assignment]
        hosts.queryset = Host.objects.visible_to(user)
