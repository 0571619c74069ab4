"""The filters of the room's lists; choices are only what the user may see."""

import ipaddress
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from adminset.crud.choices import RemoteSelectMultiple
from cmdb import addresses, membership, quality
from cmdb.models import (
    Agent,
    AssetStatus,
    Cabinet,
    Disk,
    DnsRecord,
    DnsZone,
    Host,
    HostGroup,
    Idc,
    IpAddress,
    Nic,
    Subnet,
    silent_before,
)


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
        label=_("Groups"), queryset=_seen(HostGroup), method="by_groups"
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

    disputed = django_filters.BooleanFilter(label=_("Disputed"))
    quality = django_filters.ChoiceFilter(
        label=_("Data quality"),
        method="by_quality",
        choices=[(each.key, each.title) for each in quality.CHECKS],
    )

    class Meta:
        model = Host
        fields = ("idc", "cabinet", "groups", "status", "kind", "disputed")

    def by_groups(self, rows: Any, _name: str, groups: Any) -> QuerySet:
        """Narrow to the members of the groups, static and dynamic ones."""
        chosen = [group.pk for group in groups]
        return membership.in_groups(rows, chosen) if chosen else rows

    def by_agent(self, rows: Any, _name: str, value: str) -> QuerySet:
        """Narrow to hosts by the state of their agent."""
        states = {
            "reporting": rows.reporting,
            "silent": rows.silent,
            "none": rows.without_agent,
        }
        found: QuerySet = states[value]()
        return found

    def by_quality(self, rows: Any, _name: str, value: str) -> QuerySet:
        """Narrow to the hosts that a check of the data quality page counts."""
        found: QuerySet = quality.BY_KEY[value].among(rows, self.request.user)
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


def _among(model: type[Any], label: Any, path: str) -> Any:
    """Make a filter by some of very many rows: they are searched for, not listed."""
    return django_filters.ModelMultipleChoiceFilter(
        label=label, queryset=_seen(model), widget=RemoteSelectMultiple(path)
    )


class _PartFilter(django_filters.FilterSet):
    """Parts by host, and whether the agent still finds them."""

    host = _among(Host, _("Host"), "hosts")
    absent = django_filters.BooleanFilter(
        label=_("absent"),
        field_name="absent_since",
        lookup_expr="isnull",
        exclude=True,
    )


class NicFilter(_PartFilter):
    """Network interfaces."""

    kind = django_filters.MultipleChoiceFilter(
        label=_("Kind"), choices=Nic.Kind.choices
    )

    class Meta:
        model = Nic
        fields = ("host", "kind")


class DiskFilter(_PartFilter):
    """Disks."""

    kind = django_filters.MultipleChoiceFilter(
        label=_("Kind"), choices=Disk.Kind.choices
    )

    class Meta:
        model = Disk
        fields = ("host", "kind")


class IpAddressFilter(_PartFilter):
    """Addresses by subnet, network and status; in no subnet: those that nobody planned."""

    within = django_filters.CharFilter(label=_("In the network"), method="by_network")
    subnet = _among(Subnet, _("Subnet"), "subnets")
    no_subnet = django_filters.BooleanFilter(
        label=_("in no subnet"), field_name="subnet", lookup_expr="isnull"
    )
    status = django_filters.MultipleChoiceFilter(
        label=_("Status"), choices=IpAddress.Status.choices
    )

    class Meta:
        model = IpAddress
        fields = ("within", "host", "subnet", "status", "area")

    def by_network(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        """Narrow to the addresses of a network; what is none holds no address."""
        try:
            network = ipaddress.ip_network(value.strip(), strict=False)
        except ValueError:
            return rows.none()
        ends = (network.network_address, network.broadcast_address)
        return rows.filter(key__range=[addresses.key_of(each) for each in ends])


class DnsRecordFilter(django_filters.FilterSet):
    """Records by zone and type."""

    zone = _among(DnsZone, _("Zone"), "dns-zones")
    type = django_filters.MultipleChoiceFilter(
        label=_("Type"), choices=DnsRecord.Type.choices
    )

    class Meta:
        model = DnsRecord
        fields = ("zone", "type")
