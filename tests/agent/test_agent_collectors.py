"""Collectors against /proc, and rates between readings."""

import importlib
import os
import pkgutil
import re
import threading
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from agent import collectors
from agent.collectors import cpu, disks, filesystems, memory, network, system
from agent.collectors.series import GAUGE, RATE, per_second, percent, series
from agent.sampler import Sampler

PROTOCOL = Path(__file__).resolve().parents[2] / "docs" / "agent-protocol.md"
CUSTOM = "custom."
Mount = namedtuple("Mount", "device mountpoint fstype opts")


def meminfo(name):
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.M)
    return int(found.group(1)) * 1024


def ticks(**modes):
    base = dict.fromkeys(cpu.MODES, 0)
    return {f"cpu.{mode}": value for mode, value in dict(base, **modes).items()}


def test_memory_says_what_proc_says():
    gauges = memory.collect().gauges
    assert gauges["memory.total_bytes"] == meminfo("MemTotal")
    near = pytest.approx(meminfo("MemAvailable"), rel=0.1)
    assert gauges["memory.available_bytes"] == near
    assert gauges["swap.total_bytes"] == meminfo("SwapTotal")
    used = gauges["memory.total_bytes"] - gauges["memory.available_bytes"]
    assert gauges["memory.used_bytes"] == used


def test_system_says_what_proc_says():
    gauges = system.collect().gauges
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert gauges["system.uptime_seconds"] == pytest.approx(uptime, abs=2)
    assert gauges["load.1"] == pytest.approx(os.getloadavg()[0], abs=0.5)
    assert gauges["processes.running"] >= 1
    assert gauges["processes.total"] >= 2


def test_cpu_counters_are_those_of_proc_stat():
    counters = cpu.collect().counters
    cores = [name for name in cpu.lines(counters) if name != "cpu"]
    assert len(cores) == psutil.cpu_count()
    assert set(counters) == {f"{c}.{m}" for c in ["cpu", *cores] for m in cpu.MODES}


def test_cpu_shares_are_of_the_time_that_passed():
    values = cpu.percentages(
        ticks(), ticks(user=30, system=10, iowait=20, idle=40), 1.0
    )
    assert values["cpu.busy_percent"] == 40.0
    assert values["cpu.user_percent"] == 30.0
    assert values["cpu.idle_percent"] == 40.0


def test_a_cpu_mode_that_went_backwards_has_no_value():
    values = cpu.percentages(ticks(iowait=9), ticks(user=10, iowait=5, idle=10), 1.0)
    assert "cpu.iowait_percent" not in values
    assert values["cpu.busy_percent"] == 50.0
    values = cpu.percentages(ticks(user=9), ticks(user=1, idle=10), 1.0)
    assert "cpu.busy_percent" not in values


def test_cpu_without_passed_time_has_no_value():
    assert cpu.percentages(ticks(user=1), ticks(user=1), 1.0) == {}


def test_a_core_that_came_later_has_no_value_at_first():
    after = dict(ticks(user=5, idle=5))
    after.update({name.replace("cpu.", "cpu7."): 1 for name in ticks()})
    values = cpu.percentages(ticks(), after, 1.0)
    assert "cpu.core_busy_percent|7" not in values
    assert values["cpu.busy_percent"] == 50.0


def test_rates_skip_a_reset_counter_and_a_new_one():
    before, after = {"a": 10, "b": 10}, {"a": 40, "b": 3, "c": 7}
    assert per_second(before, after, 2.0) == {"a": 15.0}


def test_a_disk_is_never_busy_for_more_than_all_the_time():
    name = "disk.busy_percent|sda"
    assert disks.rates({name: 0.0}, {name: 120.0}, 1.0) == {name: 100.0}


def test_only_whole_disks_count(tmp_path, monkeypatch):
    monkeypatch.setattr(disks, "BLOCK", str(tmp_path))
    names = ["sda", "sda1", "nvme0n1", "nvme0n1p2", "loop3", "ram0", "dm-0", "zram0"]
    assert disks.whole_disks(names) == ["nvme0n1", "sda"]
    (tmp_path / "sda" / "device").mkdir(parents=True)
    assert disks.whole_disks(names) == ["sda"]


def test_the_root_file_system_says_what_statvfs_says():
    gauges = filesystems.collect(False, {}).gauges
    answer = os.statvfs("/")
    assert gauges["fs.total_bytes|/"] == answer.f_blocks * answer.f_frsize
    assert 0 <= gauges["fs.used_percent|/"] <= 100


