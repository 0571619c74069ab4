"""Inputs of the steps of a workflow, by what they do."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm, SecretInput
from tasks.launching.targets import TargetsMixin
from tasks.launching.work_forms import (
    TARGET_FIELDS,
    WORK_FIELDS,
    WORK_WIDGETS,
    WorkForm,
)
from tasks.models import Template, WorkflowEdge, WorkflowStep
from tasks.workflow_models import KEY
from tasks.workflows.forms import LinesField

Does = WorkflowStep.Does
COMMON = ("key", "title", "join")


class StepMixin(forms.Form):
    """What all steps have: a key that is free, and what they come after (`after_<key>` for each other step)."""

    instance: WorkflowStep
    AFTER = "after_"

    def open_edges(self) -> None:
        """Offer the other steps of the workflow."""
        step = self.instance
        others = step.workflow.steps.exclude(pk=step.pk)
        met = {e.source_id: e.when for e in step.edges_in.all()} if step.pk else {}
        self.others = {other.key: other for other in others}
        nothing = [("", gettext_lazy("does not wait for it"))]
        for other in others:
            self.fields[f"{self.AFTER}{other.key}"] = forms.ChoiceField(
                choices=[*nothing, *WorkflowEdge.When.choices],
                required=False,
                label=str(other),
                initial=met.get(other.pk, ""),
            )
        if "hosts_from" in self.fields:
            work = [o for o in others if o.does in (Does.WORK, Does.TEMPLATE)]
            choices = [("", _("its own, as chosen above"))]
            self.fields["hosts_from"] = forms.ChoiceField(
                choices=[*choices, *((o.key, str(o)) for o in work)],
                required=False,
                label=_("Hosts"),
                help_text=_("Its own, or those of an earlier step."),
            )

    def edges(self) -> dict[str, str]:
        """Give what the valid form says: key of a step -> when."""
        given = {k: self.cleaned_data.get(f"{self.AFTER}{k}") for k in self.others}
        return {key: str(when) for key, when in given.items() if when}

    def after_fields(self) -> list[Any]:
        """Give the inputs of what it comes after."""
        return [self[f"{self.AFTER}{key}"] for key in self.others]

    def common_fields(self) -> list[Any]:
        """Give the inputs that each step has."""
        return [self[name] for name in COMMON]

    def own_fields(self) -> list[Any]:
        """Give the inputs of this kind of step."""
        apart = {*COMMON, *(f"{self.AFTER}{key}" for key in self.others)}
        return [b for b in self if b.name not in apart and not b.is_hidden]

    def clean_key(self) -> str:
        """Want a key that no other step has."""
        key = str(self.cleaned_data["key"])
        if not re.fullmatch(KEY, key):
            raise forms.ValidationError(
                _("Small letters, digits and _, a letter first.")
            )
        if key in self.others:
            raise forms.ValidationError(_("Another step has this key."))
        return key


class WorkStepForm(StepMixin, WorkForm):
    """A step that runs something on hosts."""

    needs_targets = False

    class Meta:
        model = WorkflowStep
        fields = (*COMMON, "hosts_from", "hosts_which", *WORK_FIELDS, *TARGET_FIELDS)
        widgets = WORK_WIDGETS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open_edges()

    def clean(self) -> dict[str, Any]:
        """Want hosts of its own, or an earlier step whose hosts it takes."""
        cleaned = super().clean()
        own = any(cleaned.get(name) for name in (*TARGET_FIELDS, "host_list"))
        if not own and not cleaned.get("hosts_from") and not self.errors:
            self.add_error("hosts", _("Choose hosts, or hosts of an earlier step."))
        return cleaned

    def has_changed(self) -> bool:
        """Say yes: the edges are no field of the row."""
        return True

    def from_fields(self) -> list[Any]:
        """Give the inputs of hosts of an earlier step."""
        return [self["hosts_from"], self["hosts_which"]]


class TemplateStepForm(StepMixin, TargetsMixin, ResourceForm):
    """A step that launches a template; hosts, answers and variables only where the template leaves them open."""

    class Meta:
        model = WorkflowStep
        fields = (
            *COMMON,
            "template",
            "answers",
            "variables",
            "hosts",
            "groups",
            "host_filter",
            "hosts_from",
            "hosts_which",
        )

    variables = LinesField(required=False, label=gettext_lazy("Variables"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.narrow_targets()
        self.take_file()
        self.open_edges()
        usable = Template.objects.visible_to(self.user, "use")
        held = Template.objects.filter(pk=self.instance.template_id or 0)
        self.fields["template"].queryset = (usable | held).distinct()  # type: ignore[attr-defined]
        self.fields["template"].required = True
        self.fields["answers"].widget.attrs["rows"] = 3

    def clean(self) -> dict[str, Any]:
        """Look up the list of hosts and the filter."""
        cleaned: dict[str, Any] = super().clean()
        self.check_targets(cleaned, needed=False)
        cleaned["answers"] = cleaned.get("answers") or {}
        return cleaned


class ApprovalStepForm(StepMixin, ResourceForm):
    """A step that waits for the word of others."""

    class Meta:
        model = WorkflowStep
        fields = (*COMMON, "rule")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open_edges()
        self.fields["rule"].required = True


class WaitStepForm(StepMixin, ResourceForm):
    """A step that waits for some time, or for a time of day."""

    class Meta:
        model = WorkflowStep
        fields = (*COMMON, "wait_seconds", "wait_until", "wait_zone")
        widgets = {"wait_until": forms.TimeInput(attrs={"type": "time"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open_edges()
        if self.instance.pk is None:
            self.initial["wait_zone"] = getattr(self.user, "time_zone", "") or "UTC"

    def clean(self) -> dict[str, Any]:
        """Want one of the two."""
        cleaned: dict[str, Any] = super().clean()
        given = [
            n for n in ("wait_seconds", "wait_until") if cleaned.get(n) is not None
        ]
        if len(given) != 1 and not self.errors:
            self.add_error("wait_seconds", _("Give seconds or a time of day."))
        return cleaned


class HookStepForm(StepMixin, ResourceForm):
    """A step that tells somebody outside."""

    class Meta:
        model = WorkflowStep
        fields = (*COMMON, "hook_url", "hook_body", "hook_tries", "sealed")
        labels = {"sealed": gettext_lazy("secret")}
        help_texts = {"sealed": gettext_lazy("Signs the message; may be empty.")}
        widgets = {"hook_url": SecretInput, "sealed": SecretInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open_edges()
        self.fields["hook_body"].widget.attrs["rows"] = 5

    def clean(self) -> dict[str, Any]:
        """Want an https address."""
        typed = str(self.cleaned_data.get("hook_url") or "")
        if typed and not typed.startswith("https://"):
            self.add_error("hook_url", _("It begins with https://."))
        cleaned: dict[str, Any] = super().clean()
        if not cleaned.get("hook_url") and "hook_url" not in self.errors:
            self.add_error("hook_url", _("Enter the address."))
        cleaned["hook_body"] = cleaned.get("hook_body") or {}
        return cleaned


FORMS: dict[str, type[Any]] = {
    Does.WORK: WorkStepForm,
    Does.TEMPLATE: TemplateStepForm,
    Does.APPROVAL: ApprovalStepForm,
    Does.WAIT: WaitStepForm,
    Does.WEB_HOOK: HookStepForm,
}
