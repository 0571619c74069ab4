"""Inputs of IDCs, cabinets and statuses."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from adminset.crud.forms import ResourceForm
from cmdb.models import (
    AssetStatus,
    Cabinet,
    CabinetReservation,
    Host,
    Idc,
)


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
        above = (units or 0) * 2 + 1
        if (
            units
            and self.instance.pk
            and (high := self.instance.slots.filter(half__gt=above).first())
        ):
            said = _("Something stands at unit %(unit)s.")
            self.add_error("units", said % {"unit": f"{high.half / 2:g}"})
        idc = cleaned.get("idc")
        if idc and (other := hosts.exclude(idc=idc).first()):
            self.add_error(
                "idc", _("%(host)s stands in it, in another IDC.") % {"host": other}
            )
        return cleaned


def check_units(form: ResourceForm) -> None:
    """Check that the units of a host or a reservation are whole or half ones, and lie within the cabinet."""
    cleaned = form.cleaned_data
    unit, height = cleaned.get("cabinet_unit"), cleaned.get("unit_height")
    cabinet = cleaned.get("cabinet")
    for name, value in (("cabinet_unit", unit), ("unit_height", height)):
        if value is not None and value * 2 != int(value * 2):
            form.add_error(name, _("Whole or half units only."))
            return
    if unit is None or height is None:
        return
    if not cabinet and "cabinet" not in form.errors:
        form.add_error("cabinet_unit", _("Choose the cabinet too."))
    elif cabinet and unit + height > cabinet.units + 1:
        said = _("This cabinet ends at unit %(units)s.")
        form.add_error("cabinet_unit", said % {"units": cabinet.units})


class CabinetReservationForm(ResourceForm):
    """Units that are kept free."""

    class Meta:
        model = CabinetReservation
        fields = (
            "cabinet",
            "name",
            "cabinet_unit",
            "unit_height",
            "cabinet_face",
            "until",
        )
        widgets = {"until": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}

    def clean(self) -> dict[str, Any]:
        """Check the units."""
        cleaned = super().clean()
        check_units(self)
        return cleaned


class AssetStatusForm(ResourceForm):
    """A status."""

    class Meta:
        model = AssetStatus
        fields = ("name", "state", "monitored", "next_statuses")
