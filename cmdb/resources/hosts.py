"""One declaration per model: its pages and its REST endpoints."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter, plain_table
from adminset.crud.resource import Action, ListLink, Panel, Resource, seen_count
from cmdb import extensions, filters, membership, tables
from cmdb.elevation import elevation
from cmdb.forms import agents as agent_forms
from cmdb.forms import places
from cmdb.forms.credentials import CredentialForm
from cmdb.forms.groups import HostGroupForm
from cmdb.forms.hosts import HostForm
from cmdb.models import (
    Agent,
    AssetStatus,
    Cabinet,
    CabinetReservation,
    Credential,
    EnrolmentToken,
    Host,
    HostGroup,
    Idc,
)
from cmdb.resources.finance import HOST_PANEL as MONEY_PANEL
from cmdb.resources.identity import IDENTITY_PANEL
from cmdb.resources.network import HOST_PANELS
from cmdb.services import groups, hosts, racks
from cmdb.services.entering import no_entry

TABS = (
    "cmdb:host_list",
    "cmdb:idc_list",
    "cmdb:cabinet_list",
    "cmdb:cabinetreservation_list",
    "cmdb:hostgroup_list",
    "cmdb:assetstatus_list",
)
AGENT_TABS = (
    "cmdb:agent_list",
    "cmdb:enrolmenttoken_list",
    "cmdb:identityconflict_list",
)
MOST_ON_A_PANEL = 500


def _hosts_of(field: str, *order: str) -> Callable[[HttpRequest, Any], dict[str, Any]]:
    """Make the context of a panel that lists the hosts of an object, as far as the user sees them."""

    def context(request: HttpRequest, instance: Any) -> dict[str, Any]:
        rows = Host.objects.visible_to(request.user).filter(**{field: instance})
        found = rows.for_list().order_by(*order, "hostname", "pk")
        return {
            "hosts": found[:MOST_ON_A_PANEL],
            "host_total": rows.count(),
            "list_query": f"{field}={instance.pk}",
            "show_unit": bool(order),
        }

    return context


def _members_of(request: HttpRequest, group: HostGroup) -> dict[str, Any]:
    seen = Host.objects.visible_to(request.user)
    rows = membership.in_groups(seen, [group.pk])
    found = rows.for_list().order_by("hostname", "pk")  # type: ignore[attr-defined]
    return {
        "hosts": found[:MOST_ON_A_PANEL],
        "host_total": rows.count(),
        "list_query": f"groups={group.pk}",
    }


class GroupResource(Resource):
    """Host groups: the hosts of a dynamic one are counted by its filter."""

    def for_list(self, rows: Any, user: Any) -> Any:
        """Bring along `host_count`."""
        return membership.with_count(self.list_queryset(rows), user)


def _cabinets_of(request: HttpRequest, instance: Idc) -> dict[str, Any]:
    rows = Cabinet.objects.visible_to(request.user).filter(idc=instance)
    return {
        "cabinets": rows.annotate(
            host_count=seen_count(Cabinet, "hosts", request.user)
        )[:MOST_ON_A_PANEL]
    }


def host_panel(field: str, *order: str) -> Panel:
    """Make the panel that lists the hosts of an object by a field of theirs."""
    return Panel(
        "hosts",
        _("Hosts"),
        "cmdb/_hosts.html",
        _hosts_of(field, *order),
        "cmdb.view_host",
    )


IDC = Resource(
    model=Idc,
    table=tables.IdcTable,
    form=places.IdcForm,
    path="idcs",
    icon="building",
    search=("name", "code", "address"),
    tabs=TABS,
    panels=(
        Panel(
            "cabinets",
            _("Cabinets"),
            "cmdb/_cabinets.html",
            _cabinets_of,
            "cmdb.view_cabinet",
        ),
        host_panel("idc"),
    ),
    bulk_fields=("contact", "phone", "bandwidth"),
    counts={"cabinet": "cabinets", "host": "hosts"},
)
CABINET = Resource(
    model=Cabinet,
    table=tables.CabinetTable,
    form=places.CabinetForm,
    filterset=filters.CabinetFilter,
    path="cabinets",
    icon="table-cells",
    search=("name", "idc__name"),
    tabs=TABS,
    panels=(
        Panel(
            "elevation",
            _("Elevation"),
            "cmdb/_elevation.html",
            elevation,
            "cmdb.view_cabinet",
        ),
        host_panel("cabinet", "-cabinet_unit"),
    ),
    bulk_fields=("units", "power_watts"),
    list_queryset=lambda rows: rows.select_related("idc"),
    counts={"host": "hosts"},
)
CABINET_RESERVATION = Resource(
    model=CabinetReservation,
    table=plain_table(
        CabinetReservation,
        "name",
        "cabinet",
        "cabinet_unit",
        "unit_height",
        "cabinet_face",
        "until",
    ),
    form=places.CabinetReservationForm,
    filterset=plain_filter(CabinetReservation, "cabinet"),
    path="cabinet-reservations",
    icon="lock",
    search=("name",),
    tabs=TABS,
    bulk_fields=("until",),
    list_queryset=lambda rows: rows.select_related("cabinet__idc"),
    save=racks.save_reservation,
)
HOST_GROUP = GroupResource(
    model=HostGroup,
    table=tables.HostGroupTable,
    form=HostGroupForm,
    filterset=plain_filter(HostGroup, "kind"),
    path="host-groups",
    icon="layer-group",
    search=("name", "description"),
    tabs=TABS,
    panels=(
        Panel("hosts", _("Hosts"), "cmdb/_hosts.html", _members_of, "cmdb.view_host"),
    ),
    actions=tuple(extensions.group_actions),
    detail_fields=("name", "description", "kind"),
    bulk_fields=("description",),
    import_fields=("name", "description", "kind", "rule"),
    api_fields=("name", "description", "kind", "rule", "host_count"),
    api_counts={"host_count": "host_count"},
    save=groups.save_group,
    delete=groups.delete_group,
)
ASSET_STATUS = Resource(
    model=AssetStatus,
    table=tables.AssetStatusTable,
    form=places.AssetStatusForm,
    path="asset-statuses",
    icon="tag",
    tabs=TABS,
    panels=(host_panel("status"),),
    bulk_fields=("state", "monitored"),
    counts={"host": "hosts"},
)
SAVE_AS_GROUP = ListLink(
    _("Save as group"),
    "layer-group",
    "cmdb.add_hostgroup",
    lambda query: (
        f"{reverse('cmdb:hostgroup_add')}?{urlencode({'kind': 'dynamic', 'rule': query})}"
    ),
)
FOUND_FIELDS = (
    "kernel",
    "architecture",
    "memory_bytes",
    "swap_bytes",
    "disk_bytes",
)
HOST = Resource(
    model=Host,
    table=tables.HostTable,
    form=HostForm,
    filterset=filters.HostFilter,
    path="hosts",
    icon="server",
    search=("hostname", "address", "serial", "asset_number", "owner"),
    wide_fields=("facts",),
    import_keys=("hostname", "serial", "asset_number"),
    import_reads=("field_sources",),
    import_save=hosts.import_host,
    import_held=hosts.held_from_imports,
    tabs=TABS,
    panels=(
        *HOST_PANELS,
        replace(host_panel("hypervisor"), key="guests", title=_("Guests")),
        MONEY_PANEL,
        IDENTITY_PANEL,
        *extensions.host_panels,
    ),
    actions=tuple(extensions.host_actions),
    row_actions=tuple(extensions.host_row_actions),
    list_links=(SAVE_AS_GROUP, *extensions.host_list_links),
    bulk_actions=tuple(extensions.host_bulk_actions),
    bulk_fields=(
        "status",
        "idc",
        "cabinet",
        "groups",
        "owner",
        "credential",
        "kind",
        "product_line",
        "tags",
        "branch",
        "supplier",
        "purchased_on",
        "warranty_until",
    ),
    bulk_plain={
        "status": ("status",),
        "idc": ("cabinet",),
        "owner": (),
        "credential": ("credential",),
        "product_line": (),
        "branch": (),
        "supplier": (),
        "purchased_on": (),
        "warranty_until": (),
    },
    bulk_guard=no_entry,
    api_fields=(*HostForm.base_fields, *FOUND_FIELDS, "custom"),
    list_queryset=lambda rows: rows.for_list(),  # type: ignore[attr-defined]
    save=hosts.save_host,
    delete=hosts.delete_host,
)
SHOWN_OF_CREDENTIAL = ("name", "username", "port", "become_method", "notes")
CREDENTIAL = Resource(
    model=Credential,
    table=tables.CredentialTable,
    form=CredentialForm,
    path="credentials",
    icon="key",
    search=("name", "username"),
    panels=(host_panel("credential"),),
    detail_fields=(
        *SHOWN_OF_CREDENTIAL[:4],
        "password",
        "private_key",
        "passphrase",
        "become_password",
        "notes",
    ),
    bulk_fields=("username", "port", "become_method"),
    import_fields=SHOWN_OF_CREDENTIAL,
    api_fields=SHOWN_OF_CREDENTIAL,
    counts={"host": "hosts"},
)
AGENT_FIELDS = (
    "public_id",
    "host",
    "version",
    "address",
    "last_seen_at",
    "facts_at",
    "clock_offset_seconds",
    "enrolled_at",
    "revoked_at",
)
AGENT = Resource(
    model=Agent,
    table=tables.AgentTable,
    form=agent_forms.AgentForm,
    filterset=filters.AgentFilter,
    path="agents",
    icon="satellite-dish",
    search=("public_id", "host__hostname", "address"),
    tabs=AGENT_TABS,
    actions=(
        Action(
            _("This is another host"),
            "cmdb:agent_link",
            "link",
            "cmdb.change_agent",
            when=lambda agent: agent.host_id and not agent.revoked_at,
        ),
        Action(
            _("Let in"),
            "cmdb:agent_admit",
            "check",
            "cmdb.change_agent",
            post=True,
            when=lambda agent: agent.is_waiting,
        ),
        Action(
            _("Turn away"),
            "cmdb:agent_refuse",
            "xmark",
            "cmdb.change_agent",
            post=True,
            when=lambda agent: agent.is_waiting,
        ),
        Action(
            _("Revoke"),
            "cmdb:agent_revoke",
            "ban",
            "cmdb.change_agent",
            post=True,
            when=lambda agent: not agent.revoked_at and not agent.is_waiting,
        ),
    ),
    detail_fields=AGENT_FIELDS,
    api_fields=AGENT_FIELDS,
    list_queryset=lambda rows: rows.select_related("host"),
    verbs=frozenset(),
)


class TokenResource(Resource):
    """Enrolment tokens are added by a page of their own, which shows the secret once; the API makes none."""

    def can(self, user: Any) -> dict[str, bool]:
        """Offer the button for that page."""
        return super().can(user) | {"add": user.has_perm(self.permission("add"))}


TOKEN_FIELDS = (
    "name",
    "prefix",
    "use_limit",
    "used_count",
    "group",
    "expires_at",
    "revoked_at",
)
ENROLMENT_TOKEN = TokenResource(
    model=EnrolmentToken,
    table=tables.EnrolmentTokenTable,
    form=agent_forms.EnrolmentTokenForm,
    path="enrolment-tokens",
    icon="ticket",
    search=("name", "prefix"),
    tabs=AGENT_TABS,
    actions=(
        Action(
            _("Revoke"),
            "cmdb:enrolmenttoken_revoke",
            "ban",
            "cmdb.change_enrolmenttoken",
            post=True,
            when=lambda token: not token.revoked_at,
        ),
    ),
    detail_fields=TOKEN_FIELDS,
    api_fields=TOKEN_FIELDS,
    list_queryset=lambda rows: rows.select_related("group"),
    verbs=frozenset({"delete"}),
)
