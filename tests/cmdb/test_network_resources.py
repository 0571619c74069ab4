"""Parts, networks and names: every model does and refuses what a resource must, and follows its host where it has one."""

from typing import Any, ClassVar

import pytest

from accounts.models import User
from cmdb.models import (
    BandwidthLine,
    CdnDomain,
    Certificate,
    Disk,
    DnsRecord,
    DnsZone,
    DomainName,
    Host,
    HostGroup,
    IpAddress,
    Nic,
    Subnet,
)
from tests.cmdb.test_organisation import NamedTests
from tests.crud import ResourceTests
from tests.factories import make_host, make_user

OF_HOSTS = ("nic", "disk", "ipaddress", "dnsrecord")


@pytest.fixture
def operator(group: HostGroup) -> User:
    """May do everything with hosts and what belongs to them, within one group."""
    return make_user(
        "operator",
        perms=[
            "cmdb.view_host",
            "cmdb.view_hostgroup",
            "cmdb.view_subnet",
            *(
                f"cmdb.{action}_{model}"
                for model in OF_HOSTS
                for action in ("view", "add", "change", "delete")
            ),
        ],
        groups=[group],
    )


def host_of(*, outside: bool) -> Host:
    groups = [] if outside else HostGroup.objects.filter(name="web")
    return make_host("far-away" if outside else "", groups=groups)


class TestNic(ResourceTests):
    model = Nic
    scoped = True
    edit = ("notes", "spare")

    def make(self, number: int = 0, *, outside: bool = False) -> Nic:
        host = host_of(outside=outside)
        return Nic.objects.create(
            host=host,
            name=f"eth{number}",
            mac="3c:ec:ef:00:11:22",
            addresses=[{"address": "10.0.0.1", "prefix": 24}],
        )

    def valid(self) -> dict[str, Any]:
        host = make_host()
        return {"host": host.pk, "name": "eth0", "kind": "physical", "mtu": 1500}


class TestDisk(ResourceTests):
    model = Disk
    scoped = True
    edit = ("notes", "spare")

    def make(self, number: int = 0, *, outside: bool = False) -> Disk:
        host = host_of(outside=outside)
        return Disk.objects.create(host=host, name=f"sd{number}", size_bytes=2**40)

    def valid(self) -> dict[str, Any]:
        return {"host": make_host().pk, "name": "sda", "size_bytes": 10**12}


class TestIpAddress(ResourceTests):
    model = IpAddress
    scoped = True
    edit = ("notes", "spare")

    def make(self, number: int = 0, *, outside: bool = False) -> IpAddress:
        count = IpAddress.objects.count()
        return IpAddress.objects.create(
            address=f"192.0.2.{count + 1}", host=host_of(outside=outside)
        )

    def valid(self) -> dict[str, Any]:
        return {"address": "198.51.100.7", "status": "reserved", "name": "vip"}


class TestDnsRecord(ResourceTests):
    model = DnsRecord
    scoped = True
    edit = ("notes", "spare")

    def make(self, number: int = 0, *, outside: bool = False) -> DnsRecord:
        count = DnsRecord.objects.count()
        zone, _new = DnsZone.objects.get_or_create(name="example.com")
        address = IpAddress.objects.create(
            address=f"192.0.2.{count + 1}", host=host_of(outside=outside)
        )
        return DnsRecord.objects.create(
            zone=zone,
            name="far-away" if outside else f"www{count}",
            type="A",
            value=str(address.address),
            address=address,
        )

    def valid(self) -> dict[str, Any]:
        zone, _new = DnsZone.objects.get_or_create(name="example.org")
        return {"zone": zone.pk, "name": "www", "type": "A", "value": "192.0.2.7"}


class TestSubnet(ResourceTests):
    model = Subnet
    edit = ("notes", "spare")

    def make(self, number: int = 0, *, outside: bool = False) -> Subnet:
        return Subnet.objects.create(
            cidr=f"10.{Subnet.objects.count()}.0.0/24", is_container=number % 2 == 1
        )

    def valid(self) -> dict[str, Any]:
        return {"cidr": "172.16.0.0/24", "name": "office", "gateway": "172.16.0.1"}


