"""What the kernel's files say, from captured texts and from this machine."""

import os
import threading
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from agent import sampler
from agent.collectors import (
    cpu,
    disks,
    files,
    filesystems,
    kernel,
    network,
    paging,
    pressure,
    sockets,
    system,
)
from agent.collectors.series import per_second, shares_of_time
from agent.sampler import Sampler

CAPTURED = Path(__file__).resolve().parent / "captured"
PROC = CAPTURED / "proc"
Usage = namedtuple("Usage", "total used free")
Disk = namedtuple(
    "Disk",
    "read_count write_count read_bytes write_bytes read_time write_time busy_time",
)


@pytest.fixture
def captured(monkeypatch):
    monkeypatch.setattr(kernel, "STAT", str(PROC / "stat"))
    monkeypatch.setattr(pressure, "FOLDER", str(PROC / "pressure"))
    monkeypatch.setattr(paging, "MEMINFO", str(PROC / "meminfo"))
    monkeypatch.setattr(paging, "VMSTAT", str(PROC / "vmstat"))
    monkeypatch.setattr(paging, "ARCSTATS", str(CAPTURED / "arcstats"))
    monkeypatch.setattr(sockets, "FOLDER", str(PROC / "net"))


def test_context_switches_interrupts_and_forks_are_counted(captured):
    assert kernel.collect().counters == {
        "cpu.context_switches_per_second": 987654,
        "cpu.interrupts_per_second": 123456,
        "processes.forks_per_second": 4321,
    }


def test_a_kernel_without_entropy_still_counts(captured, monkeypatch):
    monkeypatch.setattr(kernel, "ENTROPY", "/nowhere")
    reading = kernel.collect()
    assert (reading.gauges, len(reading.counters)) == ({}, 3)


def test_pressure_is_the_share_of_time_that_was_waited(captured):
    before = pressure.collect().counters
    assert len(before) == 6
    after = {name: count + 75.0 for name, count in before.items()}
    shares = shares_of_time(before, after, 1.5)
    assert set(shares.values()) == {50.0}
    late = {name: count + 500.0 for name, count in before.items()}
    assert set(shares_of_time(before, late, 1.0).values()) == {100.0}


def test_a_kernel_without_pressure_gives_no_value(monkeypatch):
    monkeypatch.setattr(pressure, "FOLDER", "/nowhere")
    assert pressure.collect() == ({}, {})


def test_memory_in_detail_is_in_bytes(captured):
    gauges = paging.collect().gauges
    assert gauges["memory.active_bytes"] == 4096000 * 1024
    assert gauges["memory.dirty_bytes"] == 512 * 1024
    assert gauges["memory.arc_bytes"] == 4 << 30
    assert gauges["memory.arc_most_bytes"] == 8 << 30


def test_the_cache_of_zfs_has_a_share_of_hits(captured):
    before = paging.collect().counters
    after = dict(before, **{paging.HITS: 9090, paging.MISSES: 1010})
    after["swap.in_bytes_per_second"] += 2 * paging.PAGESIZE
    rates = paging.rates(before, after, 2.0)
    assert rates["memory.arc_hit_percent"] == 90.0
    assert rates["swap.in_bytes_per_second"] == paging.PAGESIZE
    assert not {paging.HITS, paging.MISSES} & set(rates)
    assert "memory.arc_hit_percent" not in paging.rates(before, before, 2.0)


def test_a_host_without_zfs_has_no_values_of_it(captured, monkeypatch):
    monkeypatch.setattr(paging, "ARCSTATS", "/nowhere")
    assert not any("arc" in name for name in paging.collect().gauges)


def test_sockets_of_both_families_are_counted_together(captured):
    gauges = sockets.collect().gauges
    assert gauges["tcp.in_use"] == 300
    assert gauges["udp.in_use"] == 9
    assert gauges["tcp.time_wait"] == 70
    assert gauges["tcp.orphaned"] == 4
    assert gauges["tcp.established"] == 251
    assert gauges["sockets.in_use"] == 389


def test_segments_sent_again_are_a_rate_and_a_share(captured):
    before = sockets.collect().counters
    assert before["tcp.listen_drops_per_second"] == 70
    assert before["tcp.timeouts_per_second"] == 2116
    after = dict(before)
    after["tcp.segments_sent_per_second"] += 95
    after["tcp.retransmitted_per_second"] += 5
    rates = sockets.rates(before, after, 1.0)
    assert rates["tcp.retransmitted_per_second"] == 5.0
    assert rates["tcp.retransmitted_percent"] == 5.0
    assert "tcp.retransmitted_percent" not in sockets.rates(before, before, 1.0)


