"""The inputs of pipelines and their templates, in groups, and of artefacts."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm
from appconf.models import Environment, Project
from delivery.models import Artefact, Pipeline, PipelineTemplate
from delivery.stage_rows import StagesField

COMMANDS = (
    "before_switch",
    "restart",
    "after_switch",
    "drain",
    "back",
    "switch_command",
)
HEALTH = (
    "health_kind",
    "health_target",
    "health_content",
    "health_wait_seconds",
    "health_timeout_seconds",
    "health_attempts",
    "health_pause_seconds",
)
POLICY = (
    "policy",
    "batches",
    "pause_after",
    "forks",
    "canary_hosts",
    "canary_group",
    "canary_watch_seconds",
    "gate_metric",
    "gate_measure",
    "gate_divisor",
    "gate_comparison",
    "gate_limit",
    "auto_rollback",
)
RULES = ("include", "exclude", "shared_paths", "cache_paths", "keep")
STAGES = ("stages", "timeout_seconds", "build_timeout_seconds")
WAY = (*STAGES, *RULES, *COMMANDS, *HEALTH, *POLICY)
GUARDS = (
    "environments",
    "guarded_kinds",
    "approvals_needed",
    "approve_groups",
    "approval_minutes",
    "calendar",
    "freezes",
    "in_order",
)
_TEXT = {"spellcheck": "false", "autocomplete": "off"}
WAY_WIDGETS: dict[str, forms.Widget] = {
    **{name: forms.Textarea(attrs={"rows": 2, **_TEXT}) for name in COMMANDS},
    **{name: forms.Textarea(attrs={"rows": 4, **_TEXT}) for name in RULES[:4]},
    "health_target": forms.TextInput(attrs=_TEXT),
    "batches": forms.TextInput(attrs={"placeholder": "1 10% 50%", **_TEXT}),
    "gate_metric": forms.TextInput(
        attrs={"placeholder": "http_errors_total", "list": "metrics-sent", **_TEXT}
    ),
    "gate_divisor": forms.TextInput(
        attrs={"placeholder": "http_requests_total", "list": "metrics-sent", **_TEXT}
    ),
}


class WayForm(ResourceForm):
    """What pipelines and their templates share: the way of a release to its hosts."""

    stages = StagesField(
        label=gettext_lazy("Stages"),
        help_text=gettext_lazy(
            "In this order. Builds and checks run at the portal in a clean folder; commands run on the hosts, on all or on the first one only; behind the switch a command may run at the portal."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in WAY:
            # Left out by a program, it is what is usual; the page sends every box.
            field = self.fields[name]
            if not isinstance(field, forms.BooleanField):
                field.required = False
            if name in RULES and isinstance(field, forms.CharField):
                field.strip = False

    def clean(self) -> dict[str, Any]:
        """Put what is usual where a number or a choice was left empty, and LF where a browser sends CR LF."""
        cleaned = super().clean()
        for name in WAY:
            value = cleaned.get(name)
            if isinstance(value, str):
                cleaned[name] = value = value.replace("\r\n", "\n")
            usual = self._usual(name)
            if value in (None, "") and usual not in (None, "") and name not in RULES:
                cleaned[name] = usual
        return cleaned

    def _usual(self, name: str) -> Any:
        field: Any = self._meta.model._meta.get_field(name)
        return field.get_default()

    def part(self, title: str, *names: str, help_text: str = "") -> dict[str, Any]:
        """Give a group of fields for the page."""
        fields = [self[name] for name in names]
        return {"title": title, "help": help_text, "fields": fields, "key": names[0]}

    def way_parts(self) -> list[dict[str, Any]]:
        """Give the groups of the way."""
        return [
            self.part(_("Build and stages"), *STAGES),
            self.part(_("Rules: what is in a release"), *RULES),
            self.part(
                _("Hooks on the hosts"),
                *COMMANDS,
                help_text=_(
                    "Run by sh on each host; the variables they find are in docs/delivery-hosts.md."
                ),
            ),
            self.part(_("Policy: which hosts when"), *POLICY),
            self.part(_("Health: when a host is well"), *HEALTH),
        ]


class PipelineForm(WayForm):
    """A pipeline."""

    guarded_kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Kinds of environments that are guarded"),
        choices=Environment.Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Approvals, windows and freezes count there; none chosen: everywhere."
        ),
    )

    class Meta:
        model = Pipeline
        fields = (
            "project",
            "name",
            "description",
            "template",
            "is_active",
            *WAY,
            *GUARDS,
        )
        widgets = WAY_WIDGETS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("approvals_needed", "approval_minutes"):
            self.fields[name].required = False
        offered: Any = self.fields["environments"]
        # Each is offered with the name of its project.
        offered.queryset = offered.queryset.select_related("project")
        if not self.instance.pk and self.initial.get("project"):
            self._begin_with_project()

    def _begin_with_project(self) -> None:
        """Put into a new pipeline what its project says: how it is restarted, and where it is asked whether it is well."""
        try:
            # Only one that the reader sees.
            project: Project = self.fields["project"].clean(self.initial["project"])
        except forms.ValidationError:
            return
        self.initial.setdefault("restart", project.restart_command)
        if project.health_url:
            self.initial.setdefault("health_kind", Pipeline.Health.HTTP)
            self.initial.setdefault("health_target", project.health_url)

    def clean(self) -> dict[str, Any]:
        """Keep a pipeline with its project once something was delivered, and its environments to those of the project."""
        cleaned = super().clean()
        for name in ("approvals_needed", "approval_minutes"):
            if cleaned.get(name) is None:
                cleaned[name] = self._usual(name)
        project = cleaned.get("project")
        moved = project is not None and project.pk != self.instance.project_id
        if self.instance.pk and moved and self.instance.deploys.exists():
            words = _("It has delivered already: it stays with its project.")
            self.add_error("project", words)
        named = {row.project_id for row in cleaned.get("environments") or ()}
        if project is not None and named - {project.pk}:
            self.add_error("environments", _("Choose environments of its project."))
        return cleaned

    def fieldsets(self) -> list[dict[str, Any]]:
        """Give the groups of the page."""
        return [
            self.part(
                _("Source"),
                *("project", "name", "description", "template", "is_active"),
                help_text=_("Where it comes from is said by the project."),
            ),
            *self.way_parts(),
            self.part(_("Safety: who and when"), *GUARDS),
        ]


class PipelineTemplateForm(WayForm):
    """A template of pipelines."""

    class Meta:
        model = PipelineTemplate
        fields = ("name", "description", *WAY)
        widgets = WAY_WIDGETS

    def fieldsets(self) -> list[dict[str, Any]]:
        """Give the groups of the page."""
        return [self.part(_("Template"), "name", "description"), *self.way_parts()]


class ArtefactForm(ResourceForm):
    """What may be changed of an artefact by hand."""

    class Meta:
        model = Artefact
        fields = ("kept",)
