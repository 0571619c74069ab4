"""One declaration per model: its pages and its REST endpoints."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import Action, Panel, Resource, seen_count
from cmdb import extensions, filters, tables
from cmdb.forms import agents as agent_forms
from cmdb.forms import places
from cmdb.forms.credentials import CredentialForm
from cmdb.forms.hosts import HostForm
from cmdb.models import (
    Agent,
    AssetStatus,
    Cabinet,
    Credential,
    EnrolmentToken,
    Host,
    HostGroup,
    Idc,
)
from cmdb.services import groups, hosts

TABS = (
    "cmdb:host_list",
    "cmdb:idc_list",
    "cmdb:cabinet_list",
    "cmdb:hostgroup_list",
    "cmdb:assetstatus_list",
)
AGENT_TABS = ("cmdb:agent_list", "cmdb:enrolmenttoken_list")
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


def _cabinets_of(request: HttpRequest, instance: Idc) -> dict[str, Any]:
    rows = Cabinet.objects.visible_to(request.user).filter(idc=instance)
    return {
        "cabinets": rows.annotate(
            host_count=seen_count(Cabinet, "hosts", request.user)
        )[:MOST_ON_A_PANEL]
    }


def _host_panel(field: str, *order: str) -> Panel:
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
        _host_panel("idc"),
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
    panels=(_host_panel("cabinet", "-cabinet_unit"),),
    bulk_fields=("units", "power_watts"),
    list_queryset=lambda rows: rows.select_related("idc"),
    counts={"host": "hosts"},
)
HOST_GROUP = Resource(
    model=HostGroup,
    table=tables.HostGroupTable,
    form=places.HostGroupForm,
    path="host-groups",
    icon="layer-group",
    search=("name", "description"),
    tabs=TABS,
    panels=(_host_panel("groups"),),
    detail_fields=("name", "description"),
    bulk_fields=("description",),
    import_fields=("name", "description"),
    api_fields=("name", "description"),
    counts={"host": "hosts"},
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
    panels=(_host_panel("status"),),
    bulk_fields=("state", "monitored"),
    counts={"host": "hosts"},
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
    tabs=TABS,
    panels=tuple(extensions.host_panels),
    actions=tuple(extensions.host_actions),
    bulk_fields=(
        "status",
        "idc",
        "cabinet",
        "groups",
        "owner",
        "credential",
        "kind",
        "warranty_until",
    ),
    api_fields=(*HostForm.base_fields, *FOUND_FIELDS),
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
    panels=(_host_panel("credential"),),
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
