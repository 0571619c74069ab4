"""The inputs of a deploy: what to bring where, and the yes to its plan."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appconf.models import Environment, Project
from cmdb.models import Host
from delivery.models import Artefact, Deploy, Pipeline

RefKind = Deploy.RefKind


class DeployForm(forms.Form):
    """Where, and what: a branch, a tag, a commit, or something that was built already."""

    environment = forms.ModelChoiceField(
        label=gettext_lazy("Environment"), queryset=Environment.objects.none()
    )
    ref_kind = forms.ChoiceField(label=gettext_lazy("What"), widget=forms.RadioSelect)
    ref = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=200,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    hosts = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only on these hosts"),
        queryset=Host.objects.none(),
        required=False,
        help_text=gettext_lazy("None chosen: on all hosts of the environment."),
    )

    def __init__(
        self, *args: Any, user: Any, pipeline: Pipeline, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.pipeline = user, pipeline
        rows = Environment.objects.visible_to(user, "deploy")
        offered: Any = pipeline.reached(rows)
        offered = offered.in_order()
        choice: Any = self.fields["environment"]
        choice.queryset = offered
        choice.label_from_instance = lambda row: (
            f"{row.name} ({row.get_kind_display()})"
        )
        self.fields["ref_kind"].choices = self.kinds()  # type: ignore[attr-defined]
        self._start()
        self.fields["hosts"].queryset = self._hosts()  # type: ignore[attr-defined]

    def kinds(self) -> list[tuple[str, Any]]:
        """Give the kinds of references that the project can be delivered from, the usual one first."""
        source = self.pipeline.project.source_type
        read = (RefKind.BRANCH, RefKind.TAG, RefKind.COMMIT)
        own = () if source == Project.SourceType.UPLOAD else read
        # Archives are sent to the project, not to its source: any project has them.
        kinds = (*own, RefKind.UPLOAD, RefKind.ARTEFACT)
        return [(kind.value, str(kind.label).capitalize()) for kind in kinds]

    def _start(self) -> None:
        """Put what is usual where nothing was asked for."""
        known = dict(self.kinds())
        if self.initial.get("ref_kind") not in known:
            self.initial["ref_kind"] = next(iter(known))
            self.initial["ref"] = ""
        asked = str(self.initial.get("environment") or "")
        offered = self.fields["environment"].queryset  # type: ignore[attr-defined]
        if not asked.isdecimal() or not offered.filter(pk=asked).exists():
            first = offered.first()
            self.initial["environment"] = first.pk if first else None

    def _hosts(self) -> QuerySet[Host]:
        pk = (
            self.data.get("environment")
            if self.is_bound
            else self.initial.get("environment")
        )
        text = str(pk or "")
        offered = self.fields["environment"].queryset  # type: ignore[attr-defined]
        environment = (
            offered.filter(pk=text).first()
            if text.isdecimal() and len(text) < 16
            else None
        )
        if environment is None:
            return Host.objects.none()
        seen = Host.objects.visible_to(self.user).order_by().values("pk")
        return environment.all_hosts().filter(pk__in=seen).order_by("hostname")

    def artefacts(self) -> QuerySet[Artefact]:
        """Give what was built already and is still there, newest first."""
        rows = Artefact.objects.visible_to(self.user)
        own = rows.filter(project=self.pipeline.project_id, cleared_at=None)
        return own.order_by("-number")

    def clean(self) -> dict[str, Any]:
        """Want an artefact that is there where one is meant."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        ref = str(cleaned.get("ref", "")).strip()
        if cleaned.get("ref_kind") == RefKind.ARTEFACT and ref:
            number = ref if ref.isascii() and ref.isdecimal() and len(ref) < 16 else "0"
            if not self.artefacts().filter(pk=number).exists():
                self.add_error("ref", _("Choose one of the artefacts that are kept."))
        return cleaned | {"ref": ref}

    def about(self) -> dict[str, Any]:
        """Give what a worker needs to make the plan, as plain values."""
        told = self.cleaned_data
        return {
            "pipeline": self.pipeline.pk,
            "environment": told["environment"].pk,
            "ref_kind": told["ref_kind"],
            "ref": told["ref"],
            "host_ids": [host.pk for host in told["hosts"]],
        }


class ConfirmForm(forms.Form):
    """The yes to a plan: why, and why now where the windows say no."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What it is for: it stands in the history."),
    )
    emergency_reason = forms.CharField(
        label=gettext_lazy("Emergency: why it cannot wait"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Without it the deploy waits for a window."),
    )
    wait = forms.BooleanField(
        label=gettext_lazy("Wait where somebody else holds the environment"),
        required=False,
        initial=True,
    )

    def __init__(self, *args: Any, closed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not closed:
            del self.fields["emergency_reason"]


class UploadForm(forms.Form):
    """An archive, and the SHA-256 that its sender knows of it."""

    archive = forms.FileField(
        label=gettext_lazy("Archive"),
        help_text=gettext_lazy("tar, tar.gz, tar.bz2, tar.xz or zip."),
    )
    sha256 = forms.RegexField(
        r"\A[0-9a-fA-F]{64}\Z",
        label="SHA-256",
        required=False,
        help_text=gettext_lazy("Given, it is compared with what came."),
    )
