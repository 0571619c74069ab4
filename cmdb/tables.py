"""The columns of the room's lists; every number says its unit, every state its word."""

from typing import Any

import django_tables2 as tables
from django.template.defaultfilters import capfirst
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from adminset.templatetags.ui import STATE_ICONS, time_tag
from cmdb import group_rules, membership
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

NUMBER = {"td": {"class": "num"}}
GIB = 2**30


def badge(state: str, label: str) -> SafeString:
    """Draw a state as colour, icon and word."""
    return format_html(
        '<span class="badge-state state-{}"><i class="fa-solid fa-{}" aria-hidden="true"></i>{}</span>',
        state,
        STATE_ICONS.get(state, STATE_ICONS["idle"]),
        label,
    )


def gib(value: int | None) -> str:
    """Say bytes in GiB, with one digit below 10."""
    if value is None:
        return ""
    size = value / GIB
    return f"{size:.0f} GiB" if size >= 10 or size == int(size) else f"{size:.1f} GiB"


def moment(when: Any) -> SafeString | str:
    """Say how long ago, with the exact time on hover."""
    return time_tag(when)


class AgoColumn(tables.Column):
    """A moment: as distance on the page, exact in an export."""

    def render(self, value: Any) -> SafeString | str:
        """Draw it."""
        return moment(value)

    def value(self, value: Any) -> str:
        """Give it to an export."""
        return value.isoformat(timespec="seconds") if value else ""


class CountColumn(tables.Column):
    """A number that the list's queryset counts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(attrs=NUMBER, **options)


class IdcTable(ResourceTable):
    """IDCs."""

    name = tables.Column(linkify=True)
    cabinet_count = CountColumn(verbose_name=_("cabinets"))
    host_count = CountColumn(verbose_name=_("hosts"))

    class Meta(ResourceTable.Meta):
        model = Idc
        fields = ("name", "code", "address", "contact", "phone", "bandwidth")
        sequence = (
            "select",
            *fields,
            "cabinet_count",
            "host_count",
            "actions",
        )


class CabinetTable(ResourceTable):
    """Cabinets."""

    name = tables.Column(linkify=True)
    units = tables.Column(attrs=NUMBER)
    power_watts = tables.Column(attrs=NUMBER)
    host_count = CountColumn(verbose_name=_("hosts"))

    class Meta(ResourceTable.Meta):
        model = Cabinet
        fields = ("name", "idc", "units", "power_watts")
        sequence = ("select", *fields, "host_count", "actions")


class AssetStatusTable(ResourceTable):
    """Statuses."""

    name = tables.Column(linkify=True)
    host_count = CountColumn(verbose_name=_("hosts"))

    class Meta(ResourceTable.Meta):
        model = AssetStatus
        fields = ("name", "state", "monitored")
        sequence = ("select", *fields, "host_count", "actions")

    def render_state(self, record: AssetStatus) -> SafeString:
        """Draw the colour as hosts of this status show it."""
        return badge(record.state, record.get_state_display())

    def value_state(self, record: AssetStatus) -> str:
        """Say the colour in an export."""
        return record.state


class HostGroupTable(ResourceTable):
    """Host groups."""

    name = tables.Column(linkify=True)
    host_count = CountColumn(verbose_name=_("hosts"))
    rule = tables.Column(orderable=False)

    class Meta(ResourceTable.Meta):
        model = HostGroup
        fields = ("name", "description", "kind", "rule")
        sequence = ("select", *fields[:3], "host_count", "rule", "actions")
        default_columns = (*fields[:3], "host_count")

    def render_rule(self, value: group_rules.Rule) -> str:
        """Say the filter in words."""
        said = group_rules.describe(value, self.request.user)
        return "; ".join(f"{each['label']}: {each['value']}" for each in said)

    def value_rule(self, value: group_rules.Rule) -> str:
        """Give the filter as an import takes it."""
        return group_rules.list_query(value)


class HostTable(ResourceTable):
    """Hosts: the seeds' columns, and more to choose from."""

    hostname = tables.Column(linkify=True)
    groups = tables.Column(empty_values=(), orderable=False, verbose_name=_("groups"))
    cpu_threads = tables.Column(attrs=NUMBER)
    memory_bytes = tables.Column(attrs=NUMBER)
    disk_bytes = tables.Column(attrs=NUMBER)
    last_seen = AgoColumn(accessor="agent__last_seen_at", verbose_name=_("last seen"))
    agent_state = tables.Column(
        accessor="agent", orderable=False, verbose_name=_("agent"), empty_values=()
    )

    class Meta(ResourceTable.Meta):
        model = Host
        fields = (
            "hostname",
            "address",
            "groups",
            "cpu_threads",
            "memory_bytes",
            "idc",
            "status",
            "last_seen",
            "agent_state",
            "disk_bytes",
            "os_name",
            "kind",
            "cabinet",
            "owner",
            "serial",
            "asset_number",
        )
        sequence = ("select", *fields, "actions")
        default_columns = fields[:8]

    def render_groups(self, record: Host) -> SafeString:
        """List the groups that the reader may see."""
        links = (
            (group.get_absolute_url(), group.name) for group in self._groups(record)
        )
        return format_html_join(", ", '<a href="{}">{}</a>', links)

    def value_groups(self, record: Host) -> str:
        """List the groups as an import takes them: nothing can be put into a dynamic one."""
        return "; ".join(group.name for group in self._listed(record))

    @cached_property
    def _seen_groups(self) -> dict[int, HostGroup]:
        rows = HostGroup.objects.visible_to(self.request.user)
        return {group.pk: group for group in rows}

    @cached_property
    def _taken_in(self) -> dict[int, list[HostGroup]]:
        """The dynamic groups of the hosts of this page, by the host's key."""
        keys = [row.record.pk for row in self.page.object_list]
        dynamic = [group for group in self._seen_groups.values() if group.is_dynamic]
        found: dict[int, list[HostGroup]] = {}
        rows = Host.objects.filter(pk__in=keys)
        for key, group in membership.dynamic_members(dynamic, rows):
            found.setdefault(key, []).append(group)
        return found

    def _listed(self, record: Host) -> list[HostGroup]:
        return [group for group in record.groups.all() if group.pk in self._seen_groups]

    def _groups(self, record: Host) -> list[HostGroup]:
        return [*self._listed(record), *self._taken_in.get(record.pk, [])]

    def render_memory_bytes(self, value: int) -> str:
        """Say it in GiB."""
        return gib(value)

    def render_disk_bytes(self, value: int) -> str:
        """Say it in GiB."""
        return gib(value)

    def render_os_name(self, record: Host) -> str:
        """Say name and version."""
        return f"{record.os_name} {record.os_version}".strip()

    def render_status(self, value: AssetStatus) -> SafeString:
        """Draw the status in its colour."""
        return badge(value.state, value.name)

    def value_status(self, value: AssetStatus | None) -> str:
        """Say the status in an export."""
        return value.name if value else ""

    def render_agent_state(self, record: Host) -> SafeString | str:
        """Draw whether the agent reports."""
        agent = getattr(record, "agent", None)
        return badge(agent.state, capfirst(agent.state_label)) if agent else ""

    def value_agent_state(self, record: Host) -> str:
        """Say it in an export."""
        agent = getattr(record, "agent", None)
        return agent.state_label if agent else ""


