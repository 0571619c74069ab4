"""Packages, memory modules, permanent addresses, clouds: from captured texts and from here."""

import hashlib
import shutil
import socket
import struct
from pathlib import Path

import psutil
import pytest

from agent import cloud, facts, hardware_addresses, memory_modules, packages, programs

CAPTURED = Path(__file__).resolve().parent / "captured"
HERE = "http://127.0.0.1:8000"
MODULE = struct.Struct("<BBHHHHHHBBBBBHHBBBBBI")


def structure(kind, data, *texts):
    """A DMI structure: type, length, handle, then the rest; its texts behind it."""
    body = bytes([kind, len(data) + 4, 1, 0]) + data
    return body + (b"\0".join(texts) if texts else b"\0") + b"\0\0"[: 2 if texts else 1]


def memory_device(size, extended=0):
    """From offset 4 on, as SMBIOS 2.7 says: texts 1 slot, 2 maker, 3 serial, 4 part."""
    head = struct.pack("<HHHHH", 0, 0, 64, 64, size)
    middle = struct.pack("<BBBBBHHBBBBB", 9, 0, 1, 0, 0x1A, 0, 3200, 2, 3, 0, 4, 0)
    return head + middle + struct.pack("<I", extended)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(packages, "_known", {})
    monkeypatch.setattr(facts, "_failing", {})


@pytest.fixture
def dpkg(tmp_path, monkeypatch):
    path = tmp_path / "status"
    shutil.copy(str(CAPTURED / "dpkg_status"), str(path))
    monkeypatch.setattr(packages, "DPKG", str(path))
    return path


def test_installed_packages_are_counted_and_hashed(dpkg):
    found = packages.packages(False)
    text = "adduser\t3.134\tall\nzsh\t5.9-4\tamd64"
    assert found == {
        "manager": "dpkg",
        "count": 2,
        "hash": hashlib.sha256(text.encode()).hexdigest()[:32],
    }


def test_the_list_comes_only_when_it_is_asked_for(dpkg):
    found = packages.packages(True)
    assert found["list"] == [["adduser", "3.134", "all"], ["zsh", "5.9-4", "amd64"]]
    assert "list" not in packages.packages(False)


def test_the_file_is_read_again_only_when_it_has_changed(dpkg, monkeypatch):
    before = packages.packages(False)
    reads = []
    real = packages.dpkg
    monkeypatch.setattr(packages, "dpkg", lambda path: reads.append(1) or real(path))
    assert packages.packages(False) == before
    assert reads == []
    with dpkg.open("a") as file:
        file.write("\nPackage: new\nStatus: install ok installed\nVersion: 1\n")
    after = packages.packages(False)
    assert (after["count"], after["hash"] != before["hash"], reads) == (3, True, [1])


