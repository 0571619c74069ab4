"""Inputs: a workflow, the start of a run, a reason to skip, a workflow as a file."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm
from tasks.models import Workflow


class LinesField(forms.JSONField):
    """Names and texts, one `name = text` a line; cleans to a mapping, takes one from a program."""

    widget = forms.Textarea(attrs={"rows": 3, "placeholder": "release = 1.0"})

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Draw again what was typed."""
        return data

    def prepare_value(self, value: Any) -> Any:
        """Draw a mapping as lines."""
        if isinstance(value, dict):
            return "\n".join(f"{name} = {text}" for name, text in value.items())
        return value

    def to_python(self, value: Any) -> Any:
        """Read lines.

        Raises:
            ValidationError: a line without `=`.
        """
        if isinstance(value, dict):
            return value
        found = {}
        for line in str(value or "").splitlines():
            name, equals, text = line.partition("=")
            if not line.strip():
                continue
            if not equals or not re.fullmatch(r"[a-z_][a-z0-9_]{0,63}", name.strip()):
                raise forms.ValidationError(
                    _("Write each line as name = text: %(line)s"),
                    params={"line": line[:80]},
                )
            found[name.strip()] = text.strip()
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is meant."""
        try:
            return bool((initial or {}) != self.to_python(data))
        except forms.ValidationError:
            return True


class WorkflowForm(ResourceForm):
    """A workflow's head; its steps have forms of their own."""

    variables = LinesField(
        required=False,
        label=gettext_lazy("Variables"),
        help_text=gettext_lazy(
            "One `name = text` a line, for ${vars.name} in the steps. A start may give other texts."
        ),
    )

    class Meta:
        model = Workflow
        fields = ("name", "description", "variables", "enabled")
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}


class StartForm(forms.Form):
    """The variables of one start."""

    def __init__(self, *args: Any, workflow: Workflow, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in workflow.variables.items():
            self.fields[f"var_{name}"] = forms.CharField(
                label=name, initial=text, required=False, max_length=65536
            )

    def variables(self) -> dict[str, str]:
        """Give what was typed."""
        return {k.removeprefix("var_"): v for k, v in self.cleaned_data.items()}


class SkipForm(forms.Form):
    """Why a failed step may be skipped."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class FileForm(forms.Form):
    """A workflow as text, or as a file."""

    text = forms.CharField(
        label="YAML",
        required=False,
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 18}),
    )
    file = forms.FileField(label=gettext_lazy("Or a file"), required=False)
    replace = forms.BooleanField(
        label=gettext_lazy("Replace the workflow of this name"), required=False
    )

    def clean(self) -> dict[str, Any]:
        """Take the text of the file where one was sent."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        sent = cleaned.get("file")
        if sent is not None:
            try:
                cleaned["text"] = sent.read(1_000_001).decode()
            except UnicodeDecodeError:
                self.add_error("file", _("It is no text in UTF-8."))
        if not str(cleaned.get("text") or "").strip() and not self.errors:
            self.add_error("text", _("Paste a workflow, or choose a file."))
        return cleaned
