"""What simulated agents send: some 60 values under the names of several kinds of machines, following from host and sample alone."""

import functools
import gzip
import itertools
import json
import random
from collections.abc import Iterable

from tests.bench.load import request
from tests.bench.reports import NAMES

PATH = "/api/agent/v1/metrics"
BOOT = "b"
# The number of their clock, which nobody sets.
CLOCK = 1_700_000_000.5
DISKS = (("sda", "sdb"), ("vda", "vdb"), ("nvme0n1", "nvme1n1"))
CARDS = (("eth0", "eth1"), ("ens3", "ens4"), ("enp1s0", "enp2s0"), ("bond0", "bond1"))
MACHINES = tuple(itertools.product(DISKS, CARDS))
VARIANTS = 64
# Tells by its value which variant was stored.
MARK = "load.15"
COMMANDS = ("postgres", "java", "python3", "nginx", "containerd", "kworker/0:1")


def variant_of(host: int, seq: int) -> int:
    """Say which values a sample has."""
    return (host * 7 + seq) % VARIANTS


def mark_of(host: int, seq: int) -> float:
    """Give the value of the metric MARK in a sample."""
    return variant_of(host, seq) / 100


def names_of(host: int) -> tuple[str, ...]:
    """Give the names of a host's metrics."""
    disks, cards = MACHINES[host % len(MACHINES)]
    other = dict(zip(("sda", "sdb", "eth0", "eth1"), (*disks, *cards), strict=True))
    return tuple(
        f"{metric}|{other.get(part, part)}" if part else metric
        for metric, _bar, part in (name.partition("|") for name in NAMES)
    )


def _most(name: str) -> float:
    """Give the highest value that a metric has here."""
    if "percent" in name:
        return 100
    if "bytes" in name or "uptime" in name:
        return 2**34 if "per_second" not in name else 10**8
    return 5000 if "per_second" in name else 500


@functools.cache
def _texts(machine: int) -> list[str]:
    """Write the values of all variants of a kind of machine: a slow walk, as those of a host are."""
    chance = random.Random(machine)  # noqa: S311 - numbers to measure with, no secrets
    most = {name: _most(name) for name in names_of(machine)}
    values = {name: chance.uniform(0, top) for name, top in most.items()}
    texts = []
    for variant in range(VARIANTS):
        for name in chance.sample(sorted(values), 20):
            moved = values[name] + chance.uniform(-0.02, 0.02) * most[name]
            values[name] = min(max(moved, 0), most[name])
        rounded = {
            n: round(v, 2) if most[n] < 1000 else int(v) for n, v in values.items()
        }
        texts.append(json.dumps(rounded | {MARK: variant / 100}, separators=(",", ":")))
    return texts


@functools.cache
def _processes() -> str:
    """Write the table that a real agent sends each minute, all but its time."""
    rows = [
        [100 + n, COMMANDS[n % len(COMMANDS)], "root", n / 10, n * 2**20]
        for n in range(30)
    ]
    columns = ["pid", "name", "user", "cpu_percent", "memory_bytes"]
    return json.dumps({"columns": columns, "rows": rows}, separators=(",", ":"))[1:]


def report(
    host: int,
    token: str,
    samples: Iterable[tuple[int, int]],
    now: float,
    *,
    tables: bool = True,
) -> bytes:
    """Make the bytes of a request.

    Args:
        host: which of the simulated ones, from 0.
        samples: (sequence number, milliseconds) each.
        now: Unix seconds by the host's clock, which is right.
        tables: with the table of processes.
    """
    texts = _texts(host % len(MACHINES))
    said = ",".join(
        f'{{"seq":{seq},"time":{at / 1000:.3f},"values":{texts[variant_of(host, seq)]}}}'
        for seq, at in samples
    )
    more = ""
    if tables:
        more = f',"tables":[{{"name":"processes","time":{now:.3f},{_processes()}]'
    clock = f'"clock":{CLOCK},"current_clock":{CLOCK},"clock_offset":0.0'
    body = (
        f'{{"boot_id":"{BOOT}","sent_at":{now:.3f},{clock},"samples":[{said}]{more}}}'
    )
    return request(PATH, gzip.compress(body.encode(), 1), token)
