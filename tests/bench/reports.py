"""What benches send: reports of ~60 values as the agent makes them, facts, and AdminSet's own."""

import gzip
import itertools
import json
import random
import time
from collections.abc import Iterator

from tests.bench.load import request
from tests.bench.old_way import TOKEN

SAMPLES_A_REPORT = 4
VARIANTS = 300
CHANCE = random.Random(5)  # noqa: S311 - numbers to measure with, no secrets
MOUNTS, DEVICES, NICS = ("/", "/boot", "/var"), ("sda", "sdb"), ("eth0", "eth1")
NAMES = (
    *(
        f"cpu.{n}_percent"
        for n in ("busy", "user", "system", "iowait", "steal", "idle")
    ),
    *(f"cpu.core_busy_percent|{n}" for n in range(4)),
    *("load.1", "load.5", "load.15"),
    *(f"memory.{n}_bytes" for n in ("total", "used", "available", "free", "cached")),
    *("memory.used_percent", "swap.used_bytes", "swap.used_percent"),
    *(f"fs.{n}_bytes|{m}" for n in ("total", "used", "available") for m in MOUNTS),
    *(f"fs.{n}_percent|{m}" for n in ("used", "inodes_used") for m in MOUNTS),
    *(f"disk.{n}_bytes_per_second|{d}" for n in ("read", "write") for d in DEVICES),
    *(f"disk.busy_percent|{d}" for d in DEVICES),
    *(f"net.{n}_bytes_per_second|{d}" for n in ("received", "sent") for d in NICS),
    *(f"net.{n}_packets_per_second|{d}" for n in ("received", "sent") for d in NICS),
    *(f"net.{n}_per_second|{d}" for n in ("errors", "drops") for d in NICS),
    *("processes.total", "processes.running", "tcp.established", "tcp.time_wait"),
    *("system.uptime_seconds", "system.users"),
)


def values() -> dict[str, float]:
    """Make the values of a sample, such as can be true."""
    return {name: _value(name) for name in NAMES}


def _value(name: str) -> float:
    if "percent" in name or name.startswith("load"):
        return round(CHANCE.uniform(0, 100), 2)
    return CHANCE.randrange(2**34 if "bytes" in name else 2000)


def metrics(tokens: list[str], rounds: int) -> Iterator[bytes]:
    """Make reports of all agents in turn; each round is a minute later in their lives, from long ago on.

    What costs is done before the first is asked for.
    """
    texts = [json.dumps(values()) for _ in range(VARIANTS)]
    chosen = itertools.cycle(texts)
    first = round(time.time()) - 40 * 3600
    rests = [
        _packed(_body(first + minute * 60, minute * SAMPLES_A_REPORT, chosen))
        for minute in range(rounds)
        for _token in tokens
    ]
    return (
        request("/api/agent/v1/metrics", rest, token)
        for rest, token in zip(rests, itertools.cycle(tokens), strict=False)
    )


def _packed(text: str) -> bytes:
    return gzip.compress(text.encode(), 1)


def _body(first: int, seq: int, chosen: Iterator[str]) -> str:
    samples = ", ".join(
        f'{{"seq": {seq + i + 1}, "time": {first + 15 * i}.125, "values": {next(chosen)}}}'
        for i in range(SAMPLES_A_REPORT)
    )
    now = time.time()
    return f'{{"boot_id": "b", "clock": 1.7e9, "current_clock": 1.7e9, "clock_offset": 0.0, "sent_at": {now:.3f}, "samples": [{samples}]}}'


def facts(tokens: list[str], rounds: int) -> Iterator[bytes]:
    """Make facts of all agents in turn, which never change."""
    for turn in range(rounds):
        for n, token in enumerate(tokens):
            body = {
                "boot_id": "b",
                "seq": turn + 1,
                "sent_at": time.time(),
                "identity": {"machine_id": f"{n:064x}", "macs": [_mac(n)]},
                "facts": _facts(n),
            }
            packed = gzip.compress(json.dumps(body).encode(), 1)
            yield request("/api/agent/v1/facts", packed, token)


def _mac(n: int) -> str:
    text = f"02{n:010x}"
    return ":".join(text[i : i + 2] for i in range(0, 12, 2))


def _facts(n: int) -> dict[str, object]:
    address = f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
    return {
        "hostname": f"bench{n}",
        "primary_address": address,
        "os_name": "Debian GNU/Linux",
        "os_version": "12",
        "kernel": "6.1.0-18-amd64",
        "architecture": "x86_64",
        "vendor": "QEMU",
        "product": "Standard PC",
        "virtualisation": "kvm",
        "cpu_model": "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
        "cpu_threads": 8,
        "memory_bytes": 2**34,
        "disks": [{"name": "sda", "size_bytes": 2**38, "rotational": False}],
        "nics": [
            {
                "name": "eth0",
                "mac": _mac(n),
                "mtu": 1500,
                "up": True,
                "addresses": [{"address": address, "prefix": 16}],
            }
        ],
        "agent_version": "1.0",
    }


def old_way(count: int) -> Iterator[bytes]:
    """Make what AdminSet's own agent sends: one sample each, of 50 hosts in turn."""
    for n in range(count):
        mounts = [
            {"mountpoint": m, "total": 100, "free": 40, "used": 60, "percent": 60.0}
            for m in MOUNTS
        ]
        report = {
            "token": TOKEN,
            "hostname": f"bench{n % 50}",
            "cpu": {"percent": 12.5, "lcpu_percent": [10.0] * 4}
            | dict.fromkeys(("user", "nice", "system", "idle", "iowait"), 3.5),
            "mem": dict.fromkeys(
                ("total", "percent", "available", "used", "free", "buffers", "cached"),
                4096,
            ),
            "disk": mounts,
            "net": [
                {"nic_name": nic, "traffic_in": 2.5, "traffic_out": 1.5} for nic in NICS
            ],
        }
        body = json.dumps(report).encode()
        yield request("/monitor/received/sys/info/", body, encoding="")
