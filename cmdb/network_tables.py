"""The columns of the lists of parts, networks and names."""

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import NUMBER, plain_table
from adminset.measures import filesize_iec, percent
from cmdb.models import Certificate, Disk, DnsRecord, IpAddress, Nic, Subnet
from cmdb.tables import AgoColumn, badge
from cmdb.utilisation import Usage, usage_of


class BadgeColumn(tables.Column):
    """A state in colour and words, as the head of the object's page shows it (`badge`)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(empty_values=(), **options)

    def render(self, record: Any) -> SafeString | str:
        """Draw it."""
        shown = record.badge
        return badge(shown["state"], shown["label"]) if shown else ""

    def value(self, record: Any) -> str:
        """Say it in an export."""
        return record.badge["label"] if record.badge else ""


class SizeColumn(tables.Column):
    """A number of bytes: with its unit on the page, exact in an export."""

    def render(self, value: int) -> str:
        """Say it."""
        return filesize_iec(value)

    def value(self, value: int | None) -> int | None:
        """Give the number."""
        return value


class FoundAddressesColumn(tables.Column):
    """The addresses that the agent found on an interface."""

    def render(self, value: list[dict[str, Any]]) -> str:
        """List them."""
        return ", ".join(str(each.get("address", "")) for each in value)

    def value(self, value: list[dict[str, Any]] | None) -> str:
        """List them in an export."""
        return self.render(value or [])


class UsageColumn(tables.Column):
    """How full each subnet of the page is, asked for all of them at once."""

    def render(self, record: Subnet, table: Any) -> SafeString:
        """Draw the bar."""
        usage = self._of(record, table)
        return format_html(
            '<span class="meter"><progress class="{}" value="{}" max="100" aria-label="{}"></progress>{}</span> <span class="muted">{}</span>',
            f"state-{usage.state}" if usage.state else "",
            f"{usage.percent:.1f}",
            _("utilisation"),
            percent(usage.percent),
            usage.text,
        )

    def value(self, record: Subnet, table: Any) -> str:
        """Say it in an export."""
        usage = self._of(record, table)
        return usage.text or percent(usage.percent)

    def _of(self, record: Subnet, table: Any) -> Usage:
        known: dict[int, Usage] | None = getattr(table, "known_usages", None)
        if known is None:
            # A page asks for its rows, an export for all.
            paged = getattr(table, "page", None) is not None
            rows = [r.record for r in table.paginated_rows] if paged else table.data
            known = table.known_usages = usage_of(rows)
        return known[record.pk]


def _unsorted(**options: Any) -> tables.Column:
    """Make a column that no index sorts: a million rows would be read for one page."""
    return tables.Column(orderable=False, **options)


NicTable = plain_table(
    Nic,
    "name",
    "host",
    "state",
    "addresses",
    "mac",
    "kind",
    "speed_mbps",
    "mtu",
    "absent_since",
    default=("name", "host", "state", "addresses", "mac", "speed_mbps", "mtu"),
    host=_unsorted(linkify=True),
    state=BadgeColumn(orderable=False),
    addresses=FoundAddressesColumn(orderable=False),
    kind=_unsorted(),
    speed_mbps=_unsorted(attrs=NUMBER),
    mtu=_unsorted(attrs=NUMBER),
    absent_since=AgoColumn(),
)
DiskTable = plain_table(
    Disk,
    "name",
    "host",
    "size_bytes",
    "kind",
    "model",
    "serial",
    "absent_since",
    host=_unsorted(linkify=True),
    size_bytes=SizeColumn(attrs=NUMBER, orderable=False, verbose_name=_("size")),
    kind=_unsorted(),
    model=_unsorted(),
    absent_since=AgoColumn(),
)
IpAddressTable = plain_table(
    IpAddress,
    "address",
    "status",
    "name",
    "host",
    "nic",
    "subnet",
    "area",
    "absent_since",
    default=("address", "status", "name", "host", "subnet", "area"),
    address=tables.Column(linkify=True, order_by=("key",)),
    status=BadgeColumn(order_by=("status", "key")),
    host=_unsorted(linkify=True),
    nic=_unsorted(accessor="nic__name"),
    subnet=_unsorted(linkify=True),
    area=_unsorted(),
    absent_since=AgoColumn(),
)
DnsRecordTable = plain_table(
    DnsRecord,
    "name",
    "zone",
    "type",
    "value",
    "ttl",
    "address",
    zone=_unsorted(linkify=True),
    type=_unsorted(),
    value=_unsorted(),
    ttl=_unsorted(attrs=NUMBER),
    address=_unsorted(linkify=True),
)
CertificateTable = plain_table(
    Certificate,
    "name",
    "state",
    "expires_on",
    "issuer",
    "server",
    "port",
    "owner",
    "checked_at",
    state=BadgeColumn(orderable=False, verbose_name=_("state")),
    checked_at=AgoColumn(),
)
SubnetTable = plain_table(
    Subnet,
    "cidr",
    "name",
    "area",
    "usage",
    "vlan",
    "idc",
    "gateway",
    "is_container",
    "owner",
    default=("cidr", "name", "area", "usage", "vlan", "idc", "gateway"),
    cidr=tables.Column(linkify=True, order_by=("first_key", "prefix_length")),
    usage=UsageColumn(accessor="pk", orderable=False, verbose_name=_("utilisation")),
)
