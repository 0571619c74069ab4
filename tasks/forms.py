"""Inputs of the room: a playbook, a schedule, and what to run where."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm
from adminset.errors import DomainError
from cmdb.models import Host, HostGroup
from tasks.models import Playbook, Run, Schedule, Work
from tasks.services.launch import RunSpec, check_work

OF_KIND = {
    Work.Kind.COMMAND: ("command",),
    Work.Kind.MODULE: ("module", "arguments"),
    Work.Kind.PLAYBOOK: ("playbook",),
}
WORK_WIDGETS = {
    "command": forms.Textarea(attrs={"rows": 4, "placeholder": "uname -a"}),
    "arguments": forms.Textarea(
        attrs={"rows": 2, "placeholder": "name=nginx state=restarted"}
    ),
    "module": forms.TextInput(
        attrs={"placeholder": "ping", "autocomplete": "off", "spellcheck": "false"}
    ),
}


class PlaybookForm(ResourceForm):
    """A playbook."""

    class Meta:
        model = Playbook
        fields = ("name", "description", "content")
        widgets = {"content": forms.Textarea(attrs={"rows": 22})}


class TargetsMixin(forms.Form):
    """Hosts and groups to run on: hosts only where the user may run work."""

    user: Any

    def narrow_targets(self) -> None:
        """Offer what the user may use."""
        self.fields["hosts"].queryset = Host.objects.visible_to(self.user, "run")  # type: ignore[attr-defined]
        self.fields["groups"].queryset = HostGroup.objects.visible_to(self.user)  # type: ignore[attr-defined]

    def check_targets(self, cleaned: dict[str, Any]) -> None:
        """Want at least one host or group."""
        if (
            not cleaned.get("hosts")
            and not cleaned.get("groups")
            and not {"hosts", "groups"} & set(self.errors)
        ):
            self.add_error("hosts", _("Choose at least one host or group."))

    def check_kind(self, cleaned: dict[str, Any]) -> None:
        """Want what the kind needs and forget what belongs to other kinds."""
        kind = cleaned.get("kind")
        for other, names in OF_KIND.items():
            for name in names if other != kind else ():
                cleaned[name] = None if name == "playbook" else ""
        if kind not in Work.Kind.values:
            return
        name = OF_KIND[Work.Kind(kind)][0]
        try:
            if name not in self.errors:
                check_work(Run(kind=str(kind), **{name: cleaned.get(name)}))
        except DomainError as error:
            self.add_error(name, error.hint)


class LaunchForm(TargetsMixin, ResourceForm):
    """What to run now, and where."""

    hosts = forms.ModelMultipleChoiceField(
        Host.objects.none(), required=False, label=gettext_lazy("Hosts")
    )
    groups = forms.ModelMultipleChoiceField(
        HostGroup.objects.none(), required=False, label=gettext_lazy("Host groups")
    )

    class Meta:
        model = Run
        fields = (
            "kind",
            "command",
            "module",
            "arguments",
            "playbook",
            "title",
            "timeout_seconds",
            "forks",
        )
        widgets = {"kind": forms.HiddenInput, **WORK_WIDGETS}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.narrow_targets()
        self.initial["kind"] = self.kind
        self.fields["title"].required = False
        self.fields["title"].help_text = _("Empty: what is run.")
        self.fields["timeout_seconds"].initial = settings.RUN_TIMEOUT_SECONDS
        self.fields["forks"].initial = settings.RUN_FORKS

    @property
    def kind(self) -> str:
        """Kind of work that the form is open for."""
        asked = str(
            (self.data.get("kind") if self.is_bound else self.initial.get("kind")) or ""
        )
        return asked if asked in Work.Kind.values else Work.Kind.COMMAND

    def fieldsets(self) -> list[dict[str, Any]]:
        """Fields by heading, only those of the kind."""
        what = [self[name] for name in OF_KIND[Work.Kind(self.kind)]]
        where = [self["hosts"], self["groups"]]
        limits = [self["title"], self["timeout_seconds"], self["forks"]]
        return [
            {"title": _("What"), "fields": what},
            {"title": _("Where"), "fields": where},
            {"title": _("How"), "fields": limits},
        ]

    def clean(self) -> dict[str, Any]:
        """Want something to run, and somewhere."""
        cleaned = super().clean()
        self.check_kind(cleaned)
        self.check_targets(cleaned)
        return cleaned

    def spec(self) -> RunSpec:
        """Give what the valid form asks for."""
        data = self.cleaned_data
        return RunSpec(
            kind=data["kind"],
            command=data["command"],
            module=data["module"],
            arguments=data["arguments"],
            playbook=data["playbook"],
            title=data["title"],
            host_ids=tuple(host.pk for host in data["hosts"]),
            group_ids=tuple(group.pk for group in data["groups"]),
            timeout_seconds=data["timeout_seconds"],
            forks=data["forks"],
        )


class ScheduleForm(TargetsMixin, ResourceForm):
    """Work that runs by itself."""

    class Meta:
        model = Schedule
        fields = (
            "name",
            "kind",
            "command",
            "module",
            "arguments",
            "playbook",
            "hosts",
            "groups",
            "every_minutes",
            "crontab",
            "time_zone",
            "enabled",
            "timeout_seconds",
            "forks",
        )
        widgets = WORK_WIDGETS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.narrow_targets()
        if self.instance.pk is None:
            self.fields["time_zone"].initial = (
                getattr(self.user, "time_zone", "") or settings.TIME_ZONE
            )
            self.fields["timeout_seconds"].initial = settings.RUN_TIMEOUT_SECONDS
            self.fields["forks"].initial = settings.RUN_FORKS

    def fieldsets(self) -> list[dict[str, Any]]:
        """Fields by heading."""

        def some(*names: str) -> list[Any]:
            return [self[name] for name in names]

        times_help = _("Either every so many minutes, or a crontab in a time zone.")
        return [
            {
                "title": _("What"),
                "fields": some(
                    "name", "kind", "command", "module", "arguments", "playbook"
                ),
            },
            {"title": _("Where"), "fields": some("hosts", "groups")},
            {
                "title": _("When"),
                "fields": some("every_minutes", "crontab", "time_zone", "enabled"),
                "help": times_help,
            },
            {"title": _("How"), "fields": some("timeout_seconds", "forks")},
        ]

    def clean(self) -> dict[str, Any]:
        """Want something to run, somewhere, at one kind of time."""
        cleaned = super().clean()
        self.check_kind(cleaned)
        self.check_targets(cleaned)
        given = [name for name in ("every_minutes", "crontab") if cleaned.get(name)]
        if len(given) != 1 and not {"every_minutes", "crontab"} & set(self.errors):
            words = (
                _("Give one of them, not both.")
                if given
                else _("Say every how many minutes, or give a crontab.")
            )
            self.add_error("every_minutes", words)
        if not self.user.has_perm("tasks.add_run"):
            self.add_error(
                None, _("You may not start runs, so nothing could run in your name.")
            )
        return cleaned
