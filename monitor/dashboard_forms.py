"""The forms of dashboards: one of a dashboard, one of a panel, one that takes a file."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from adminset.crud.choices import RemoteSelectMultiple
from adminset.crud.forms import ResourceForm
from adminset.querysets import everywhere
from cmdb.models import Host, HostGroup
from monitor import dashboard_panels as panels
from monitor.dashboard_models import Dashboard
from monitor.dashboard_panels import Panel
from monitor.metric_choices import metric_choices
from monitor.selectors import groups_of, watched_hosts

SHARE = "monitor.share_dashboard"
MOST_BYTES = 200_000


class DashboardForm(ResourceForm):
    """A dashboard's name, and whether others see it."""

    class Meta:
        model = Dashboard
        fields = ("name", "description", "is_shared")

    def clean_is_shared(self) -> bool:
        """Share only what one may share; what is shared already stays so."""
        wanted = bool(self.cleaned_data["is_shared"])
        newly = wanted and not self.before.get("is_shared")
        if newly and not everywhere(self.user, SHARE):
            raise ValidationError(_("You may not share dashboards with everybody."))
        return wanted

    def clean_name(self) -> str:
        """Refuse a second dashboard of the same name and owner: the owner is no field of the form."""
        name = str(self.cleaned_data["name"])
        owner = self.instance.owner_id or self.user.pk
        others = Dashboard.objects.filter(owner_id=owner, name=name)
        if others.exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("You have a dashboard of that name already."))
        return name


class PanelForm(forms.Form):
    """A panel."""

    title = forms.CharField(
        label=_lazy("title"),
        required=False,
        max_length=panels.LONGEST_TITLE,
        help_text=_lazy("Empty: the metric's name."),
    )
    kind = forms.ChoiceField(label=_lazy("kind"), choices=panels.KINDS)
    metric = forms.ChoiceField(label=_lazy("metric"))
    hosts = forms.ModelMultipleChoiceField(
        label=_lazy("hosts"),
        queryset=Host.objects.none(),
        required=False,
        widget=RemoteSelectMultiple("hosts"),
        help_text=_lazy(
            "Empty: the group's; without a group: all that the reader sees."
        ),
    )
    group = forms.ModelChoiceField(
        label=_lazy("group"), queryset=HostGroup.objects.none(), required=False
    )
    way = forms.ChoiceField(label=_lazy("drawn as"), choices=panels.WAYS)
    top = forms.IntegerField(
        label=_lazy("hosts at most"),
        min_value=1,
        max_value=panels.MOST_TOP,
        initial=5,
        help_text=_lazy("Rows of a table, or lines of the highest hosts."),
    )
    wide = forms.BooleanField(label=_lazy("as wide as the page"), required=False)

    def __init__(
        self, data: Any = None, *, user: Any, panel: Panel | None = None
    ) -> None:
        super().__init__(data, initial=panel.as_json() if panel else None)
        self.panel = panel
        self.fields["hosts"].queryset = watched_hosts(user)  # type: ignore[attr-defined]
        self.fields["group"].queryset = groups_of(user)  # type: ignore[attr-defined]
        offered = metric_choices()
        known = {name for _group, members in offered for name, _title in members}
        if panel and panel.metric not in known:
            offered.append((_("Others"), [(panel.metric, panel.metric)]))
        self.fields["metric"].choices = offered  # type: ignore[attr-defined]

    def clean_hosts(self) -> Any:
        """Refuse more hosts than a panel holds."""
        hosts = self.cleaned_data["hosts"]
        if len(hosts) > panels.MOST_HOSTS:
            raise ValidationError(
                _("At most %(most)s hosts; choose a group instead.")
                % {"most": panels.MOST_HOSTS}
            )
        return hosts

    def as_panel(self) -> Panel:
        """Give what a valid form says."""
        given = self.cleaned_data
        return Panel(
            id=self.panel.id if self.panel else panels.new_id(),
            kind=given["kind"],
            metric=given["metric"],
            title=given["title"],
            hosts=tuple(host.pk for host in given["hosts"]),
            group=given["group"].pk if given["group"] else None,
            way=given["way"],
            top=given["top"],
            wide=given["wide"],
        )


class DashboardFileForm(forms.Form):
    """A file that an export gave, or its text."""

    file = forms.FileField(label=_lazy("file"), required=False)
    text = forms.CharField(
        label=_lazy("or its text"),
        required=False,
        widget=forms.Textarea,
        max_length=MOST_BYTES,
    )

    def clean(self) -> dict[str, Any]:
        """Read the JSON; `document` holds it."""
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        raw = file.read(MOST_BYTES + 1) if file else cleaned.get("text", "")
        if not raw:
            raise ValidationError(_("Choose a file, or paste its text."))
        if len(raw) > MOST_BYTES:
            raise ValidationError(_("This file is too large for a dashboard."))
        try:
            cleaned["document"] = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise ValidationError(_("This is not JSON.")) from error
        return cleaned
