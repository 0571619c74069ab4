"""Inputs of IDCs, cabinets, statuses and groups."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from adminset.crud.forms import ResourceForm
from cmdb.models import AssetStatus, Cabinet, Host, HostGroup, Idc


class IdcForm(ResourceForm):
    """A data centre."""

    class Meta:
        model = Idc
        fields = (
            "name",
            "code",
            "address",
            "contact",
            "phone",
            "bandwidth",
            "address_ranges",
            "notes",
        )
        widgets = {
            "address_ranges": forms.Textarea(attrs={"rows": 3}),
            "notes": forms.Textarea(attrs={"rows": 3}),
        }


class CabinetForm(ResourceForm):
    """A cabinet; it cannot become lower than its hosts stand high."""

    class Meta:
        model = Cabinet
        fields = ("idc", "name", "units", "power_watts", "notes")
        widgets = {"notes": forms.Textarea(attrs={"rows": 3})}

    def clean(self) -> dict[str, Any]:
        """Check what stands in it already."""
        cleaned = super().clean()
        hosts = self.instance.hosts.all() if self.instance.pk else Host.objects.none()
        units = cleaned.get("units")
        if units and (high := hosts.filter(cabinet_unit__gt=units).first()):
            said = _("%(host)s stands at unit %(unit)s.")
            self.add_error("units", said % {"host": high, "unit": high.cabinet_unit})
        idc = cleaned.get("idc")
        if idc and (other := hosts.exclude(idc=idc).first()):
            self.add_error(
                "idc", _("%(host)s stands in it, in another IDC.") % {"host": other}
            )
        return cleaned


class AssetStatusForm(ResourceForm):
    """A status."""

    class Meta:
        model = AssetStatus
        fields = ("name", "state", "monitored")


class HostGroupForm(ResourceForm):
    """A group and its hosts. Only hosts that the user may change can come or go; the others stay."""

    hosts = forms.ModelMultipleChoiceField(
        label=_("Hosts"), queryset=Host.objects.all(), required=False
    )

    class Meta:
        model = HostGroup
        fields = ("name", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Host.objects.visible_to(self.user, "change")
        self.fields["hosts"].queryset = mine  # type: ignore[attr-defined]
        if self.instance.pk:
            members = mine.filter(groups=self.instance)
            self.initial["hosts"] = list(members.values_list("pk", flat=True))
