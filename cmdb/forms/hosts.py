"""The input of a host: where it stands, how to reach it, what people know of it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from adminset.crud.forms import ResourceForm
from cmdb.models import Credential, Host

SECTIONS = (
    (_("Identity"), ("hostname", "kind", "status", "owner", "asset_number")),
    (_("Place"), ("idc", "cabinet", "cabinet_unit", "groups")),
    (_("Access"), ("address", "ssh_port", "credential")),
    (
        _("Hardware and system"),
        (
            "vendor",
            "product",
            "serial",
            "os_name",
            "os_version",
            "cpu_model",
            "cpu_threads",
        ),
    ),
    (_("Purchase and notes"), ("purchased_on", "warranty_until", "notes")),
)
FOUND_HELP = _(
    "The agent fills these. What you enter here stays; emptied, it is the agent's again."
)
DATE = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class HostForm(ResourceForm):
    """A host."""

    class Meta:
        model = Host
        fields = (
            "hostname",
            "address",
            "ssh_port",
            "kind",
            "status",
            "idc",
            "cabinet",
            "cabinet_unit",
            "groups",
            "owner",
            "credential",
            "asset_number",
            "vendor",
            "product",
            "serial",
            "os_name",
            "os_version",
            "cpu_model",
            "cpu_threads",
            "purchased_on",
            "warranty_until",
            "notes",
        )
        widgets = {
            "purchased_on": DATE,
            "warranty_until": DATE,
            "notes": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cabinets = self.fields["cabinet"]
        if (
            isinstance(cabinets, forms.ModelChoiceField)
            and cabinets.queryset is not None
        ):
            # A cabinet's name begins with its IDC's.
            cabinets.queryset = cabinets.queryset.select_related("idc")

    @property
    def fieldsets(self) -> list[dict[str, Any]]:
        """Give the sections of the page."""
        found = SECTIONS[3][0]
        return [
            {
                "title": title,
                "help": FOUND_HELP if title is found else "",
                "fields": [self[name] for name in names],
            }
            for title, names in SECTIONS
        ]

    def clean_credential(self) -> Credential | None:
        """Let only those choose a credential, or send it to another address, who may use it."""
        chosen: Credential | None = self.cleaned_data["credential"]
        moved = {"address", "ssh_port"} & set(self.changed_data)
        if chosen is None or (chosen.pk == self.instance.credential_id and not moved):
            return chosen
        usable = Credential.objects.visible_to(self.user, "use")
        if not usable.filter(pk=chosen.pk).exists():
            raise forms.ValidationError(_("You may not use this credential."))
        return chosen

    def clean(self) -> dict[str, Any]:
        """Check that the place makes sense; the cabinet says the IDC."""
        cleaned = super().clean()
        cabinet, idc = cleaned.get("cabinet"), cleaned.get("idc")
        unit = cleaned.get("cabinet_unit")
        if cabinet and idc is None and "idc" not in self.errors:
            cleaned["idc"] = cabinet.idc
        elif cabinet and idc and cabinet.idc_id != idc.pk:
            said = _("This cabinet stands in %(idc)s.")
            self.add_error("cabinet", said % {"idc": cabinet.idc})
        if unit and not cabinet and "cabinet" not in self.errors:
            self.add_error("cabinet_unit", _("Choose the cabinet too."))
        elif unit and cabinet and unit > cabinet.units:
            said = _("This cabinet ends at unit %(units)s.")
            self.add_error("cabinet_unit", said % {"units": cabinet.units})
        return cleaned
