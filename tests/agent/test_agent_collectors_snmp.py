"""Network devices: their configuration, what vendors answer, and a real snmpd."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent import gathering, snmp_devices
from agent import snmp_values as answers
from agent.config import Config
from agent.errors import ConfigError
from agent.snmp_values import oid

SNMPD = shutil.which("snmpd") or "/usr/sbin/snmpd"
HUAWEI, H3C = oid("1.3.6.1.4.1.2011.2.23.1"), oid("1.3.6.1.4.1.25506.1.1")
CISCO, LINUX = oid("1.3.6.1.4.1.9.1.2066"), oid("1.3.6.1.4.1.8072.3.2.10")


def column(place, *values):
    return {place: {(number,): value for number, value in enumerate(values, 1)}}


def of(vendor, **values):
    """The answers of a vendor's columns, by our names for them."""
    found = {}
    for name, numbers in values.items():
        found.update(column(vendor.columns[name], *numbers))
    return answers.health(vendor, {}, found)


def test_cpu_and_memory_are_found_where_each_vendor_keeps_them():
    cisco = of(answers.vendor_of(CISCO), cpu=(7, 12), used=(600, 100), free=(200, 100))
    assert cisco == {
        "cpu_percent": 12.0,
        "memory_total_bytes": 1000,
        "memory_used_bytes": 700,
        "memory_used_percent": 70.0,
    }
    for object_id in (HUAWEI, H3C):
        found = of(answers.vendor_of(object_id), cpu=(0, 33, 0), percent=(0, 45, 0))
        assert found == {"cpu_percent": 33.0, "memory_used_percent": 45.0}
    other = of(answers.vendor_of(oid("1.3.6.1.4.1.99999.1")), loads=(10, 30))
    assert other == {"cpu_percent": 20.0}
    assert answers.vendor_of(None) == answers.vendor_of((1, 3))


def test_memory_of_net_snmp_is_without_what_it_can_give_back():
    vendor = answers.vendor_of(LINUX)
    sizes = {"total": 1000, "free": 100, "buffers": 50, "cached": 250}
    scalars = {vendor.scalars[name]: size for name, size in sizes.items()}
    found = answers.health(vendor, scalars, {})
    assert found["memory_total_bytes"] == 1000 * 1024
    assert found["memory_used_bytes"] == 600 * 1024


def test_interfaces_that_are_off_are_left_out_and_64_bits_are_preferred():
    high, low = oid(answers.IFX + "6"), oid(answers.IF + "10")
    columns = column(answers.IF_NAME, b"Gi0/1", b"Gi0/2", b"Gi0/1\x07", b"Gi0/1")
    columns.update(column(answers.IF_ADMIN, 1, 2, 1, 1))
    columns.update(column(answers.IF_STATE, 1, 2, 2, 1))
    columns.update(column(low, 7, 7, 7, 7))
    columns[high] = {(1,): 1 << 40}
    gauges, counters, left_out = answers.traffic("sw", columns)
    assert gauges == {
        "snmp.interface_up|sw/Gi0/1": 1,
        "snmp.interface_up|sw/Gi0/1?": 0,
        "snmp.interface_up|sw/Gi0/1 4": 1,
    }
    assert counters["snmp.received_bytes_per_second|sw/Gi0/1"] == 1 << 40
    assert answers.rates(counters, counters, 60.0) == {
        "snmp.received_bytes_per_second|sw/Gi0/1": 0.0,
        "snmp.received_bytes_per_second|sw/Gi0/1?": 0.0,
        "snmp.received_bytes_per_second|sw/Gi0/1 4": 0.0,
    }
    assert left_out == 0


def counted(narrow, wide=None, speed=None):
    """The counters of one interface, as a device tells them in one round."""
    columns = column(answers.IF_NAME, b"e1")
    columns.update(column(answers.IF_ADMIN, 1))
    columns.update(column(oid(answers.IF + "10"), narrow))
    if wide is not None:
        columns.update(column(oid(answers.IFX + "6"), wide))
    if speed is not None:
        columns.update(column(answers.IF_SPEED, speed))
    return answers.traffic("sw", columns)[1]


def test_a_round_without_the_64_bit_counter_gives_no_rate_of_two_widths():
    whole, narrow = counted(7, 5 << 40), counted(70)
    assert answers.rates(whole, narrow, 60.0) == {}
    assert answers.rates(narrow, whole, 60.0) == {}
    name = "snmp.received_bytes_per_second|sw/e1"
    assert answers.rates(narrow, counted(670), 60.0) == {name: 10.0}
    assert answers.rates(whole, counted(0, (5 << 40) + 60), 60.0) == {name: 1.0}


def test_32_bits_are_not_believed_where_they_may_wrap_twice_in_a_minute():
    assert counted(7, speed=1000 * 1000 * 1000) == {}
    assert len(counted(7, speed=100 * 1000 * 1000)) == 1
    assert len(counted(7, 8, speed=1000 * 1000 * 1000)) == 1


def test_too_many_interfaces_are_counted():
    states = column(answers.IF_ADMIN, *[1] * 250)
    _gauges, _counters, left_out = answers.traffic("sw", states)
    assert left_out == 50


