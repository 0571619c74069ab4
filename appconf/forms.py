"""The inputs of projects, environments, dependencies and packages."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from adminset.crud.choices import NamesInput, RemoteSelectMultiple
from adminset.crud.forms import ResourceForm
from adminset.querysets import may
from appconf.models import Dependency, Environment, Package, Project
from cmdb.models import Contact, Credential, Host

SHORT = forms.Textarea(attrs={"rows": 3})
WORD = {"autocomplete": "off", "spellcheck": "false"}
SECTIONS = (
    (
        _("Application"),
        (
            "name",
            "code",
            "product_line",
            "criticality",
            "owner",
            "on_call",
            "language",
            "app_type",
            "server_type",
            "architecture",
            "description",
        ),
    ),
    (
        _("Source and paths"),
        (
            "source_type",
            "source_address",
            "source_credential",
            "deploy_path",
            "config_path",
        ),
    ),
    (_("Packages and configuration"), ("packages", "config_notes")),
    (_("Monitoring"), ("health_url", "monitoring_notes")),
    (_("Business"), ("sla", "business_notes")),
    (_("Architecture"), ("ports", "architecture_notes")),
    (_("Permissions"), ("run_user", "run_group", "permission_notes")),
    (
        _("Operation"),
        (
            "start_command",
            "stop_command",
            "restart_command",
            "log_path",
            "operation_notes",
        ),
    ),
)
PROJECT_FIELDS = tuple(name for _title, names in SECTIONS for name in names)


class ProjectForm(ResourceForm):
    """An application, in sections."""

    health_url = forms.URLField(
        label=_("Health address"),
        required=False,
        max_length=500,
        assume_scheme="https",
    )

    class Meta:
        model = Project
        fields = PROJECT_FIELDS
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "source_address": forms.TextInput(attrs=WORD),
            "start_command": forms.TextInput(attrs=WORD),
            "stop_command": forms.TextInput(attrs=WORD),
            "restart_command": forms.TextInput(attrs=WORD),
            **{
                name: SHORT
                for name in PROJECT_FIELDS
                if name.endswith("_notes") or name == "description"
            },
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._was = {
            name: getattr(self.instance, name)
            for name in ("source_address", "source_type", "source_credential_id")
        }
        if "owner" in self.fields and self.user.has_perm("cmdb.view_contact"):
            self._suggest_contacts(self.fields["owner"])

    def _suggest_contacts(self, field: forms.Field) -> None:
        """Suggest contacts as owners: another name is taken too, but the page of the application cannot say how to reach it."""
        field.widget = NamesInput(
            "contacts",
            known=Contact.objects.visible_to(self.user),
            unknown=_(
                "No contact has this name: the page will not say how to reach this owner."
            ),
            attrs=field.widget.attrs,
        )

    @property
    def fieldsets(self) -> list[dict[str, Any]]:
        """Give the sections of the page."""
        return [
            {"title": title, "fields": [self[name] for name in names]}
            for title, names in SECTIONS
        ]

    def clean(self) -> dict[str, Any]:
        """Send a credential nowhere for somebody who may not use it."""
        cleaned = super().clean()
        credential: Credential | None = cleaned.get("source_credential")
        if credential is None:
            return cleaned
        asked = {
            "source_address": cleaned.get("source_address"),
            "source_type": cleaned.get("source_type"),
            "source_credential_id": credential.pk,
        }
        if asked != self._was and not may(self.user, "use", credential):
            self.add_error(
                "source_credential",
                _("Only who may use this credential says where it is sent."),
            )
        return cleaned


class DualSelect(RemoteSelectMultiple):
    """Two lists beside each other: what there is, searched as one types, and what is chosen (static/appconf/dual-list.js)."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.attrs["data-enhance"] = "dual"


class EnvironmentForm(ResourceForm):
    """An environment with its hosts. Only hosts on which the user may run work come or go; others stay as they are."""

    class Meta:
        model = Environment
        fields = (
            "project",
            "name",
            "code",
            "kind",
            "position",
            "deploy_path",
            "config_path",
            "hosts",
            "groups",
            "notes",
        )
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "hosts": DualSelect("hosts"),
            "notes": SHORT,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["position"].required = False
        if self.instance.pk:
            # Pipelines, deploys and tokens know it with its project.
            self.fields["project"].disabled = True
        self._narrow_hosts()

    def _narrow_hosts(self) -> None:
        """Offer hosts on which the user may run work: a release does so in the name of the one who put them here."""
        field: Any = self.fields["hosts"]
        runnable = Host.objects.visible_to(self.user, "run")
        field.queryset = runnable
        field.error_messages["invalid_choice"] = _(
            "%(value)s is no host on which you may run work."
        )
        if not self.instance.pk:
            return
        own = self.instance.hosts
        mine = own.filter(pk__in=runnable.order_by().values("pk"))
        self._hidden["hosts"] = list(own.exclude(pk__in=mine.values("pk")))
        self.initial["hosts"] = list(mine.values_list("pk", flat=True))

    def clean_position(self) -> int:
        """Take nothing as the first."""
        return self.cleaned_data["position"] or 0

    @property
    def kept_hosts(self) -> int:
        """How many hosts belong to it that the user can neither add nor take out."""
        return len(self._hidden.get("hosts", ()))


class DependencyForm(ResourceForm):
    """What an application needs: another application, or a host."""

    class Meta:
        model = Dependency
        fields = ("project", "kind", "on_project", "on_host", "notes")

    def clean(self) -> dict[str, Any]:
        """Ask for exactly one thing."""
        cleaned = super().clean()
        if bool(cleaned.get("on_project")) == bool(cleaned.get("on_host")):
            self.add_error("on_project", _("Choose another project, or a host."))
        return cleaned


class PackageForm(ResourceForm):
    """A package; its file is sent on a page of its own."""

    url = forms.URLField(
        label=_("Address"), required=False, max_length=500, assume_scheme="https"
    )

    class Meta:
        model = Package
        fields = ("name", "version", "url", "sha256", "notes")
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "sha256": forms.TextInput(attrs=WORD),
            "notes": SHORT,
        }

    def clean_sha256(self) -> str:
        """Take upper-case digits too; keep what was counted of a file that is here."""
        given = str(self.cleaned_data["sha256"]).strip().lower()
        if self.instance.file_name and given != self.instance.sha256:
            raise forms.ValidationError(
                _("It was counted of the file that is kept here: send another file.")
            )
        return given


class PackageFileForm(forms.Form):
    """The file of a package."""

    upload = forms.FileField(label=_("File"))
    sha256 = forms.CharField(
        label="SHA-256",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs=WORD),
        help_text=_("If you know it: another file is refused then."),
    )

    def clean_sha256(self) -> str:
        """Take upper-case digits too."""
        return str(self.cleaned_data["sha256"]).strip().lower()

    def clean_upload(self) -> Any:
        """Refuse what is larger than a package may be."""
        upload = self.cleaned_data["upload"]
        if upload.size > settings.PACKAGE_BYTES:
            raise forms.ValidationError(_("The file is too large."))
        return upload
