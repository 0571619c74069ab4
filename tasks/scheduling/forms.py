"""Inputs of schedules: what runs, where, when, and what happens when it cannot."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm, moment_input
from tasks.launching.work_forms import (
    TARGET_FIELDS,
    WORK_FIELDS,
    WORK_WIDGETS,
    WorkForm,
)
from tasks.models import Calendar, Schedule

KINDS_OF_TIME = ("every_minutes", "crontab", "once_at")
WHEN_FIELDS = (*KINDS_OF_TIME, "time_zone", "starts_at", "ends_at")
WINDOW_FIELDS = ("only_in", "not_in", "outside")
# What the next times are worked out from: the form sends these while one types.
TIME_FIELDS = (*WHEN_FIELDS, *WINDOW_FIELDS)
POLICY_FIELDS = ("missed", "missed_most", "grace_seconds", "overlap", "jitter_seconds")
KEEP_FIELDS = ("keep_runs", "keep_days")
# Left out, these are as usual.
USUAL = ("outside", *POLICY_FIELDS, "pause_after", "together")
TIME_WIDGETS: dict[str, forms.Widget] = {
    "once_at": moment_input(),
    "starts_at": moment_input(),
    "ends_at": moment_input(),
    "crontab": forms.TextInput(
        attrs={
            "placeholder": "30 2 * * 1-5",
            "autocomplete": "off",
            "spellcheck": "false",
        }
    ),
}


class TimesMixin(forms.Form):
    """One kind of time, and bounds that make sense."""

    def check_times(self, cleaned: dict[str, Any], before: Schedule) -> None:
        """Want exactly one kind of time, and an end behind the start.

        Args:
            before: the schedule as it is stored; its moment may have gone by.
        """
        given = [name for name in KINDS_OF_TIME if cleaned.get(name)]
        if len(given) != 1 and not set(KINDS_OF_TIME) & set(self.errors):
            words = (
                _("Give one kind of time only.")
                if given
                else _("Say every how many minutes, or give a crontab, or a moment.")
            )
            self.add_error("every_minutes", words)
        once_at = cleaned.get("once_at")
        if once_at and once_at <= timezone.now() and once_at != before.once_at:
            self.add_error("once_at", _("This moment has gone by."))
        first, last = cleaned.get("starts_at"), cleaned.get("ends_at")
        if first and last and last <= first:
            self.add_error("ends_at", _("The end lies before the start."))


class TimesForm(TimesMixin, ResourceForm):
    """The times alone: for showing what would run while somebody types."""

    class Meta:
        model = Schedule
        fields = TIME_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outside"].required = False

    def clean(self) -> dict[str, Any]:
        """Want times that can be."""
        cleaned = super().clean()
        cleaned["outside"] = cleaned.get("outside") or Schedule.Outside.SKIP
        self.check_times(cleaned, Schedule(once_at=cleaned.get("once_at")))
        return cleaned


class ScheduleForm(TimesMixin, WorkForm):
    """Work that runs by itself."""

    class Meta:
        model = Schedule
        fields = (
            "name",
            *WORK_FIELDS,
            *TARGET_FIELDS,
            *TIME_FIELDS,
            *POLICY_FIELDS,
            *KEEP_FIELDS,
            "enabled",
        )
        widgets = {**WORK_WIDGETS, **TIME_WIDGETS}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._once_before: datetime | None = self.instance.once_at
        if self.instance.pk is None:
            zone = getattr(self.user, "time_zone", "") or settings.TIME_ZONE
            self.fields["time_zone"].initial = zone
        # A program that knows nothing of policies gets the usual ones.
        for name in USUAL:
            self.fields[name].required = False

    def full_clean(self) -> None:
        """Check everything; a form that comes back draws no secret that was typed: the page carries them sealed."""
        super().full_clean()
        if self.is_bound and self.errors:
            self.hide_typed()

    def clean(self) -> dict[str, Any]:
        """Want something to run, somewhere, at one kind of time."""
        cleaned = super().clean()
        for name in USUAL:
            if name not in self.errors and cleaned.get(name) in (None, ""):
                cleaned[name] = getattr(self.instance, name)
        self.check_times(cleaned, Schedule(once_at=self._once_before))
        if not self.user.has_perm("tasks.add_run"):
            self.add_error(
                None, _("You may not start runs, so nothing could run in your name.")
            )
        return cleaned

    # ---- What the page draws (tasks/schedule_form.html)

    def name_fields(self) -> list[Any]:
        """Give the inputs of what it is called."""
        return self._some(("name", "enabled"))

    def time_sections(self) -> list[dict[str, Any]]:
        """Give the inputs of when, by heading."""
        return [
            {
                "title": _("When"),
                "help": _(
                    "Every so many minutes, or by a crontab in a time zone, or once."
                ),
                "fields": self._some(WHEN_FIELDS),
            },
            {
                "title": _("Windows and blackouts"),
                "help": _("Calendars say when it may run, and when it may not."),
                "fields": self._some(WINDOW_FIELDS),
            },
            {"title": _("What if"), "fields": self._some(POLICY_FIELDS)},
            {"title": _("What is kept"), "fields": self._some(KEEP_FIELDS)},
        ]


class PauseForm(forms.Form):
    """Why a schedule is turned off."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Stands on its page until it is turned on again."),
    )


class CalendarForm(ResourceForm):
    """A calendar."""

    class Meta:
        model = Calendar
        fields = (
            "name",
            "times",
            "time_zone",
            "warns_everywhere",
            "warns_groups",
            "notes",
        )
        widgets = {
            "times": forms.Textarea(
                attrs={"rows": 8, "placeholder": "mon-fri 22:00-06:00"}
            )
        }
