"""What an act of a person asks for: a reason, a yes or a no, the release to go back to."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appconf.models import Environment
from delivery.models import Artefact, Pipeline


class ReasonForm(forms.Form):
    """Why somebody does something; needed unless told otherwise."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "data-focus": ""}),
    )

    def __init__(self, *args: Any, needed: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needed


class HolderForm(ReasonForm):
    """Why the lock of a host is taken away, and from which deploy."""

    holder = forms.CharField(max_length=18, widget=forms.HiddenInput)


class EmergencyForm(forms.Form):
    """Why something cannot wait for a change window; needed where it does not wait by itself."""

    what = forms.CharField(required=False, max_length=10, widget=forms.HiddenInput)
    emergency_reason = forms.CharField(
        label=gettext_lazy("Why it cannot wait"),
        max_length=500,
        help_text=gettext_lazy("It takes the right to deploy outside windows."),
        widget=forms.Textarea(attrs={"rows": 3, "data-focus": ""}),
    )

    def __init__(self, *args: Any, needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["emergency_reason"].required = needed


class DecisionForm(forms.Form):
    """A yes or a no to the plan of a deploy."""

    yes = forms.TypedChoiceField(
        choices=[("yes", gettext_lazy("Approve")), ("no", gettext_lazy("Refuse"))],
        coerce=lambda word: word == "yes",
        widget=forms.HiddenInput,
    )
    plan_hash = forms.CharField(max_length=64, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("A no needs one."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class RollbackForm(forms.Form):
    """To which release an environment goes back, and why."""

    pipeline = forms.ModelChoiceField(
        label=gettext_lazy("Pipeline"),
        queryset=Pipeline.objects.none(),
        help_text=gettext_lazy("Its hooks, health and policy count on the way back."),
    )
    to_artefact = forms.ModelChoiceField(
        label=gettext_lazy("Release"),
        queryset=Artefact.objects.none(),
        required=False,
        empty_label=gettext_lazy("the one before, on each host"),
        help_text=gettext_lazy("Releases that hosts of this environment keep."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self, *args: Any, user: Any, environment: Environment, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        pipelines = Pipeline.objects.visible_to(user).select_related("project")
        offered: Any = self.fields["pipeline"]
        offered.queryset = pipelines.going_to(environment)
        first = offered.queryset.first()
        if not self.initial.get("pipeline") and first is not None:
            self.initial["pipeline"] = first.pk
        artefacts = Artefact.objects.visible_to(user).filter(
            project=environment.project_id, number__in=kept_numbers(environment)
        )
        choice: Any = self.fields["to_artefact"]
        choice.queryset = artefacts.order_by("-number")
        choice.label_from_instance = release_words


def kept_numbers(environment: Environment) -> set[int]:
    """Give the numbers of the releases that hosts of an environment keep; what they say is never trusted further."""
    found = set()
    for kept in environment.live_releases.values_list("kept", flat=True):
        for row in kept if isinstance(kept, list) else []:
            number = str(row.get("release", "")).partition("-")[0]
            if number.isascii() and number.isdecimal() and len(number) < 10:
                found.add(int(number))
    return found


def release_words(artefact: Artefact) -> str:
    """Say a release so that one can choose: folder, commit, what the commit says; and that it is bad."""
    parts = [artefact.release, artefact.commit[:10], artefact.subject[:60]]
    words = " ".join(part for part in parts if part)
    return _("%(release)s (marked bad)") % {"release": words} if artefact.bad else words
