"""Inputs of what delivers by itself: planned deploys, follow-ups, web-hooks of git hosts."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm, SecretInput
from adminset.errors import DomainError
from appconf.models import Environment
from delivery.models import DeploySchedule, FollowUp, GitHook
from delivery.safety.reach import strays_words
from delivery.triggers.circles import ensure_no_circle
from tasks.hooks.fields import WordsField
from tasks.hooks.forms import SHORTEST_SECRET
from tasks.hooks.rules import problem_of_pattern
from tasks.scheduling.forms import TIME_WIDGETS, TimesMixin

WHERE = ("pipeline", "environment")
TIMES = (
    "every_minutes",
    "crontab",
    "once_at",
    "time_zone",
    "starts_at",
    "ends_at",
)
POLICY = ("missed", "grace_seconds", "overlap")
PATTERNS = ("branches", "not_branches", "tags", "not_tags", "paths", "not_paths")


class TriggerForm(ResourceForm):
    """A pipeline and an environment of one project, to which the user may deploy."""

    # Left out by a program, these are as usual.
    usual: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.usual:
            self.fields[name].required = False
        field: Any = self.fields["environment"]
        mine = (
            Environment.objects.visible_to(self.user, "deploy").order_by().values("pk")
        )
        field.queryset = field.queryset.filter(pk__in=mine).select_related("project")

    def clean(self) -> dict[str, Any]:
        """Want two that belong together."""
        cleaned = super().clean()
        for name in self.usual:
            if name not in self.errors and cleaned.get(name) in (None, ""):
                cleaned[name] = getattr(self.instance, name)
        self.check_pair(cleaned, "pipeline", "environment")
        return cleaned

    def check_pair(self, cleaned: dict[str, Any], first: str, second: str) -> None:
        """Want a pipeline and an environment of one project, to which the pipeline may go."""
        pipeline, environment = cleaned.get(first), cleaned.get(second)
        if not pipeline or not environment:
            return
        if pipeline.project_id != environment.project_id:
            self.add_error(
                second, _("The pipeline and the environment are of two projects.")
            )
        elif words := strays_words(pipeline, environment):
            self.add_error(second, words)


class DeployScheduleForm(TimesMixin, TriggerForm):
    """A deploy that begins by itself."""

    usual = ("ref_kind", *POLICY)

    class Meta:
        model = DeploySchedule
        fields = (
            "name",
            *WHERE,
            "ref_kind",
            "ref",
            "only_new",
            *TIMES,
            *POLICY,
            "enabled",
        )
        widgets = TIME_WIDGETS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._once_before = self.instance.once_at
        if self.instance.pk is None:
            zone = getattr(self.user, "time_zone", "") or settings.TIME_ZONE
            self.fields["time_zone"].initial = zone

    def clean(self) -> dict[str, Any]:
        """Want one kind of time, and a reference that can be one."""
        cleaned = super().clean()
        ref = cleaned["ref"] = str(cleaned.get("ref") or "").strip()
        if ref.startswith("-") or not ref.isprintable():
            self.add_error(
                "ref", _("This can be no name of a branch, a tag or a commit.")
            )
        if not ref and cleaned.get("ref_kind") != "branch":
            self.add_error("ref", _("Say which one."))
        before: Any = DeploySchedule(once_at=self._once_before)
        self.check_times(cleaned, before)
        return cleaned


class FollowUpForm(TriggerForm):
    """What goes on where when something else ended well."""

    class Meta:
        model = FollowUp
        fields = ("after_pipeline", "after_environment", *WHERE, "branch", "enabled")

    def clean(self) -> dict[str, Any]:
        """Want two pairs, and no way that leads back to where it began."""
        cleaned = super().clean()
        self.check_pair(cleaned, "after_pipeline", "after_environment")
        named = ("after_pipeline", "after_environment", *WHERE)
        rows = {name: cleaned.get(name) for name in named}
        branch = str(cleaned.get("branch") or "").strip()
        if branch.startswith("-") or not branch.isprintable():
            self.add_error(
                "branch", _("This can be no name of a branch, a tag or a commit.")
            )
        if not self.errors and all(rows.values()):
            try:
                ensure_no_circle(FollowUp(pk=self.instance.pk, **rows))
            except DomainError as error:
                self.add_error(None, str(error.message))
        return cleaned | {"branch": branch}


def _patterns(label: Any, words: Any = "") -> WordsField:
    return WordsField(label=label, help_text=words)


class GitHookForm(TriggerForm):
    """A web-hook of a git host: who calls how, for which pushes, and what goes where."""

    usual = ("kind",)
    branches = _patterns(
        gettext_lazy("Branches"),
        gettext_lazy(
            "Patterns such as main or release/*, one on each line. Empty: no branch."
        ),
    )
    not_branches = _patterns(gettext_lazy("But not these branches"))
    tags = _patterns(
        gettext_lazy("Tags"), gettext_lazy("Patterns such as v*. Empty: no tag.")
    )
    not_tags = _patterns(gettext_lazy("But not these tags"))
    paths = _patterns(
        gettext_lazy("Only changes in"),
        gettext_lazy("Patterns such as src/ or *.py; for branches. Empty: any change."),
    )
    not_paths = _patterns(
        gettext_lazy("But not changes in"), gettext_lazy("Such as docs/.")
    )

    class Meta:
        model = GitHook
        fields = ("name", "kind", "secret", *WHERE, *PATTERNS, "enabled")
        widgets = {"secret": SecretInput(attrs={"autocomplete": "new-password"})}

    def clean(self) -> dict[str, Any]:
        """Want a secret, and something to listen to."""
        cleaned = super().clean()
        secret = cleaned.get("secret")
        if not secret:
            self.add_error(
                "secret", _("Give a secret: what is not signed may be anybody's.")
            )
        elif isinstance(secret, str) and len(secret) < SHORTEST_SECRET:
            words = _("Give at least %(number)s characters.")
            self.add_error("secret", words % {"number": SHORTEST_SECRET})
        for name in PATTERNS:
            problems = [problem_of_pattern(one) for one in cleaned.get(name) or ()]
            if any(problems):
                self.add_error(name, next(filter(None, problems)))
        if not self.errors and not (cleaned["branches"] or cleaned["tags"]):
            self.add_error(
                "branches", _("Name branches or tags: else nothing is ever delivered.")
            )
        return cleaned


class PauseForm(forms.Form):
    """Why a trigger is turned off."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Stands on its page until it is turned on again."),
    )
