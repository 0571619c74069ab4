"""The filters of the room's lists; choices are only what the user may see."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from cmdb.models import Agent, AssetStatus, Cabinet, Host, HostGroup, Idc, silent_before


def _seen(model: type[Any], *along: str) -> Any:
    def rows(request: Any) -> QuerySet:
        manager = model._default_manager
        found: QuerySet = (
            manager.visible_to(request.user) if request else manager.none()
        )
        return found.select_related(*along) if along else found

    return rows


class CabinetFilter(django_filters.FilterSet):
    """Cabinets by IDC."""

    idc = django_filters.ModelChoiceFilter(label=_("IDC"), queryset=_seen(Idc))

    class Meta:
        model = Cabinet
        fields = ("idc",)


class HostFilter(django_filters.FilterSet):
    """Hosts by place, group, state and kind."""

    idc = django_filters.ModelChoiceFilter(
        label=_("IDC"), queryset=_seen(Idc), null_label=_("none")
    )
    cabinet = django_filters.ModelChoiceFilter(
        label=_("Cabinet"), queryset=_seen(Cabinet, "idc")
    )
    groups = django_filters.ModelMultipleChoiceFilter(
        label=_("Groups"), queryset=_seen(HostGroup)
    )
    status = django_filters.ModelMultipleChoiceFilter(
        label=_("Status"), queryset=_seen(AssetStatus)
    )
    kind = django_filters.MultipleChoiceFilter(
        label=_("Kind"), choices=Host.Kind.choices
    )
    agent = django_filters.ChoiceFilter(
        label=_("Agent"),
        method="by_agent",
        choices=[
            ("reporting", _("reporting")),
            ("silent", _("silent")),
            ("none", _("none")),
        ],
    )

    class Meta:
        model = Host
        fields = ("idc", "cabinet", "groups", "status", "kind")

    def by_agent(self, rows: Any, _name: str, value: str) -> QuerySet:
        """Narrow to hosts by the state of their agent."""
        states = {
            "reporting": rows.reporting,
            "silent": rows.silent,
            "none": rows.without_agent,
        }
        found: QuerySet = states[value]()
        return found


class AgentFilter(django_filters.FilterSet):
    """Agents by state."""

    state = django_filters.ChoiceFilter(
        label=_("State"),
        method="by_state",
        choices=[
            ("reporting", _("reporting")),
            ("silent", _("silent")),
            ("waiting", _("waits to be let in")),
            ("revoked", _("revoked")),
        ],
    )

    class Meta:
        model = Agent
        fields = ()

    def by_state(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        """Narrow to agents of one state."""
        if value == "revoked":
            return rows.exclude(revoked_at=None)
        if value == "waiting":
            return rows.filter(approved_at=None, revoked_at=None)
        rows = rows.exclude(approved_at=None)
        heard = rows.filter(revoked_at=None, last_seen_at__gt=silent_before())
        if value == "reporting":
            return heard
        return rows.filter(revoked_at=None).exclude(pk__in=heard.values("pk"))