def test_packages_of_red_hat_are_asked_of_rpm(tmp_path, monkeypatch):
    (tmp_path / "rpmdb.sqlite").write_text("")
    monkeypatch.setattr(packages, "DPKG", str(tmp_path / "none"))
    monkeypatch.setattr(packages, "RPM_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(programs, "find", lambda name: "/usr/bin/" + name)
    lines = "bash\t0:5.1-2\tx86_64\ngpg-pubkey\t0:1-1\t(none)\nvim\t2:9-1\tx86_64\n"
    monkeypatch.setattr(programs, "output", lambda *words: lines)
    found = packages.packages(True)
    assert found["list"] == [["bash", "5.1-2", "x86_64"], ["vim", "2:9-1", "x86_64"]]


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A host without any package manager."""
    for name in ("DPKG", "APK", "PACMAN"):
        monkeypatch.setattr(packages, name, str(tmp_path / "none"))
    monkeypatch.setattr(packages, "RPM_FOLDERS", ())


def test_packages_of_alpine_are_read(bare, tmp_path, monkeypatch):
    path = tmp_path / "installed"
    path.write_text(
        "C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nF:lib\nR:libc.so\nZ:Q1=\n\n"
        "P:busybox\nV:1.36.1-r5\nA:x86_64\n"
    )
    monkeypatch.setattr(packages, "APK", str(path))
    found = packages.packages(True)
    assert (found["manager"], found["count"]) == ("apk", 2)
    assert found["list"] == [
        ["busybox", "1.36.1-r5", "x86_64"],
        ["musl", "1.2.4-r2", "x86_64"],
    ]


def test_packages_of_arch_are_read(bare, tmp_path, monkeypatch):
    local = tmp_path / "local"
    for name in ("gcc-libs-13.2.1-3", "zsh-5.9-4"):
        (local / name).mkdir(parents=True)
    (local / "zsh-5.9-4" / "desc").write_text("%NAME%\nzsh\n\n%ARCH%\nx86_64\n")
    (local / "ALPM_DB_VERSION").write_text("9\n")
    monkeypatch.setattr(packages, "PACMAN", str(local))
    found = packages.packages(True)
    assert found["manager"] == "pacman"
    assert found["list"] == [["gcc-libs", "13.2.1-3", ""], ["zsh", "5.9-4", "x86_64"]]


def test_a_host_of_another_kind_has_no_packages(bare):
    assert packages.packages(True) is None


def test_memory_modules_are_read_from_the_table(tmp_path, monkeypatch):
    texts = (b"DIMM A1", b"Samsung", b"0A1B2C", b"M393A4K40")
    raw = structure(1, bytes(8), b"a maker")
    raw += structure(17, memory_device(0x7FFF, 65536), *texts)
    raw += structure(17, memory_device(0), b"DIMM A2", b"NO DIMM")
    raw += structure(17, memory_device(8192), b"DIMM B1", b"Unknown")
    raw += structure(127, b"")
    (tmp_path / "DMI").write_bytes(raw)
    monkeypatch.setattr(memory_modules, "TABLE", "/nowhere")
    first, second = memory_modules.memory_modules(str(tmp_path))
    assert first == {
        "slot": "DIMM A1",
        "size_bytes": 64 << 30,
        "type": "DDR4",
        "speed_mts": 3200,
        "manufacturer": "Samsung",
        "serial": "0A1B2C",
        "part": "M393A4K40",
    }
    assert (second["size_bytes"], second["manufacturer"]) == (8 << 30, None)


@pytest.mark.parametrize("length", [0, 3, 5, 20, 37, 60])
def test_a_table_that_is_cut_off_is_no_crash(length, tmp_path, monkeypatch):
    raw = structure(17, memory_device(8192), b"DIMM B1") + structure(17, b"\1\2", b"x")
    (tmp_path / "DMI").write_bytes(raw[:length])
    monkeypatch.setattr(memory_modules, "TABLE", str(tmp_path / "DMI"))
    assert isinstance(memory_modules.memory_modules(""), list)


def test_the_permanent_address_of_a_bonds_member_is_its_own(tmp_path, monkeypatch):
    folder = tmp_path / "nope0" / "bonding_slave"
    folder.mkdir(parents=True)
    (folder / "perm_hwaddr").write_text("AA:BB:CC:00:11:22\n")
    monkeypatch.setattr(hardware_addresses, "NETWORK", str(tmp_path))
    assert hardware_addresses.permanent_mac("nope0") == "aa:bb:cc:00:11:22"
    assert hardware_addresses.permanent_mac("nope1") is None


def test_the_driver_is_asked_without_a_crash():
    for name in psutil.net_if_addrs():
        found = hardware_addresses.by_driver(name)
        assert found is None or len(found.split(":")) >= 6


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ({"sys_vendor": "Amazon EC2", "board_asset_tag": "i-0abcdef12"}, "i-0abcdef12"),
        ({"sys_vendor": "Amazon EC2", "board_asset_tag": "Not Specified"}, None),
        ({"chassis_asset_tag": cloud.AZURE_TAG, "product_uuid": "12-34"}, "12-34"),
        ({"product_name": "Google Compute Engine"}, None),
        ({"sys_vendor": "Dell Inc.", "product_serial": "ABC"}, None),
    ],
)
def test_a_cloud_is_known_by_dmi_and_asked_nothing(words, wanted, monkeypatch):
    def no_network(*arguments):
        raise AssertionError("no request")

    monkeypatch.setattr(cloud, "dmi", lambda name, folder: words.get(name))
    monkeypatch.setattr(socket.socket, "connect", no_network)
    found = cloud.cloud("")
    assert found["cloud_instance_id"] == wanted
    assert (found["cloud"] is None) == (words.get("sys_vendor") == "Dell Inc.")


def test_one_fact_that_fails_does_not_stop_the_others(monkeypatch, caplog):
    def broken(*arguments):
        raise PermissionError("no")

    monkeypatch.setattr(facts, "packages", broken)
    found = [facts.facts(HERE, "") for _ in range(2)]
    assert found[0]["packages"] is None
    assert found[0]["users"]
    assert caplog.text.count("fact_failed name=packages") == 1


def test_ports_and_the_list_of_packages_are_no_change(dpkg):
    plain = facts.facts(HERE, "")
    full = dict(facts.facts(HERE, "", {"packages"}), ports=[])
    assert len(full["packages"]["list"]) == 2
    assert facts.content(plain) == facts.content(full)
    other = dict(full, packages=dict(full["packages"], hash="other"))
    assert facts.content(other) != facts.content(full)
