"""Measurements of AdminSet's agents: put into the names and units of our own, and stored under the machine's own host."""

import json
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

from cmdb.services import legacy as machines
from monitor import report_path
from monitor.body import VALUE_LIMIT
from monitor.report_path import Sent, here

MIB, GIB, KIB = 2**20, 2**30, 2**10
CPU = ("user", "nice", "system", "idle", "iowait", "irq", "softirq")
MEMORY = ("total", "available", "used", "free", "buffers", "cached")
MOST_PARTS = 256
Value = tuple[str, float]


def receive(*, payload: Mapping[str, Any], address: str) -> str:
    """Store the measurements of a report; "dropped" where nobody has let the machine in.

    Raises:
        KeyError, ValueError, TypeError: the report lacks a key, or says no numbers.
        StoreUnavailable: nothing is stored.
    """
    hostname = str(payload["hostname"]).strip().rstrip(".")
    values = dict(measurements(payload))
    agent = machines.speaking(hostname=hostname[:253], address=address)
    if agent is None or not values:
        return "dropped"
    now = time.time()
    sample = {"seq": 0, "time": now, "values": values}
    # The way of every other report, with the same limits.
    body = json.dumps({"sent_at": now, "samples": [sample]}).encode()
    answer = here(report_path.metrics, Sent(agent, body, address, now))
    return str(answer["results"][0]["status"])


def measurements(payload: Mapping[str, Any]) -> Iterator[Value]:
    """Give (name, number) in the metrics of monitor/metrics.py.

    Raises:
        KeyError, ValueError, TypeError: see `receive`.
    """
    cpu, memory = payload["cpu"], payload["mem"]
    yield "cpu.busy_percent", _number(cpu["percent"])
    for name in CPU:
        if name in cpu:
            yield f"cpu.{name}_percent", _number(cpu[name])
    for place, percent in enumerate(_listed(cpu.get("lcpu_percent", []))):
        yield f"cpu.core_busy_percent|{place}", _number(percent)
    yield "memory.used_percent", _number(memory["percent"])
    for name in MEMORY:
        if name in memory:
            yield f"memory.{name}_bytes", _number(memory[name]) * MIB
    for disk in _listed(payload["disk"]):
        mount = _instance(disk["mountpoint"])
        yield f"fs.used_percent|{mount}", _number(disk["percent"])
        yield f"fs.total_bytes|{mount}", _number(disk["total"]) * GIB
        yield f"fs.used_bytes|{mount}", _number(disk["used"]) * GIB
        yield f"fs.available_bytes|{mount}", _number(disk["free"]) * GIB
    for nic in _listed(payload["net"]):
        name = _instance(nic["nic_name"])
        received, sent = _number(nic["traffic_in"]), _number(nic["traffic_out"])
        yield f"net.received_bytes_per_second|{name}", received * KIB
        yield f"net.sent_bytes_per_second|{name}", sent * KIB


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(type(value))
    return value[:MOST_PARTS]


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or abs(number) >= VALUE_LIMIT:
        raise ValueError(value)
    return number


def _instance(value: Any) -> str:
    text = "".join(c if c.isprintable() else " " for c in str(value)[:200]).strip()
    if not text:
        raise ValueError(value)
    return text