class CredentialTable(ResourceTable):
    """Credentials: never a secret."""

    name = tables.Column(linkify=True)
    port = tables.Column(attrs=NUMBER)
    host_count = CountColumn(verbose_name=_("hosts"))

    class Meta(ResourceTable.Meta):
        model = Credential
        fields = ("name", "username", "port", "become_method", "notes")
        sequence = ("select", *fields, "host_count", "actions")


class AgentTable(ResourceTable):
    """Agents."""

    public_id = tables.Column(linkify=True)
    host = tables.TemplateColumn(
        template_name="cmdb/_agent_host.html", verbose_name=_("host"), order_by="host"
    )
    state = tables.Column(orderable=False, empty_values=(), verbose_name=_("state"))
    last_seen_at = AgoColumn()
    facts_at = AgoColumn()

    class Meta(ResourceTable.Meta):
        model = Agent
        fields = (
            "public_id",
            "host",
            "state",
            "last_seen_at",
            "version",
            "address",
            "facts_at",
        )
        sequence = ("select", *fields, "actions")

    def render_state(self, record: Agent) -> SafeString:
        """Draw it."""
        return badge(record.state, capfirst(record.state_label))

    def value_state(self, record: Agent) -> str:
        """Say it in an export."""
        return record.state_label


class EnrolmentTokenTable(ResourceTable):
    """Enrolment tokens: the prefix, never the secret."""

    name = tables.Column(linkify=True)
    used_count = tables.Column(attrs=NUMBER)
    use_limit = tables.Column(attrs=NUMBER)
    expires_at = AgoColumn()
    revoked_at = AgoColumn()

    class Meta(ResourceTable.Meta):
        model = EnrolmentToken
        fields = (
            "name",
            "prefix",
            "used_count",
            "use_limit",
            "group",
            "expires_at",
            "revoked_at",
        )
        sequence = ("select", *fields, "actions")
