"""The input of a host: where it stands, how to reach it, what people know of it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cmdb.forms.assets import AssetForm
from cmdb.forms.places import check_units
from cmdb.models import AssetStatus, Credential, Host, HostGroup

SECTIONS = (
    (
        _("Identity"),
        (
            "hostname",
            "kind",
            "status",
            "owner",
            "product_line",
            "tags",
            "asset_number",
        ),
    ),
    (
        _("Place"),
        (
            "idc",
            "cabinet",
            "cabinet_unit",
            "unit_height",
            "cabinet_face",
            "branch",
            "cluster",
            "hypervisor",
            "groups",
        ),
    ),
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
    (
        _("Purchase and notes"),
        (
            "supplier",
            "purchased_on",
            "warranty_until",
            "price",
            "currency",
            "notes",
        ),
    ),
)
FOUND_HELP = _(
    "The agent fills these. What you enter here stays; emptied, it is the agent's again."
)
DATE = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class HostForm(AssetForm):
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
            "unit_height",
            "cabinet_face",
            "branch",
            "cluster",
            "hypervisor",
            "groups",
            "owner",
            "product_line",
            "tags",
            "credential",
            "asset_number",
            "vendor",
            "product",
            "serial",
            "os_name",
            "os_version",
            "cpu_model",
            "cpu_threads",
            "supplier",
            "purchased_on",
            "warranty_until",
            "price",
            "currency",
            "notes",
        )
        widgets = {
            "purchased_on": DATE,
            "warranty_until": DATE,
            "notes": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("unit_height", "cabinet_face"):
            self.fields[name].required = False
        groups: Any = self.fields["groups"]
        # Into a dynamic one hosts come by its filter only.
        groups.queryset = groups.queryset.filter(kind=HostGroup.Kind.STATIC)
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
        added = tuple(field.form_name for field in self.custom_fields)
        sections = [*SECTIONS, *([(_("Custom fields"), added)] if added else [])]
        return [
            {
                "title": title,
                "help": FOUND_HELP if title is found else "",
                "fields": [self[name] for name in names],
            }
            for title, names in sections
        ]

    def clean_status(self) -> AssetStatus | None:
        """Let a status become only what it may become."""
        chosen: AssetStatus | None = self.cleaned_data["status"]
        # The instance still holds what was; it takes the new value after all fields are checked.
        old = self.instance.status if self.instance.pk else None
        if old is None or chosen == old:
            return chosen
        allowed = list(old.next_statuses.all())
        if allowed and chosen not in allowed:
            names = ", ".join(map(str, allowed))
            raise forms.ValidationError(
                _("From %(old)s it may become: %(names)s.")
                % {"old": old, "names": names}
            )
        return chosen

    def clean_unit_height(self) -> Any:
        """Keep the height where none is said."""
        said = self.cleaned_data["unit_height"]
        return self.instance.unit_height if said is None else said

    def clean_cabinet_face(self) -> str:
        """Keep the side where none is said."""
        return self.cleaned_data["cabinet_face"] or self.instance.cabinet_face

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
        if cabinet and idc is None and "idc" not in self.errors:
            cleaned["idc"] = cabinet.idc
        elif cabinet and idc and cabinet.idc_id != idc.pk:
            said = _("This cabinet stands in %(idc)s.")
            self.add_error("cabinet", said % {"idc": cabinet.idc})
        check_units(self)
        guest_of = cleaned.get("hypervisor")
        if guest_of and guest_of.pk == self.instance.pk:
            self.add_error("hypervisor", _("A host does not run on itself."))
        if cleaned.get("price") is not None and not cleaned.get("currency"):
            self.add_error("currency", _("Say the currency of the price."))
        return cleaned
