"""The processes that use most of the CPU and of the memory."""

import time
from typing import Any, Dict, List, NamedTuple

import psutil

from agent.tables import Found, Row, table

COLUMNS = ("pid", "name", "user", "cpu_percent", "memory_bytes")
MOST = 20


class Usage(NamedTuple):
    """One process now; `cpu_percent` is of one core since the scan before."""

    process: Any
    name: str
    cpu_percent: float
    memory_bytes: int


class Scanner:
    """Remembers the CPU time of each process between two scans."""

    def __init__(self) -> None:
        self.seconds: Dict[int, float] = {}
        self.moment = time.monotonic()

    def collect(self) -> Found:
        """The top by CPU and by memory, together; the first scan knows no CPU."""
        usages = self.scan()
        chosen = {usage.process.pid: usage for usage in top(usages)}
        rows = [row(usage) for usage in chosen.values()]
        found = table("processes", COLUMNS, rows)
        found["left_out"] = len(usages) - len(chosen)
        return Found(tables=[found])

    def scan(self) -> List[Usage]:
        """Each process in one pass; one that ends meanwhile is left out."""
        now, before = time.monotonic(), self.seconds
        passed = max(now - self.moment, 0.001)
        usages, self.seconds, self.moment = [], {}, now
        for process in psutil.process_iter():
            try:
                with process.oneshot():
                    spent = sum(process.cpu_times()[:2])
                    usage = process.memory_info().rss
                    name = process.name()
            except psutil.Error:
                continue
            self.seconds[process.pid] = spent
            growth = spent - before.get(process.pid, spent)
            share = round(max(100.0 * growth / passed, 0.0), 2)
            usages.append(Usage(process, name, share, usage))
        return usages


def top(usages: List[Usage]) -> List[Usage]:
    """Those with most CPU first, then those with most memory."""
    by_cpu = sorted(usages, key=lambda usage: -usage.cpu_percent)[:MOST]
    by_memory = sorted(usages, key=lambda usage: -usage.memory_bytes)[:MOST]
    return [usage for usage in by_cpu if usage.cpu_percent] + by_memory


def row(usage: Usage) -> Row:
    return (
        usage.process.pid,
        usage.name,
        owner(usage.process),
        usage.cpu_percent,
        usage.memory_bytes,
    )


def owner(process: Any) -> str:
    """The user's name, its number where it has none, "" for a process that is gone."""
    try:
        return str(process.username())
    except psutil.Error:
        return ""
