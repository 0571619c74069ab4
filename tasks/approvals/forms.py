"""Inputs: a rule, and a person's word."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm
from tasks.models import ApprovalRule, ApprovalVote, Work


class ApprovalRuleForm(ResourceForm):
    """A rule."""

    kinds = forms.MultipleChoiceField(
        choices=Work.Kind.choices,
        required=False,
        label=gettext_lazy("Kinds of work"),
        help_text=gettext_lazy("None chosen: all."),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = ApprovalRule
        fields = (
            "name",
            "description",
            "enabled",
            "automatic",
            "kinds",
            "host_groups",
            "tags",
            "critical",
            "role",
            "users",
            "needed",
            "expires_minutes",
        )
        help_texts = {
            "role": gettext_lazy("Where it is held on all hosts of the work."),
            "users": gettext_lazy(
                "No role and nobody here: whoever may decide approvals on all hosts of the work."
            ),
        }

    def clean(self) -> dict[str, Any]:
        """Want people enough to give the approvals that are needed."""
        cleaned = super().clean()
        people, role = cleaned.get("users"), cleaned.get("role")
        if people and not role and len(people) < (cleaned.get("needed") or 1):
            self.add_error("needed", _("So many people are not named."))
        return cleaned


class VoteForm(forms.Form):
    """A person's word."""

    verdict = forms.ChoiceField(
        choices=ApprovalVote.Verdict.choices, widget=forms.HiddenInput
    )
    comment = forms.CharField(
        label=gettext_lazy("Comment"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("A refusal says why."),
    )
