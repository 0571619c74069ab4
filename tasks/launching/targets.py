"""Where work runs, as inputs: hosts chosen by search, groups, a filter of the host list, and a list or file of names."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.choices import RemoteSelectMultiple
from adminset.crud.saved_views import views_of
from adminset.list_models import SavedView
from cmdb.models import Host, HostGroup
from tasks.launching import host_filter, lines

TARGETS = ("hosts", "groups", "host_filter", "host_list")


class HostFilterField(forms.CharField):
    """A filter of the host list, pasted as the list's address or written as its query."""

    def to_python(self, value: Any) -> str:
        """Read it.

        Raises:
            ValidationError: it has no filter.
        """
        text = super().to_python(value)
        if not text:
            return ""
        try:
            return host_filter.filter_of(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class TargetsMixin(forms.Form):
    """Hosts, groups, a filter, a list of names. `hosts` ends up with those of the list too."""

    user: Any
    data: Any

    # All of them, until `narrow_targets`: what a row has must not be lost because its form begins with none.
    hosts = forms.ModelMultipleChoiceField(
        Host.objects.all(),
        required=False,
        label=gettext_lazy("Hosts"),
        widget=RemoteSelectMultiple("hosts"),
        help_text=gettext_lazy("Type a part of a name, an address or a serial number."),
        error_messages={
            "invalid_choice": gettext_lazy(
                "You may not run work on one of the chosen hosts, or it is gone."
            )
        },
    )
    groups = forms.ModelMultipleChoiceField(
        HostGroup.objects.all(), required=False, label=gettext_lazy("Host groups")
    )
    host_filter = HostFilterField(
        required=False,
        label=gettext_lazy("Filter of the host list"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Paste the address of a filtered host list. The hosts are looked up when it runs."
        ),
    )
    host_list = forms.CharField(
        required=False,
        label=gettext_lazy("Names, addresses or asset numbers"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=lines.MOST_BYTES,
        help_text=gettext_lazy(
            "One a line; of a CSV file the first column. They are added to the hosts."
        ),
    )
    host_file = forms.FileField(
        required=False,
        label=gettext_lazy("Or a text or CSV file"),
        widget=forms.FileInput(attrs={"accept": ".txt,.csv,text/plain,text/csv"}),
    )

    def narrow_targets(self) -> None:
        """Offer what the user may use: hosts only where he may run work."""
        for name, rows in (
            ("hosts", Host.objects.visible_to(self.user, "run")),
            ("groups", HostGroup.objects.visible_to(self.user)),
        ):
            if name in self.fields:
                self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def take_file(self) -> None:
        """Put the lines of a file that was sent into the box for names, so that nothing is lost when the form fails."""
        sent = self.files.get(self.add_prefix("host_file")) if self.files else None
        if sent is None or "host_list" not in self.fields:
            return
        name = self.add_prefix("host_list")
        try:
            text = lines.decoded(sent.read(lines.MOST_BYTES + 1))
        except ValueError as error:
            self.file_problem = str(error)
            return
        data = self.data.copy()
        data[name] = "\n".join(filter(None, (str(data.get(name) or ""), text)))
        self.data = data

    file_problem = ""

    def check_targets(self, cleaned: dict[str, Any], *, needed: bool = True) -> None:
        """Look up the list and the filter; want at least one host, group or filter."""
        self._clean_list(cleaned)
        self._clean_filter(cleaned)
        names = [name for name in TARGETS if name in self.fields]
        given = any(cleaned.get(name) for name in names)
        if (
            needed
            and names
            and not given
            and not {*TARGETS, "host_file"} & set(self.errors)
        ):
            self.add_error(
                names[0], _("Choose at least one host or group, or a filter.")
            )

    def _clean_list(self, cleaned: dict[str, Any]) -> None:
        if self.file_problem:
            self.add_error("host_file", self.file_problem)
        text = cleaned.get("host_list")
        if not text:
            return
        entries = lines.entries_of(text)
        if len(entries) > lines.MOST_LINES:
            words = _("These are more than %(most)s lines: use a group or a filter.")
            self.add_error("host_list", words % {"most": lines.MOST_LINES})
            return
        found = lines.resolve(self.user, entries)
        for problem in found.problems():
            self.add_error("host_list", problem)
        if not found.problems() and "hosts" in cleaned:
            cleaned["hosts"] = _joined(cleaned["hosts"], found.host_ids)

    def _clean_filter(self, cleaned: dict[str, Any]) -> None:
        asked = cleaned.get("host_filter")
        for problem in host_filter.problems_of(self.user, asked) if asked else ():
            self.add_error("host_filter", problem)

    def host_views(self) -> list[SavedView]:
        """List the saved views of the host list that the user may open, those with a filter."""
        return [
            view
            for view in views_of(self.user, host_filter.host_resource())
            if view.query
        ]


def _joined(chosen: Iterable[Any], ids: list[int]) -> Any:
    keys = {getattr(host, "pk", host) for host in chosen} | set(ids)
    return Host.objects.filter(pk__in=keys)
