"""Inputs of agents and enrolment tokens."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from adminset.crud.forms import ResourceForm
from adminset.querysets import scope_of
from cmdb.models import HOST_GROUP_SCOPE, Agent, EnrolmentToken, Host, HostGroup
from cmdb.services.tokens import MOST_DAYS


class AgentForm(ResourceForm):
    """Which host an agent speaks for: one that was entered by hand and has no agent yet."""

    class Meta:
        model = Agent
        fields = ("host",)
        labels = {"host": _("Is really this host")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["host"]
        field.required = True
        free = Host.objects.visible_to(self.user, "change").filter(agent=None)
        field.queryset = free  # type: ignore[attr-defined]
        self.initial.pop("host", None)


class EnrolmentTokenForm(ResourceForm):
    """What a new token is good for."""

    days = forms.IntegerField(
        label=_("Good for (days)"), initial=1, min_value=1, max_value=MOST_DAYS
    )

    class Meta:
        model = EnrolmentToken
        fields = ("name", "use_limit", "group", "networks", "needs_approval")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups: Any = self.fields["group"]
        groups.queryset = groups.queryset.filter(kind=HostGroup.Kind.STATIC)

    def clean(self) -> dict[str, Any]:
        """Hold a user of some groups to those groups."""
        cleaned = super().clean()
        scope = scope_of(self.user, "cmdb.add_enrolmenttoken")
        group = cleaned.get("group")
        allowed = group is not None and group.pk in scope.of(HOST_GROUP_SCOPE)
        if not scope.everything and not allowed and "group" not in self.errors:
            self.add_error("group", _("Choose a group that you are responsible for."))
        return cleaned
