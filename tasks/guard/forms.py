"""Inputs: a guard rule, and a line to try the rules with."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from adminset.crud.choices import RemoteSelect
from adminset.crud.forms import ResourceForm
from adminset.errors import DomainError
from cmdb.models import Credential, Host
from tasks.guard.patterns import patterns_of
from tasks.models import GuardRule

MOST_PATTERNS = 20_000


class GuardRuleForm(ResourceForm):
    """A rule: what it looks for, what happens then, where it holds."""

    class Meta:
        model = GuardRule
        fields = (
            "name",
            "description",
            "enabled",
            "patterns",
            "action",
            "risk",
            "message",
            "critical",
            "roles",
            "host_groups",
            "credentials",
        )
        widgets = {"patterns": forms.Textarea(attrs={"rows": 8, "spellcheck": "false"})}
        help_texts = {
            "patterns": _(
                "One a line: the words of a command (rm -r /), * for any word, > /etc/passwd for what is written, @hidden for what the guard cannot read, or /a regular expression/."
            ),
            "message": _("Empty: a sentence of the portal's own."),
        }

    def sections(self) -> list[dict[str, Any]]:
        """Give the inputs by heading, for the page."""
        what = ("name", "description", "enabled", "patterns")
        then = ("action", "risk", "message")
        where = ("critical", "roles", "host_groups", "credentials")
        titles = (_("What it looks for"), _("What happens"), _("Where it holds"))
        return [
            {"title": title, "fields": [self[name] for name in names]}
            for title, names in zip(titles, (what, then, where), strict=True)
        ]

    def clean_patterns(self) -> str:
        """Refuse patterns that cannot be read."""
        text: str = self.cleaned_data["patterns"]
        if len(text) > MOST_PATTERNS:
            raise forms.ValidationError(_("That is too long for one rule."))
        try:
            found = patterns_of(text)
        except DomainError as error:
            raise forms.ValidationError(str(error.message)) from error
        if not found:
            raise forms.ValidationError(_("Name one command at least."))
        return text


class TryForm(forms.Form):
    """A line, and where it would be entered."""

    line = forms.CharField(
        label=_("Line"),
        max_length=4000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_("As it would be typed. Nothing is run."),
    )
    host = forms.ModelChoiceField(
        Host.objects.none(),
        required=False,
        label=_("On the host"),
        widget=RemoteSelect("hosts"),
        help_text=_("Empty: only rules that hold everywhere."),
    )
    credential = forms.ModelChoiceField(
        Credential.objects.none(),
        required=False,
        label=_("With the credential"),
        widget=RemoteSelect("credentials"),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered: dict[str, Any] = {"host": Host, "credential": Credential}
        for name, model in offered.items():
            field: Any = self.fields[name]
            field.queryset = model.objects.visible_to(user)