class DottedTests(NamedTests):
    """Base of models whose name is one of the DNS."""

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        manager: Any = self.model._default_manager
        return manager.create(**self._values(f"one-{manager.count()}.example.com"))

    def valid(self) -> dict[str, Any]:
        return self._values("sent.example.com")


class TestDomainName(DottedTests):
    model = DomainName
    further: ClassVar[dict[str, Any]] = {
        "registered_on": "2020-01-01",
        "expires_on": "2030-01-01",
    }


class TestDnsZone(DottedTests):
    model = DnsZone
    further: ClassVar[dict[str, Any]] = {"default_ttl": 600}


class TestCdnDomain(DottedTests):
    model = CdnDomain
    further: ClassVar[dict[str, Any]] = {"state": "online"}


class TestCertificate(NamedTests):
    model = Certificate
    further: ClassVar[dict[str, Any]] = {"server": "www.example.com", "port": 443}


class TestBandwidthLine(NamedTests):
    model = BandwidthLine
    further: ClassVar[dict[str, Any]] = {"addresses": "192.0.2.0/24"}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["subnets", "certificates", "dns-zones"])
def test_reference_data_is_read_but_not_changed_with_a_scoped_grant(
    path: str, client_of: Any, group: HostGroup
) -> None:
    kinds = {"subnets": "subnet", "certificates": "certificate", "dns-zones": "dnszone"}
    perms = [f"cmdb.{action}_{kinds[path]}" for action in ("view", "add", "change")]
    client = client_of(make_user(perms=[*perms, "cmdb.view_hostgroup"], groups=[group]))
    Subnet.objects.create(cidr="10.0.0.0/24")
    Certificate.objects.create(name="c", server="www.example.com")
    DnsZone.objects.create(name="example.com")
    assert len(client.get(f"/api/v1/{path}/").json()["results"]) == 1
    sent = {"cidr": "10.9.0.0/24"} if path == "subnets" else {"name": "x.example.com"}
    if path == "certificates":
        sent["server"] = "x.example.com"
    answer = client.post(f"/api/v1/{path}/", sent, content_type="application/json")
    assert answer.status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("nics", TestNic),
        ("disks", TestDisk),
        ("ip-addresses", TestIpAddress),
        ("dns-records", TestDnsRecord),
    ],
)
def test_what_belongs_to_a_host_of_others_is_neither_searched_nor_chosen(
    path: str, make: type[ResourceTests], client_of: Any, operator: User
) -> None:
    outside = make().make(1, outside=True)
    client = client_of(operator)
    for page in (f"/choices/{path}/?q=", "/search/?q=far-away", "/search/?q=192.0.2"):
        assert f"/{path}/{outside.pk}/" not in client.get(page).content.decode()
    assert client.get(f"/choices/{path}/?q=").json() == {"choices": []}
    assert (
        client.post(f"/cmdb/{path}/bulk-delete/", {"pk": [outside.pk]}).status_code
        == 403
    )
    assert type(outside).objects.filter(pk=outside.pk).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("nics", {"name": "<script>alert(1)</script>", "notes": "<img src=x>"}),
        ("disks", {"name": "<script>alert(1)</script>", "serial": "=cmd()"}),
    ],
)
def test_hostile_text_is_text(
    path: str, values: dict[str, str], client_of: Any, admin: User
) -> None:
    client, host = client_of(admin), make_host()
    kind = {"kind": "physical"} if path == "nics" else {}
    made = client.post(
        f"/api/v1/{path}/",
        {"host": host.pk, **kind, **values},
        content_type="application/json",
    )
    assert made.status_code == 201, made.json()
    pages = (f"/cmdb/{path}/", f"/cmdb/{path}/{made.json()['id']}/")
    for page in (*pages, f"/cmdb/hosts/{host.pk}/?tab={path}"):
        text = client.get(page).content.decode()
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>alert(1)" not in text
