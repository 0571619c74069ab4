"""Makes objects for tests: plain functions, each with the least that is needed."""

import itertools
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib.auth.models import Permission

from accounts.models import Grant, GrantScope, Role, User
from cmdb.models import (
    HOST_GROUP_SCOPE,
    BandwidthLine,
    Budget,
    Cabinet,
    CdnDomain,
    Certificate,
    Contract,
    Cost,
    Disk,
    DnsRecord,
    DnsZone,
    DomainName,
    Host,
    HostGroup,
    Idc,
    Installation,
    IpAddress,
    Licence,
    Nic,
    Purchase,
    Software,
    Subnet,
)

_numbers = itertools.count(1)
PASSWORD = "correct horse battery"


def make_user(
    username: str = "",
    *,
    perms: Iterable[str] = (),
    groups: Iterable[HostGroup] = (),
    **fields: Any,
) -> User:
    """Make a user who holds `perms` ("cmdb.view_host", "*.view_*"): everywhere, or in the given host groups."""
    user = User.objects.create_user(
        username or f"user{next(_numbers)}", PASSWORD, **fields
    )
    wanted = list(perms)
    if wanted:
        grant(user, wanted, groups)
    return user


def grant(user: User, perms: Iterable[str], groups: Iterable[HostGroup] = ()) -> Grant:
    """Give a user some permissions: everywhere, or in the given host groups."""
    role = Role.objects.create(name=f"role {next(_numbers)}")
    role.permissions.set(
        itertools.chain.from_iterable(_permissions(name) for name in perms)
    )
    scoped = list(groups)
    made = Grant.objects.create(user=user, role=role, everything=not scoped)
    for group in scoped:
        GrantScope.objects.create(grant=made, kind=HOST_GROUP_SCOPE, object_id=group.pk)
    user.__dict__.pop("_permissions", None)
    return made


def _permissions(name: str) -> Iterable[Permission]:
    label, _, codename = name.partition(".")
    if name == "*.view_*":
        return Permission.objects.filter(codename__startswith="view_")
    found = Permission.objects.filter(content_type__app_label=label, codename=codename)
    assert found, f"there is no permission {name}"
    return found


def make_group(name: str = "") -> HostGroup:
    """Make a host group."""
    return HostGroup.objects.create(name=name or f"group{next(_numbers)}")


def make_dynamic(name: str = "ops", **rule: list[str]) -> HostGroup:
    """Make a dynamic group; `owner_is=["ops"]` is the filter f.owner.is."""
    asked = {}
    for key, texts in (rule or {"owner_is": ["ops"]}).items():
        field, _, lookup = key.rpartition("_")
        asked[f"f.{field}.{lookup}" if field else key] = texts
    return HostGroup.objects.create(name=name, kind=HostGroup.Kind.DYNAMIC, rule=asked)


def make_idc(name: str = "", **fields: Any) -> Idc:
    """Make a data centre."""
    number = next(_numbers)
    return Idc.objects.create(
        name=name or f"IDC {number}", code=f"idc{number}", **fields
    )


def make_cabinet(idc: Idc | None = None, **fields: Any) -> Cabinet:
    """Make a cabinet."""
    return Cabinet.objects.create(
        idc=idc or make_idc(), name=fields.pop("name", f"R{next(_numbers)}"), **fields
    )


def make_host(
    hostname: str = "", *, groups: Iterable[HostGroup] = (), **fields: Any
) -> Host:
    """Make a host, in the given groups."""
    number = next(_numbers)
    fields.setdefault(
        "address",
        f"10.{number // 62500 % 250}.{number // 250 % 250}.{number % 250 + 1}",
    )
    host = Host.objects.create(hostname=hostname or f"host{number}", **fields)
    host.groups.set(groups)
    return host


def make_parts(host: Host) -> dict[str, int]:
    """Make one of each kind that belongs to a host; give their keys by kind."""
    zone, _new = DnsZone.objects.get_or_create(name="example.net")
    nic = Nic.objects.create(host=host, name="eth0")
    address = IpAddress.objects.create(address=str(host.address), host=host, nic=nic)
    record = DnsRecord.objects.create(
        zone=zone,
        name=f"host-{host.pk}",
        type="A",
        value=str(host.address),
        address=address,
    )
    disk = Disk.objects.create(host=host, name="sda", size_bytes=10**12)
    return {
        "nic": nic.pk,
        "disk": disk.pk,
        "ipaddress": address.pk,
        "dnsrecord": record.pk,
    }


def make_network() -> dict[str, int]:
    """Make one of each kind of network and name that belongs to nobody; give their keys by kind."""
    rows = (
        Subnet.objects.create(cidr="198.51.100.0/24"),
        BandwidthLine.objects.create(name="line 1"),
        DomainName.objects.create(name="example.org"),
        DnsZone.objects.create(name="example.org"),
        CdnDomain.objects.create(name="cdn.example.org"),
        Certificate.objects.create(name="portal", server="127.0.0.1"),
    )
    return {str(row._meta.model_name): row.pk for row in rows}


def make_money() -> dict[str, int]:
    """Make one of each thing that is paid for and belongs to no host; gives their keys by the name of the model."""
    paid = {"amount": 1, "currency": "EUR"}
    number = next(_numbers)
    contract = Contract.objects.create(number=f"C{number}", name="contract", **paid)
    software = Software.objects.create(name=f"software{number}")
    return {
        "contract": contract.pk,
        "software": software.pk,
        "purchase": Purchase.objects.create(number=f"P{number}").pk,
        "budget": Budget.objects.create(name=f"B{number}", year=2026, **paid).pk,
        "cost": Cost.objects.create(day=date(2026, 1, 1), **paid).pk,
        "licence": Licence.objects.create(software=software).pk,
    }


def make_installation(host: Host) -> Installation:
    """Make some software that is on a host."""
    software = Software.objects.create(name=f"software{next(_numbers)}")
    return Installation.objects.create(software=software, host=host)
