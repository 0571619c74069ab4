"""Containers by their control groups: Docker, Podman, containerd, CRI-O; v1 and v2."""

import os
import re
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

from agent.collectors.container_names import docker_name, podman_names
from agent.collectors.series import RATE, Field, Values, series
from agent.files import read_integer, read_text
from agent.tables import Found, table

CGROUP = "/sys/fs/cgroup"
COLUMNS = (
    *("id", "name", "runtime", "cpu_percent"),
    *("memory_bytes", "memory_limit_bytes"),
)
FIELDS = (
    Field("containers.running", "containers", "control groups of containers"),
    Field("container.cpu_percent", "%", "of one core", RATE),
    Field("container.memory_bytes", "B", "in use, without cache of files"),
)
GROUP = re.compile(
    r"^(?:(docker|libpod|cri-containerd|crio)-)?([0-9a-f]{64})(?:\.scope)?$"
)
RUNTIMES = {"libpod": "podman", "cri-containerd": "containerd", "crio": "cri-o"}
PARENTS = {"docker": "docker", "libpod_parent": "podman", "machine.slice": "podman"}
MOST_CONTAINERS, MOST_GROUPS, DEEPEST = 100, 5000, 8
# Docker and v1 say about 2**63 for "no limit".
NO_LIMIT = 1 << 60
NANOSECONDS, MICROSECONDS = 1e9, 1e6
LOOK_SECONDS = 60.0
GONE = (None, None, None)
Place = Tuple[str, str, str]
Figures = Tuple[Optional[float], Optional[int], Optional[int]]


class Container(NamedTuple):
    """One container: CPU seconds since it began, memory now."""

    id: str
    name: str
    runtime: str
    cpu_seconds: Optional[float]
    memory_bytes: Optional[int]
    memory_limit_bytes: Optional[int]


class Watcher:
    """Remembers where the groups are for a while, and the CPU time of each container."""

    def __init__(self) -> None:
        self.before: Dict[str, float] = {}
        self.moment = time.monotonic()
        self.places: List[Place] = []
        self.looked = float("-inf")
        self.seen = False

    def collect(self) -> Found:
        """Nothing on a host that never had a container; an empty table when all ended."""
        now = time.monotonic()
        if now - self.looked >= LOOK_SECONDS:
            self.places, self.looked = places(), now
        found = containers(self.places)
        self.seen = self.seen or bool(found)
        if not self.seen:
            return Found()
        passed, self.moment = max(now - self.moment, 0.001), now
        shown = [(each, self.share(each, passed)) for each in found[:MOST_CONTAINERS]]
        self.before = {
            each.id: each.cpu_seconds for each in found if each.cpu_seconds is not None
        }
        rows = [(e.id[:12], e.name, e.runtime, cpu, *e[4:]) for e, cpu in shown]
        left_out = {"containers": len(found) - len(shown)}
        values = dict(measured(shown), **{"containers.running": len(found)})
        return Found([table("containers", COLUMNS, rows)], values, left_out)

    def share(self, container: Container, passed: float) -> Optional[float]:
        """Percent of one core; None at first and after a restart."""
        before, spent = self.before.get(container.id), container.cpu_seconds
        if before is None or spent is None or spent < before:
            return None
        return round(100.0 * (spent - before) / passed, 2)


def measured(shown: List[Tuple[Container, Optional[float]]]) -> Values:
    values: Values = {}
    for container, cpu in shown:
        if cpu is not None:
            values[series("container.cpu_percent", container.name)] = cpu
        if container.memory_bytes is not None:
            name = series("container.memory_bytes", container.name)
            values[name] = container.memory_bytes
    return values


def places() -> List[Place]:
    """Where the groups of containers are; to look costs as much as all the rest."""
    top = Path(CGROUP)
    unified = (top / "cgroup.controllers").exists()
    return groups(top if unified else top / "memory")


def containers(known: List[Place]) -> List[Container]:
    """By name; those whose group is gone meanwhile are left out."""
    unified = (Path(CGROUP) / "cgroup.controllers").exists()
    named = (
        podman_names() if any(runtime == "podman" for _, runtime, _ in known) else {}
    )
    found = {}
    for path, runtime, full in known:
        figures = by_v2(path) if unified else by_v1(path)
        if figures != GONE:
            name = named.get(full) or docker_name(full) or full[:12]
            found[full] = Container(full, name, runtime, *figures)
    return sorted(found.values(), key=lambda each: (each.name, each.id))


def groups(top: Path) -> List[Place]:
    """(path below the top, runtime, id) of each group that is named as a container's."""
    found = []
    for seen, (folder, below, _files) in enumerate(os.walk(str(top))):
        relative = folder[len(str(top)) :].strip("/")
        for name in list(below):
            match = GROUP.match(name)
            if match:
                below.remove(name)
                runtime = runtime_of(match.group(1), relative)
                found.append((f"{relative}/{name}", runtime, match.group(2)))
        if relative.count("/") >= DEEPEST or seen >= MOST_GROUPS:
            below.clear()
    return found


def runtime_of(prefix: Optional[str], parent: str) -> str:
    """By the group's own prefix, else by a folder above it."""
    if prefix:
        return RUNTIMES.get(prefix, prefix)
    known = [PARENTS[part] for part in parent.split("/") if part in PARENTS]
    return known[-1] if known else "container"


def by_v2(path: str) -> Figures:
    folder = Path(CGROUP) / path
    spent = number_in(folder / "cpu.stat", "usage_usec")
    used = read_integer(folder / "memory.current")
    cache = number_in(folder / "memory.stat", "inactive_file")
    return (
        None if spent is None else spent / MICROSECONDS,
        without(used, cache),
        limit(read_integer(folder / "memory.max")),
    )


def by_v1(path: str) -> Figures:
    memory, spent = Path(CGROUP) / "memory" / path, None
    for controller in ("cpuacct", "cpu,cpuacct"):
        if spent is None:
            spent = read_integer(Path(CGROUP) / controller / path / "cpuacct.usage")
    used = read_integer(memory / "memory.usage_in_bytes")
    cache = number_in(memory / "memory.stat", "total_inactive_file")
    return (
        None if spent is None else spent / NANOSECONDS,
        without(used, cache),
        limit(read_integer(memory / "memory.limit_in_bytes")),
    )


def without(used: Optional[int], cache: Optional[int]) -> Optional[int]:
    return None if used is None else max(used - (cache or 0), 0)


def limit(most: Optional[int]) -> Optional[int]:
    return most if most is not None and most < NO_LIMIT else None


def number_in(path: Path, name: str) -> Optional[int]:
    """From lines of `name number`."""
    found = re.search(rf"^{name} (\d+)$", read_text(path) or "", re.M)
    return int(found.group(1)) if found else None
