"""Parts of hosts, networks and lines: one declaration each, pages and REST endpoints follow from it."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter, plain_form, plain_table
from adminset.crud.resource import Action, Panel, Resource
from cmdb import filters, utilisation
from cmdb import network_tables as tables
from cmdb.forms import network as forms
from cmdb.models import BandwidthLine, Disk, DnsRecord, Host, IpAddress, Nic, Subnet
from cmdb.services import network as services

PART_TABS = ("cmdb:nic_list", "cmdb:disk_list")
TABS = ("cmdb:subnet_list", "cmdb:ipaddress_list", "cmdb:bandwidthline_list")
ASSET_FIELDS = ("owner", "product_line", "tags")
FOUND = ("found_by_agent", "absent_since")
MOST_ON_A_PANEL = 500


def _nics_of(request: HttpRequest, host: Host) -> dict[str, Any]:
    nics = Nic.objects.visible_to(request.user).filter(host=host)
    registered = IpAddress.objects.visible_to(request.user).filter(host=host)
    rows = {str(row.address): row for row in registered}
    shown = [
        {
            "nic": nic,
            "addresses": [
                {**each, "row": rows.pop(str(each.get("address")), None)}
                for each in nic.addresses
            ],
        }
        for nic in nics[:MOST_ON_A_PANEL]
    ]
    # What people wrote down for the host, and what the agent no longer finds.
    return {"nics": shown, "others": list(rows.values())[:MOST_ON_A_PANEL]}


def _disks_of(request: HttpRequest, host: Host) -> dict[str, Any]:
    disks = Disk.objects.visible_to(request.user).filter(host=host)
    return {"disks": disks[:MOST_ON_A_PANEL]}


HOST_PANELS = (
    Panel(
        "nics",
        _("Network interfaces"),
        "cmdb/_host_nics.html",
        _nics_of,
        "cmdb.view_nic",
    ),
    Panel("disks", _("Disks"), "cmdb/_host_disks.html", _disks_of, "cmdb.view_disk"),
)
NIC = Resource(
    model=Nic,
    table=tables.NicTable,
    form=forms.NicForm,
    filterset=filters.NicFilter,
    path="nics",
    icon="ethernet",
    search=("mac", "host__hostname"),
    tabs=PART_TABS,
    detail_fields=(*forms.NicForm.base_fields, *FOUND),
    bulk_fields=("kind", "state", "mtu"),
    api_fields=(*forms.NicForm.base_fields, "addresses", *FOUND),
    list_queryset=lambda rows: rows.select_related("host"),
)
DISK = Resource(
    model=Disk,
    table=tables.DiskTable,
    form=forms.DiskForm,
    filterset=filters.DiskFilter,
    path="disks",
    icon="hard-drive",
    search=("serial", "host__hostname"),
    tabs=PART_TABS,
    detail_fields=(*forms.DiskForm.base_fields, *FOUND),
    bulk_fields=("kind", "model"),
    api_fields=(*forms.DiskForm.base_fields, *FOUND),
    list_queryset=lambda rows: rows.select_related("host"),
)


def _records_of(request: HttpRequest, address: IpAddress) -> dict[str, Any]:
    rows = DnsRecord.objects.visible_to(request.user).filter(address=address)
    return {"records": rows.select_related("zone")[:MOST_ON_A_PANEL]}


IP_ADDRESS = Resource(
    model=IpAddress,
    table=tables.IpAddressTable,
    form=forms.IpAddressForm,
    filterset=filters.IpAddressFilter,
    path="ip-addresses",
    icon="location-crosshairs",
    search=("address", "name"),
    tabs=TABS,
    panels=(
        Panel(
            "records",
            _("DNS records"),
            "cmdb/_records.html",
            _records_of,
            "cmdb.view_dnsrecord",
        ),
    ),
    detail_fields=(
        "address",
        "area",
        "subnet",
        "name",
        "status",
        "host",
        "nic",
        "notes",
        *FOUND,
    ),
    bulk_fields=("status", "name", "host"),
    import_fields=("address", "area", "name", "status", "host", "notes"),
    api_fields=(*forms.IpAddressForm.base_fields, "subnet", *FOUND),
    list_queryset=lambda rows: rows.select_related("subnet", "host", "nic__host"),
    save=services.save_once,
)


def _addresses_of(request: HttpRequest, subnet: Subnet) -> dict[str, Any]:
    asked = request.GET.get("page", "1")
    page = int(asked) if asked.isdecimal() and len(asked) < 16 else 1
    rows = IpAddress.objects.visible_to(request.user).filter(subnet=subnet)
    return {
        **utilisation.drawn(subnet, page, request.user),
        "rows": rows.select_related("host", "nic__host")[:MOST_ON_A_PANEL],
        "usage": utilisation.usage_of([subnet])[subnet.pk],
        "next_free": None if subnet.is_container else utilisation.next_free(subnet),
    }


def _subnets_of(request: HttpRequest, subnet: Subnet) -> dict[str, Any]:
    rows = Subnet.objects.visible_to(request.user).inside(subnet)
    inner = list(rows.order_by("first_key", "prefix_length")[:MOST_ON_A_PANEL])
    usages = utilisation.usage_of(inner)
    return {"subnets": [(each, usages[each.pk]) for each in inner]}


SUBNET_FIELDS = (
    "cidr",
    "area",
    "name",
    "vlan",
    "idc",
    "gateway",
    "is_container",
    *ASSET_FIELDS,
    "notes",
)
SUBNET = Resource(
    model=Subnet,
    table=tables.SubnetTable,
    form=plain_form(Subnet, *SUBNET_FIELDS),
    filterset=plain_filter(Subnet, "idc", "is_container", "area"),
    path="subnets",
    icon="network-wired",
    search=("cidr", "name", "area"),
    tabs=TABS,
    panels=(
        Panel(
            "addresses",
            _("Addresses"),
            "cmdb/_subnet_addresses.html",
            _addresses_of,
            "cmdb.view_ipaddress",
        ),
        Panel("subnets", _("Subnets within"), "cmdb/_subnets.html", _subnets_of),
    ),
    actions=(
        Action(
            _("Reserve the next free address"),
            "cmdb:subnet_reserve",
            "bookmark",
            "cmdb.add_ipaddress",
            post=True,
            when=lambda subnet: not subnet.is_container,
        ),
    ),
    bulk_fields=("area", "vlan", "idc", "owner"),
    api_fields=(*SUBNET_FIELDS, "prefix_length", "total_addresses"),
    list_queryset=lambda rows: rows.select_related("idc"),
    save=services.save_subnet,
    delete=services.delete_subnet,
)
LINE_FIELDS = (
    "name",
    "idc",
    "supplier",
    "line_number",
    "down_mbps",
    "up_mbps",
    "addresses",
    "price_month",
    "currency",
    "starts_on",
    "ends_on",
    *ASSET_FIELDS,
    "notes",
)
BANDWIDTH_LINE = Resource(
    model=BandwidthLine,
    table=plain_table(BandwidthLine, *LINE_FIELDS[:6], *LINE_FIELDS[7:11], "owner"),
    form=plain_form(BandwidthLine, *LINE_FIELDS),
    filterset=plain_filter(BandwidthLine, "idc", "supplier"),
    path="bandwidth-lines",
    icon="gauge-high",
    search=("name", "line_number"),
    tabs=TABS,
    bulk_fields=("idc", "supplier", "owner", "ends_on"),
    list_queryset=lambda rows: rows.select_related("idc", "supplier"),
)
ALL = (NIC, DISK, SUBNET, IP_ADDRESS, BANDWIDTH_LINE)
