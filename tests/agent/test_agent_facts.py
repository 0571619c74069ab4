"""Facts and identity against what the machine says elsewhere."""

import hashlib
import hmac
import os
import platform
import socket
from pathlib import Path

import psutil

from agent import facts as software
from agent import hardware, identity

HERE = "http://127.0.0.1:8000"
FIELDS = {
    "hostname",
    "primary_address",
    "os_name",
    "os_version",
    "kernel",
    "architecture",
    "vendor",
    "product",
    "serial",
    "virtualisation",
    "cpu_model",
    "cpu_sockets",
    "cpu_cores",
    "cpu_threads",
    "memory_bytes",
    "swap_bytes",
    "disks",
    "nics",
    "time_zone",
    "booted_at",
    "agent_version",
    "python_version",
    "memory_modules",
    "packages",
    "users",
    "ports",
    "cloud",
    "cloud_instance_id",
}


def test_facts_have_exactly_the_fields_of_the_protocol():
    found = software.facts(HERE, "")
    assert set(found) == FIELDS
    assert found["hostname"] == socket.gethostname()
    assert found["kernel"] == os.uname().release
    assert found["architecture"] == platform.machine()
    assert found["cpu_threads"] == os.cpu_count()
    assert found["memory_bytes"] == psutil.virtual_memory().total


def test_the_primary_address_is_never_the_loopback():
    assert not str(software.primary_address(HERE)).startswith("127.")
    assert not str(software.primary_address("http://no.such.invalid")).startswith(
        "127."
    )


def test_os_release_is_read_with_its_quotes(tmp_path, monkeypatch):
    path = tmp_path / "os-release"
    path.write_text('# x\nNAME="Debian GNU/Linux"\nVERSION_ID=\'12\'\nBAD="\n')
    monkeypatch.setattr(software, "OS_RELEASE", (str(path),))
    found = software.software()
    assert (found["os_name"], found["os_version"]) == ("Debian GNU/Linux", "12")


def test_the_time_zone_is_the_target_of_localtime(tmp_path, monkeypatch):
    zone = tmp_path / "zoneinfo" / "Europe" / "Berlin"
    zone.parent.mkdir(parents=True)
    zone.write_text("")
    (tmp_path / "localtime").symlink_to(zone)
    monkeypatch.setattr(software, "LOCALTIME", str(tmp_path / "localtime"))
    assert software.time_zone() == "Europe/Berlin"


def test_the_raw_machine_id_never_leaves(tmp_path, monkeypatch):
    path = tmp_path / "machine-id"
    path.write_text("abc123\n")
    monkeypatch.setattr(identity, "MACHINE_ID", str(path))
    hashed = hmac.new(b"adminset", b"abc123", hashlib.sha256).hexdigest()
    assert identity.identity("")["machine_id"] == hashed


def test_dmi_placeholders_are_nothing_and_copies_help(tmp_path, monkeypatch):
    dmi, copies = tmp_path / "dmi", tmp_path / "copies"
    dmi.mkdir()
    copies.mkdir()
    monkeypatch.setattr(identity, "DMI", str(dmi))
    (dmi / "product_serial").write_text("To Be Filled By O.E.M.\n")
    (copies / "product_uuid").write_text("4C4C4544-0042\n")
    found = identity.identity(str(copies))
    assert found["serial"] is None
    assert found["product_uuid"] == "4c4c4544-0042"
    (dmi / "product_serial").write_text("00000000\n")
    assert identity.dmi("product_serial") is None


def test_macs_are_real_and_sorted():
    found = identity.macs()
    assert found == sorted(found)
    assert all(len(mac.split(":")) >= 6 and mac == mac.lower() for mac in found)


def test_processors_are_counted_by_proc_cpuinfo(tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    block = "processor\t: {0}\nmodel name\t: Xeon   Gold\nphysical id\t: {1}\nflags\t: a {2}\n\n"
    path.write_text("".join(block.format(n, n // 2, "hypervisor") for n in range(4)))
    monkeypatch.setattr(hardware, "CPUINFO", str(path))
    found = hardware.processor()
    assert (found["cpu_model"], found["cpu_sockets"]) == ("Xeon Gold", 2)
    assert hardware.has_hypervisor_flag()


def test_virtual_machines_are_known_by_their_vendor(monkeypatch):
    monkeypatch.setattr(hardware, "dmi", lambda name, *rest: "VMware, Inc.")
    assert hardware.hypervisor() == "vmware"
    monkeypatch.setattr(hardware, "dmi", lambda name, *rest: "Dell Inc.")
    monkeypatch.setattr(hardware, "has_hypervisor_flag", lambda: False)
    assert hardware.hypervisor() is None


def test_containers_are_known_before_virtual_machines(tmp_path, monkeypatch):
    (tmp_path / "cgroup").write_text("0::/kubepods/burstable/x\n")
    monkeypatch.setattr(hardware, "CONTAINER_MARKS", ())
    monkeypatch.setattr(hardware, "CGROUP", str(tmp_path / "cgroup"))
    if not Path("/run/systemd/container").exists():
        assert hardware.virtualisation("") == "kubepods"


def test_disks_without_sys_are_no_crash(tmp_path, monkeypatch):
    monkeypatch.setattr(hardware.disk_traffic, "BLOCK", str(tmp_path / "nowhere"))
    assert hardware.disks() == []


def test_a_disk_is_described_by_sys(tmp_path, monkeypatch):
    monkeypatch.setattr(hardware.disk_traffic, "BLOCK", str(tmp_path))
    folder = tmp_path / "sda"
    (folder / "device").mkdir(parents=True)
    (folder / "queue").mkdir()
    (folder / "size").write_text("2048\n")
    (folder / "queue" / "rotational").write_text("0\n")
    (folder / "device" / "model").write_text("Samsung SSD \n")
    (folder / "device" / "vpd_pg80").write_bytes(b"\x00\x80\x00\x08S123    ")
    assert hardware.disks() == [
        {
            "name": "sda",
            "size_bytes": 1048576,
            "model": "Samsung SSD",
            "serial": "S123",
            "rotational": False,
        }
    ]


def test_netmasks_become_prefixes():
    assert hardware.prefix("255.255.255.0") == 24
    assert hardware.prefix("ffff:ffff:ffff:ffff::") == 64
    assert hardware.prefix(None) is None