def written(tmp_path, **options):
    """A configuration with one device and its secrets."""
    for name in ("community", "auth", "privacy"):
        secret = tmp_path / name
        secret.write_text(f"{name}-secret\n")
        secret.chmod(0o640)
    path = tmp_path / "snmp.conf"
    lines = [f"{name} = {value}" for name, value in options.items()]
    path.write_text("[agent]\n[snmp core-1]\n" + "\n".join(lines) + "\n")
    return str(path)


def test_devices_are_read_with_their_secrets(tmp_path):
    community = tmp_path / "community"
    path = written(tmp_path, address="192.0.2.1", community_file=community)
    (device,) = snmp_devices.devices(path)
    assert (device.name, device.port, device.version) == ("core-1", 161, "2c")
    assert device.community == "community-secret"
    third = {
        "address": "::1",
        "version": 3,
        "user": "u",
        "auth_file": tmp_path / "auth",
    }
    (device,) = snmp_devices.devices(written(tmp_path, **third, privacy="none"))
    assert (device.auth_secret, device.privacy_secret) == ("auth-secret", "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "needs an address"),
        ({"address": "x", "port": "0"}, "port"),
        ({"address": "x", "comunity": "y"}, "Unknown option comunity"),
        ({"address": "x"}, "community_file"),
        ({"address": "x", "version": "1"}, "2c or 3"),
        ({"address": "x", "version": "3"}, "needs a user"),
        (
            {"address": "x", "version": "3", "user": "u", "auth": "none"},
            "privacy without",
        ),
    ],
)
def test_a_wrong_device_is_told_in_a_sentence(options, sentence, tmp_path):
    with pytest.raises(ConfigError, match=sentence):
        snmp_devices.devices(written(tmp_path, **options))


def test_a_secret_that_everybody_may_read_is_refused(tmp_path):
    path = written(tmp_path, address="x", community_file=tmp_path / "community")
    (tmp_path / "community").chmod(0o644)
    with pytest.raises(ConfigError, match="Everybody may read"):
        snmp_devices.devices(path)
    with pytest.raises(ConfigError, match="snmp_file"):
        snmp_devices.devices(str(tmp_path / "none"))


def test_without_pysnmp_the_operator_is_told(tmp_path, monkeypatch):
    path = written(tmp_path, address="x", community_file=tmp_path / "community")
    for name in ("agent.snmp", "agent.snmp_session"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "pysnmp.hlapi.v3arch", None)
    with pytest.raises(ConfigError, match="pysnmp"):
        gathering.Gathering(Config(snmp_file=path))


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def snmpd(tmp_path):
    """A real net-snmp on loopback: v2c with a community, v3 with a user."""
    if not Path(SNMPD).exists():
        pytest.skip("snmpd is not installed (Debian: apt install snmpd)")
    (tmp_path / "snmpd.conf").write_text(
        "rocommunity community-secret 127.0.0.1\n"
        'createUser monitor SHA-256 "auth-secret" AES "privacy-secret"\n'
        "rouser monitor priv\nsysName core-1\nsysDescr A switch\n"
    )
    port = free_port()
    command = [SNMPD, "-f", "-Le", "-C", "-c", str(tmp_path / "snmpd.conf")]
    command += ["-I", "-smux,mteTrigger,mteTriggerConf", f"udp:127.0.0.1:{port}"]
    environment = {"SNMP_PERSISTENT_DIR": str(tmp_path / "state"), "MIBS": ""}
    with (tmp_path / "snmpd.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
    yield port
    process.terminate()
    process.wait(10)


SECTIONS = """
[snmp plain]
address = 127.0.0.1
port = {port}
community_file = {folder}/community
[snmp private]
address = 127.0.0.1
port = {port}
version = 3
user = monitor
auth = sha256
auth_file = {folder}/auth
privacy_file = {folder}/privacy
[snmp impostor]
address = 127.0.0.1
port = {port}
version = 3
user = monitor
auth = sha256
auth_file = {folder}/privacy
privacy_file = {folder}/privacy
"""


def test_a_real_device_is_asked_by_both_versions(snmpd, tmp_path, caplog):
    pytest.importorskip("pysnmp", reason="pysnmp is not installed")
    path = Path(written(tmp_path))
    path.write_text(SECTIONS.format(port=snmpd, folder=tmp_path))
    (chore,) = gathering.snmp_chores(str(path))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = chore.collect()
        if found.values["snmp.up|plain"] and found.values["snmp.up|private"]:
            break
    found = chore.collect()
    for name in ("plain", "private"):
        assert found.values[f"snmp.up|{name}"] == 1
        assert found.values[f"snmp.memory_total_bytes|{name}"] > 1 << 20
        assert found.values[f"snmp.interface_up|{name}/lo"] == 1
        # snmpd itself reads its interfaces each few seconds only.
        assert found.values[f"snmp.received_bytes_per_second|{name}/lo"] >= 0
    assert found.values["snmp.up|impostor"] == 0
    rows = {row[0]: row for row in found.tables[0]["rows"]}
    assert rows["plain"][1:4] == [True, "core-1", "A switch"]
    assert rows["impostor"][1] is False
    assert "secret" not in caplog.text
