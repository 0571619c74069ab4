"""What a report does to the parts of a host: interfaces, disks and addresses."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from adminset.models import AuditEntry
from cmdb import facts as reading
from cmdb.models import Disk, Host, HostGroup, Idc, IpAddress, Nic, Subnet
from cmdb.services.parts import store_parts
from tests.cmdb.conftest import Enrol, some_facts
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db


def a_nic(name: str, *texts: str, **values: Any) -> dict[str, Any]:
    found = [{"address": text, "prefix": 24} for text in texts]
    return {"name": name, "mac": "3C-EC-EF-00-11-22", "up": True, **values} | {
        "addresses": found
    }


def a_disk(name: str, serial: str = "", **values: Any) -> dict[str, Any]:
    return {"name": name, "serial": serial, "size_bytes": 10**12, **values}


def report(host: Host, **raw: Any) -> None:
    store_parts(host, reading.clean(raw))


def addresses_of(host: Host) -> set[str]:
    rows = IpAddress.objects.filter(host=host, absent_since=None)
    return {str(row.address) for row in rows}


def test_an_agents_first_report_writes_the_parts_and_their_addresses(
    enrol: Enrol,
) -> None:
    subnet = Subnet.objects.create(cidr="10.1.2.0/24")
    agent, _secret = enrol(facts=some_facts())
    nic = Nic.objects.get()
    assert (nic.host_id, nic.name, nic.state) == (agent.host_id, "eth0", "up")
    assert (nic.mac, nic.kind, nic.found_by_agent) == (
        "3c:ec:ef:00:11:22",
        "physical",
        True,
    )
    disk = Disk.objects.get()
    assert (disk.name, disk.size_bytes, disk.kind) == ("sda", 10**12, "ssd")
    row = IpAddress.objects.get()
    assert (str(row.address), row.nic, row.subnet) == ("10.1.2.3", nic, subnet)
    assert (row.status, row.host_id) == ("in_use", agent.host_id)


def test_a_report_without_a_change_writes_nothing() -> None:
    host = make_host()
    sent = {
        "nics": [a_nic("eth0", "10.0.0.1", "2001:db8::1"), a_nic("eth1", up=False)],
        "disks": [a_disk("sda", "S1"), a_disk("sdb")],
    }
    report(host, **sent)
    with CaptureQueriesContext(connection) as queries:
        report(host, **sent)
    assert {q["sql"].split()[0] for q in queries} == {"SELECT"}
    assert len(queries) == 3


def test_what_is_gone_is_absent_and_what_comes_back_is_there_again() -> None:
    host = make_host()
    report(host, nics=[a_nic("eth0", "10.0.0.1"), a_nic("eth1")], disks=[a_disk("sda")])
    report(host, nics=[a_nic("eth0")], disks=[a_disk("sdb")])
    gone = Nic.objects.get(name="eth1"), Disk.objects.get(name="sda")
    assert all(part.absent_since for part in gone)
    row = IpAddress.objects.get()
    assert (row.word, row.host) == ("absent", host)
    report(host, nics=[a_nic("eth0", "10.0.0.1"), a_nic("eth1")], disks=[a_disk("sda")])
    for part in (*gone, row):
        part.refresh_from_db()
        assert part.absent_since is None
    assert Nic.objects.count() == 2


def test_a_fact_that_was_not_sent_says_nothing_of_its_parts() -> None:
    host = make_host()
    report(host, nics=[a_nic("eth0", "10.0.0.1")], disks=[a_disk("sda")])
    report(host, hostname="x")
    assert not Nic.objects.exclude(absent_since=None).exists()
    assert not Disk.objects.exclude(absent_since=None).exists()


def test_what_people_wrote_down_is_never_called_absent() -> None:
    host = make_host()
    Nic.objects.create(host=host, name="ipmi")
    Disk.objects.create(host=host, name="tape")
    IpAddress.objects.create(address="10.0.0.9", host=host, status="reserved")
    report(host, nics=[a_nic("eth0")], disks=[a_disk("sda")])
    assert Nic.objects.get(name="ipmi").absent_since is None
    assert Disk.objects.get(name="tape").absent_since is None
    assert IpAddress.objects.get().absent_since is None


def test_a_disk_is_known_by_its_serial_number_when_its_name_moves() -> None:
    host = make_host()
    report(host, disks=[a_disk("sda", "S1"), a_disk("sdb", "S2")])
    before = dict(Disk.objects.values_list("serial", "pk"))
    report(host, disks=[a_disk("sda", "S2"), a_disk("sdb", "S1")])
    after = {d.serial: (d.pk, d.name) for d in Disk.objects.all()}
    assert after == {"S1": (before["S1"], "sdb"), "S2": (before["S2"], "sda")}
    report(host, disks=[a_disk("sda", "S3"), a_disk("sdb", "S1")])
    assert Disk.objects.get(serial="S2").absent_since
    assert Disk.objects.get(serial="S3").absent_since is None


def test_ends_of_cables_to_containers_are_left_out_and_inner_networks_not_registered() -> (
    None
):
    one, two = make_host(), make_host()
    nics = [
        a_nic("veth12ab", "10.0.0.5"),
        a_nic("docker0", "172.17.0.1"),
        a_nic("br-0123456789ab", "172.18.0.1"),
        a_nic("bond0.12"),
        a_nic("eth0", "fe80::1", "127.0.0.1", "224.0.0.1", "0.0.0.0"),  # noqa: S104
    ]
    for host in (one, two):
        report(host, nics=nics)
    kinds = dict(Nic.objects.filter(host=one).values_list("name", "kind"))
    assert kinds == {
        "docker0": "inner",
        "br-0123456789ab": "inner",
        "bond0.12": "bond",
        "eth0": "physical",
    }
    assert not IpAddress.objects.exists()


def test_an_address_that_another_host_still_has_stays_with_it() -> None:
    first, second = make_host(), make_host()
    report(first, nics=[a_nic("eth0", "10.0.0.1")])
    report(second, nics=[a_nic("eth0", "10.0.0.1", "10.0.0.2")])
    assert addresses_of(first) == {"10.0.0.1"}
    assert addresses_of(second) == {"10.0.0.2"}
    assert Nic.objects.get(host=second).addresses[0]["address"] == "10.0.0.1"


def test_an_address_that_moved_goes_to_the_host_that_has_it_now() -> None:
    first, second = make_host(), make_host()
    report(first, nics=[a_nic("eth0", "10.0.0.1")])
    report(first, nics=[a_nic("eth0")])
    report(second, nics=[a_nic("eth0", "10.0.0.1")])
    row = IpAddress.objects.get()
    assert (row.host, row.absent_since) == (second, None)
    line = AuditEntry.objects.get(verb="ipaddress.update")
    assert "host" in [change["field"] for change in line.changes]


def test_a_reserved_address_is_in_use_once_a_machine_has_it() -> None:
    host = make_host()
    IpAddress.objects.create(address="10.0.0.1", status="reserved", name="web vip")
    IpAddress.objects.create(address="10.0.0.2", status="dhcp", host=host)
    report(host, nics=[a_nic("eth0", "10.0.0.1", "10.0.0.2")])
    rows = {str(r.address): r for r in IpAddress.objects.all()}
    assert (rows["10.0.0.1"].status, rows["10.0.0.1"].name) == ("in_use", "web vip")
    assert rows["10.0.0.1"].host == host
    assert rows["10.0.0.2"].status == "dhcp"


def test_the_area_of_an_address_is_that_of_the_subnet_of_the_hosts_idc() -> None:
    here = Idc.objects.create(name="here", code="here")
    lab = Subnet.objects.create(cidr="10.0.0.0/24", area="lab", idc=here)
    shared = Subnet.objects.create(cidr="10.0.0.0/16")
    in_lab, elsewhere = make_host(idc=here), make_host()
    for host in (in_lab, elsewhere):
        report(host, nics=[a_nic("eth0", "10.0.0.1")])
    assert IpAddress.objects.get(host=in_lab).subnet == lab
    assert IpAddress.objects.get(host=elsewhere).subnet == shared


def test_what_an_agent_found_is_found_by_its_address_mac_and_serial_number(
    client_of: Any, admin: User
) -> None:
    report(make_host(), nics=[a_nic("eth0", "10.77.0.1")], disks=[a_disk("sda", "S77")])
    client = client_of(admin)
    for word, row in (
        ("10.77.0.1", IpAddress.objects.get()),
        ("3cecef001122", Nic.objects.get()),
        ("S77", Disk.objects.get()),
    ):
        page = client.get("/search/", {"q": word}).content.decode()
        assert row.get_absolute_url() in page


def test_a_hostile_report_stays_within_bounds() -> None:
    host = make_host()
    many = [f"10.{n // 250 % 250}.{n % 250}.{n // 62500 + 1}" for n in range(1500)]
    nics = [a_nic(f"eth{n}", *many[n * 250 : n * 250 + 250]) for n in range(6)]
    twice = [a_nic("eth0", "10.200.0.1"), {"name": "", "addresses": []}]
    odd = a_nic("<b>", mac="not a mac", mtu=2**40, speed_mbps=2**52)
    report(host, nics=[*nics, *twice, odd], disks=[a_disk("sda", "S")] * 3)
    assert IpAddress.objects.count() == 1024
    assert Nic.objects.count() == 7
    nic = Nic.objects.get(name="<b>")
    assert (nic.mac, nic.mtu, nic.speed_mbps) == ("", None, None)
    assert Disk.objects.count() == 1


def test_the_page_of_a_host_shows_its_parts_with_units(
    client_of: Any, admin: User
) -> None:
    host = make_host()
    report(
        host,
        nics=[a_nic("eth0", "10.0.0.1", speed_mbps=10000, mtu=1500)],
        disks=[a_disk("sda", "S1", size_bytes=2**40)],
    )
    IpAddress.objects.create(address="10.0.0.77", host=host, status="reserved")
    client = client_of(admin)
    nics = client.get(f"/cmdb/hosts/{host.pk}/?tab=nics").content.decode()
    row = IpAddress.objects.get(address="10.0.0.1")
    assert f'<a href="/cmdb/ip-addresses/{row.pk}/">10.0.0.1</a>/24' in nics
    assert "Mbit/s" in nics
    assert "10.0.0.77" in nics
    disks = client.get(f"/cmdb/hosts/{host.pk}/?tab=disks").content.decode()
    assert "1 TiB" in disks
    assert client.get(f"/cmdb/hosts/{host.pk}/").status_code == 200


def test_parts_are_shown_to_those_who_may_see_parts(
    client_of: Any, group: HostGroup
) -> None:
    host = make_host(groups=[group])
    report(host, nics=[a_nic("eth0")])
    client = client_of(make_user(perms=["cmdb.view_host"], groups=[group]))
    seen = client.get(f"/cmdb/hosts/{host.pk}/").content.decode()
    assert "?tab=nics" not in seen
    asked = client.get(f"/cmdb/hosts/{host.pk}/?tab=nics").content.decode()
    assert "eth0" not in asked


def test_a_host_takes_its_parts_and_addresses_along() -> None:
    host = make_host()
    report(host, nics=[a_nic("eth0", "10.0.0.1")], disks=[a_disk("sda")])
    host.delete()
    for model in (Nic, Disk, IpAddress):
        assert not model.objects.exists()
