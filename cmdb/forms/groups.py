"""The input of a host group: its hosts, or the filter by which hosts come and go."""

from typing import Any
from urllib.parse import parse_qs, urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from adminset.crud.forms import ResourceForm
from adminset.querysets import scope_of
from cmdb import group_rules
from cmdb.models import Host, HostGroup

LONGEST_RULE = 4000


class RuleField(forms.JSONField):
    """A filter of the host list: as the list's address, or as an object of parameters and values."""

    widget = forms.Textarea
    empty_value: Any = {}

    def to_python(self, value: Any) -> Any:
        """Read it into parameters and texts.

        Raises:
            ValidationError: neither an address nor an object of texts.
        """
        if value in self.empty_values:
            return {}
        if isinstance(value, str) and not value.lstrip().startswith("{"):
            return self._of_address(value)
        try:
            return self._of_object(value)
        except (RecursionError, ValueError) as error:
            # Nested without end, half a character, a number without end.
            raise self._wrong() from error

    def _of_object(self, value: Any) -> dict[str, list[str]]:
        if isinstance(value, str) and len(value) > LONGEST_RULE:
            raise self._wrong()
        found = super().to_python(value)
        if not isinstance(found, dict) or len(str(found)) > LONGEST_RULE:
            raise self._wrong()
        texts = {str(k): v if isinstance(v, list) else [v] for k, v in found.items()}
        if any(not isinstance(v, str | int) for each in texts.values() for v in each):
            raise self._wrong()
        plain = {name: [str(v) for v in each] for name, each in texts.items()}
        urlencode(plain, doseq=True).encode()
        return plain

    def _of_address(self, text: str) -> dict[str, list[str]]:
        query = text.strip().rpartition("?")[2].partition("#")[0]
        if len(query) > LONGEST_RULE:
            raise self._wrong()
        try:
            found = parse_qs(query, max_num_fields=200)
        except ValueError as error:
            raise self._wrong() from error
        if query and not found:
            raise self._wrong()
        return found

    def _wrong(self) -> forms.ValidationError:
        return forms.ValidationError(
            _("Give the address of the host list as it is filtered.")
        )

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Show again what was sent."""
        return data

    def prepare_value(self, value: Any) -> Any:
        """Show it as the query of the list."""
        return group_rules.list_query(value) if isinstance(value, dict) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is meant, not how it is written."""
        try:
            return self.to_python(data) != (initial or {})
        except forms.ValidationError:
            return True


class HostGroupForm(ResourceForm):
    """A group and its hosts. Of a static one only hosts that the user may change come or go; a dynamic one has a filter."""

    rule = RuleField(
        label=_("Filter"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=_(
            "Of a dynamic group: filter the host list and choose Save as group, or paste its address here."
        ),
    )
    hosts = forms.ModelMultipleChoiceField(
        label=_("Hosts"),
        queryset=Host.objects.all(),
        required=False,
        help_text=_("Of a static group."),
    )

    class Meta:
        model = HostGroup
        fields = ("name", "description", "kind", "rule")
        help_texts = {
            "kind": _("A dynamic group has the hosts that match its filter now.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind, hosts = self.fields["kind"], self.fields["hosts"]
        kind.required = False
        mine = Host.objects.visible_to(self.user, "change")
        if self.instance.pk:
            held = [(self.instance.kind, self.instance.get_kind_display())]
            kind.choices = held  # type: ignore[attr-defined]
            kind.error_messages["invalid_choice"] = _(
                "A group stays static or dynamic: make another one."
            )
            members = mine.filter(groups=self.instance)
            self.initial["hosts"] = list(members.values_list("pk", flat=True))
        if self.instance.is_dynamic:
            mine = mine.none()
            hosts.error_messages["invalid_choice"] = _(
                "Hosts come to a dynamic group by its filter only."
            )
        hosts.queryset = mine  # type: ignore[attr-defined]

    def clean_kind(self) -> str:
        """Keep what it is where nothing is said."""
        return self.cleaned_data["kind"] or self.instance.kind

    def clean(self) -> dict[str, Any]:
        """Check that it has hosts or a filter, and that the filter can be asked."""
        cleaned = super().clean()
        if cleaned.get("kind") == HostGroup.Kind.DYNAMIC:
            self._clean_dynamic(cleaned)
        elif cleaned.get("rule"):
            self.add_error("rule", _("A static group has no filter."))
        return cleaned

    def _clean_dynamic(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("hosts"):
            self.add_error(
                "hosts", _("Hosts come to a dynamic group by its filter only.")
            )
        asked = cleaned.get("rule")
        if asked is None or (self.instance.pk and asked == self.instance.rule):
            # What others have set may name objects that this user does not see.
            return
        if not scope_of(self.user, "cmdb.change_host").everything:
            self.add_error(
                "rule",
                _(
                    "Only who may change every host may set a filter: it reaches them all."
                ),
            )
            return
        rule, wrong = group_rules.read(asked, self.user)
        for name, said in wrong.items():
            self.add_error("rule", f"{name}: {said}")
        if not rule and not wrong:
            self.add_error("rule", _("Set at least one filter."))
        cleaned["rule"] = rule