def test_file_handles_without_a_limit_have_no_share(tmp_path, monkeypatch):
    path = tmp_path / "file-nr"
    monkeypatch.setattr(files, "FILE_NR", str(path))
    path.write_text("5696\t96\t11200\n")
    assert files.collect().gauges == {
        "files.open": 5600,
        "files.most": 11200,
        "files.open_percent": 50.0,
    }
    path.write_text("5696\t0\t9223372036854775807\n")
    assert files.collect().gauges == {"files.open": 5696}


def test_an_await_is_the_time_of_one_request(monkeypatch):
    readings = [
        Disk(10, 10, 0, 0, 100, 100, 0),
        Disk(30, 10, 0, 0, 400, 100, 0),
    ]
    found = []
    for reading in readings:
        io = {"sda": reading}
        monkeypatch.setattr(psutil, "disk_io_counters", lambda io=io, **rest: io)
        found.append(disks.collect().counters)
    rates = disks.rates(found[0], found[1], 2.0)
    assert rates["disk.read_await_milliseconds|sda"] == 15.0
    assert "disk.write_await_milliseconds|sda" not in rates


def test_errors_and_drops_are_told_each_way_and_together(monkeypatch):
    count = psutil.net_io_counters()._replace(
        bytes_recv=1, errin=1, errout=2, dropin=4, dropout=8
    )
    monkeypatch.setattr(psutil, "net_io_counters", lambda **rest: {"eth0": count})
    counters = network.collect({}).counters
    wanted = {
        "received_errors": 1,
        "sent_errors": 2,
        "received_drops": 4,
        "sent_drops": 8,
        "errors": 3,
        "drops": 12,
    }
    for name, number in wanted.items():
        assert counters[f"net.{name}_per_second|eth0"] == number


def test_a_read_only_file_system_is_flagged():
    answer = os.statvfs("/")
    assert filesystems.measure("/", answer)["fs.read_only|/"] in (0, 1)
    parts = list(answer)
    parts[8] |= os.ST_RDONLY
    frozen = os.statvfs_result(parts)
    assert filesystems.measure("/", frozen)["fs.read_only|/"] == 1


@pytest.mark.skipif(not Path("/proc/net/snmp").exists(), reason="no /proc here")
def test_this_machine_is_collected_without_a_failure(caplog):
    sampler = Sampler()
    sampler.sample()
    threading.Event().wait(0.2)
    values = sampler.sample()["values"]
    assert sampler.failing == {}
    for name in ("files.open", "tcp.established", "memory.dirty_bytes"):
        assert values[name] >= 0
    assert values["cpu.context_switches_per_second"] > 0
    assert per_second({}, {"new": 1}, 1.0) == {}


def test_a_system_without_proc_gives_what_psutil_knows(monkeypatch, tmp_path):
    for module, name in ((cpu, "STAT"), (system, "STAT")):
        monkeypatch.setattr(module, name, str(tmp_path / "none"))
    monkeypatch.setattr(sampler, "PROC", str(tmp_path / "none"))
    monkeypatch.delattr(os, "getloadavg")
    monkeypatch.delattr(os, "statvfs")
    usage = Usage(100, 40, 60)
    monkeypatch.setattr(psutil, "disk_usage", lambda mount: usage)
    taker = Sampler()
    taker.sample()
    threading.Event().wait(0.2)
    values = taker.sample()["values"]
    assert taker.failing == {}
    assert values["fs.used_percent|/"] == 40.0
    assert values["system.uptime_seconds"] > 0
    assert 0 <= values["cpu.busy_percent"] <= 100
    assert not {"load.1", "files.open", "fs.read_only|/"} & set(values)


def test_drives_of_windows_are_mounts(monkeypatch):
    assert filesystems.wanted("C:\\", "C:\\", "NTFS", False)


def test_the_sandbox_of_the_agents_unit_is_no_read_only_file_system(tmp_path):
    path = tmp_path / "mountinfo"
    path.write_text(
        "36 35 98:0 / / ro,noatime master:1 - ext4 /dev/root rw,errors=continue\n"
        "37 35 98:1 / /srv/two\\040words ro shared:7 - xfs /dev/sdb1 ro,noquota\n"
        "38 35 98:2 / /odd\n"
    )
    told = filesystems.read_only(str(path))
    assert told == {"/": False, "/srv/two words": True}
    parts = list(os.statvfs("/"))
    parts[8] |= os.ST_RDONLY
    seen = filesystems.measure("/", os.statvfs_result(parts), told["/"])
    assert seen["fs.read_only|/"] == 0
    assert filesystems.read_only(str(tmp_path / "none")) == {}
