"""The input of a template: work, where it runs, and what may be changed when it is launched."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tasks.launching.kinds import (
    OF_KIND,
    SHARED,
    TARGET_FIELDS,
    WORK_FIELDS,
    WORK_WIDGETS,
)
from tasks.launching.targets import TARGETS
from tasks.launching.work_forms import WorkForm
from tasks.models import Template

# What a template may leave open, in the order of the page.
ASKABLE: dict[str, Any] = {
    "hosts": gettext_lazy("Hosts"),
    "groups": gettext_lazy("Host groups"),
    "host_filter": gettext_lazy("Filter of the host list"),
    "command": gettext_lazy("Command"),
    "script_text": gettext_lazy("Text of the script"),
    "script_arguments": gettext_lazy("Arguments of the script"),
    "arguments": gettext_lazy("Arguments of the module"),
    "distribution": gettext_lazy("Files"),
    "answers": gettext_lazy("Answers to the task module"),
    "variables": gettext_lazy("Extra variables"),
    "options": gettext_lazy("How Ansible runs"),
    "forks": gettext_lazy("Hosts at once"),
    "batches": gettext_lazy("Batches"),
    "pause_after": gettext_lazy("Pause between batches"),
    "stop_percent": gettext_lazy("Stop when so many failed"),
    "together": gettext_lazy("While the same runs"),
    "repeatable": gettext_lazy("Safe to repeat"),
    "timeout_seconds": gettext_lazy("Time-out of a host"),
}
OF_ONE_KIND = {name for names in OF_KIND.values() for name in names} | set(SHARED)


class TemplateForm(WorkForm):
    """Work under a name."""

    needs_targets = False

    ask = forms.MultipleChoiceField(
        choices=[*ASKABLE.items()],
        required=False,
        label=gettext_lazy("May be changed at launch"),
        help_text=gettext_lazy("All others are fixed: they are refused when given."),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Template
        fields = ("name", "description", "ask", *WORK_FIELDS, *TARGET_FIELDS)
        widgets = WORK_WIDGETS

    def may_be_open(self, name: str) -> bool:
        """Say that what is asked for at launch may be empty."""
        return name in self._asked()

    def _asked(self) -> list[str]:
        return self.cleaned_data.get("ask") or []

    def clean(self) -> dict[str, Any]:
        """Want hosts, or that they are asked for; leave out of `ask` what the kind does not have."""
        cleaned = super().clean()
        ask = self._asked()
        kind = str(cleaned["kind"])
        cleaned["ask"] = [
            name
            for name in ask
            if name not in OF_ONE_KIND or name in self.names_of_kind(kind)
        ]
        given = any(cleaned.get(name) for name in TARGETS)
        open_yet = set(TARGETS) & set(ask)
        if (
            not given
            and not open_yet
            and not {*TARGETS, "host_file"} & set(self.errors)
        ):
            self.add_error("hosts", _("Choose hosts, or let them be chosen at launch."))
        return cleaned