def test_pseudo_doubled_and_remote_mounts_are_left_out(monkeypatch):
    table = [
        Mount("proc", "/proc", "proc", ""),
        Mount("tmpfs", "/run", "tmpfs", ""),
        Mount("overlay", "/", "overlay", ""),
        Mount("overlay", "/var/lib/docker/overlay2/x/merged", "overlay", ""),
        Mount("/dev/sdb1", "/srv/data/bind", "ext4", ""),
        Mount("/dev/sdb1", "/data", "ext4", ""),
        Mount("/dev/sdb1", "/etc/hosts", "ext4", ""),
        Mount("/dev/loop3", "/snap/core/1", "squashfs", ""),
        Mount("nas:/home", "/home", "nfs4", ""),
        Mount("tank/db", "/db", "zfs", ""),
    ]
    monkeypatch.setattr(
        psutil, "disk_partitions", lambda all: table
    )  # as psutil names it
    assert filesystems.mounts() == ["/", "/data", "/db"]
    assert "/home" in filesystems.mounts(network_filesystems=True)


def test_root_is_reported_where_no_mount_is_shown(monkeypatch):
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: [])
    assert "fs.total_bytes|/" in filesystems.collect(False, {}).gauges


def test_a_hanging_mount_is_left_out_and_not_asked_twice(monkeypatch):
    release, calls = threading.Event(), []
    real = os.statvfs

    def statvfs(mount):
        if mount == "/hangs":
            calls.append(mount)
            release.wait(5)
        return real("/")

    monkeypatch.setattr(os, "statvfs", statvfs)
    monkeypatch.setattr(filesystems, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(filesystems, "mounts", lambda network: ["/hangs", "/fine"])
    gauges = [filesystems.collect(False, {}).gauges for _ in range(2)]
    release.set()
    assert calls == ["/hangs"]
    assert all("fs.total_bytes|/fine" in found for found in gauges)
    assert not any("fs.total_bytes|/hangs" in found for found in gauges)


def test_an_unreadable_mount_does_not_stop_the_others(monkeypatch):
    monkeypatch.setattr(filesystems, "mounts", lambda network: ["/nowhere", "/"])
    assert "fs.total_bytes|/" in filesystems.collect(False, {}).gauges


def test_the_loopback_and_containers_cables_are_left_out(monkeypatch):
    count = psutil.net_io_counters()
    found = dict.fromkeys(["lo", "veth12ab", "eth0"], count)
    monkeypatch.setattr(psutil, "net_io_counters", lambda **options: found)
    names = {name.split("|")[1] for name in network.collect({}).counters}
    assert names <= {"eth0"}


def test_names_of_instances_are_printable_and_short():
    assert series("fs.x", "/a\nb") == "fs.x|/a?b"
    assert series("fs.x", "/\udcff") == "fs.x|/?"
    assert len(series("m", "x" * 500)) == 202
    assert percent(5, 4) == 100.0


def test_a_failing_collector_does_not_stop_the_others(monkeypatch, caplog):
    def broken():
        raise OSError("gone")

    monkeypatch.setattr(memory, "collect", broken)
    sampler = Sampler()
    samples = [sampler.sample() for _ in range(2)]
    assert "load.1" in samples[1]["values"]
    assert "memory.total_bytes" not in samples[1]["values"]


def test_values_that_are_not_finite_or_too_many_are_cut(monkeypatch):
    many = {f"x.y|{number}": 1.0 for number in range(3000)}
    reading = filesystems.Reading(dict({"x.nan": float("nan")}, **many), {})
    sampler = Sampler()
    sampler.parts = [("x", lambda: reading, per_second)]
    values = sampler.sample()["values"]
    assert len(values) == 2000
    assert "x.nan" not in values


def test_every_metric_stands_in_the_protocol_and_in_a_table():
    sampler = Sampler()
    sampler.sample()
    threading.Event().wait(0.05)
    names = {name.split("|")[0] for name in sampler.sample()["values"]}
    modules = [
        importlib.import_module(f"agent.collectors.{found.name}")
        for found in pkgutil.iter_modules(collectors.__path__)
    ]
    fields = [field for each in modules for field in getattr(each, "FIELDS", ())]
    documented = PROTOCOL.read_text()
    assert names <= {field.name for field in fields}
    assert all(field.name in documented for field in fields if CUSTOM not in field.name)
    assert all(field.kind in (GAUGE, RATE) for field in fields)
    assert len(fields) == len({field.name for field in fields})


def test_what_is_too_much_is_left_out_and_counted(monkeypatch):
    count = psutil.net_io_counters()._replace(bytes_recv=1)
    found = {f"eth{number:03}": count for number in range(70)}
    monkeypatch.setattr(psutil, "net_io_counters", lambda **options: found)
    mounts = [f"/m{number:03}" for number in range(70)]
    monkeypatch.setattr(filesystems, "mounts", lambda network: mounts)
    sampler = Sampler()
    sampler.sample()
    assert sampler.left_out == {"mounts": 6, "interfaces": 6, "values": 0}
