"""`make soak faults`: kill -9 of each part in the middle of a run on 50 hosts; nothing runs twice, and what the user sees is told.

ADMINSET_SOAK_HOSTS (50) real sshd processes, ADMINSET_SOAK_AWAY (30) seconds without database. The short form, with few hosts,
is in tests/tasks/test_faults_*.py; docs/faults.md names the line of each.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.bench.figures import Figure
from tests.farm import SshFarm
from tests.soaks.record import conclude, say, setting, workplace
from tests.tasks.doors import belonging, remaining
from tests.tasks.fault_parts import WholePortal
from tests.tasks.portal_things import kill, wait_until

AT_ONCE = 10
LONGEST = 600
WHOLE = ["begin", "end"]


@dataclass
class Case:
    """One fault. `unknown`: how many hosts may have no known end."""

    name: str
    strike: Callable[[WholePortal], None]
    unknown: int = 0


@dataclass
class Found:
    """What came of it."""

    case: Case
    seconds: float
    told: dict[str, Any]
    seen: list[str]
    faults: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Give a line of the table."""
        ends = Counter(self.told["hosts"].values())
        hosts = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
        verdict = "; ".join(self.faults) or "each once, output whole"
        seen = " ... ".join(self.seen)
        return f"| {self.case.name} | {seen} | {hosts} | {verdict} | {self.seconds:.0f} s |"


def worker(portal: WholePortal) -> None:
    """Kill the worker; another comes."""
    kill(portal.workers[-1])
    portal.gate.touch()
    portal.start_worker(f"after{len(portal.workers)}@test")


def child(portal: WholePortal) -> None:
    """Kill the processes of the worker that do its work."""
    for process in psutil.Process(portal.workers[-1].pid).children():
        os.kill(process.pid, signal.SIGKILL)
    portal.gate.touch()


def ansible(portal: WholePortal) -> None:
    """Kill the process in which Ansible runs."""
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if "tasks.ansible_child" in line and _ours(portal, process):
            process.kill()
    wait_until(lambda: not belonging(portal.folder), 60)
    portal.gate.touch()


def _ours(portal: WholePortal, process: psutil.Process) -> bool:
    return process.environ().get("HOME", "").startswith(str(portal.folder))


def beat(portal: WholePortal) -> None:
    """Kill the clock; what is planned meanwhile runs once, when the next one is there."""
    assert portal.beat is not None
    kill(portal.beat)
    planned = portal.schedule(0.1, command="true")
    portal.gate.touch()
    time.sleep(6)
    portal.start_beat()
    wait_until(lambda: portal.runs_of(planned), 60)
    (made,) = portal.runs_of(planned)
    portal.until(made, "ok")


def redis_with_data(portal: WholePortal) -> None:
    """Kill Redis; it comes back with what it knew."""
    portal.kill_redis(keep=True)
    time.sleep(3)
    portal.start_redis()
    portal.gate.touch()


def redis_without_data(portal: WholePortal) -> None:
    """Kill Redis; it comes back empty."""
    portal.kill_redis()
    time.sleep(3)
    portal.start_redis()
    portal.gate.touch()


def web(portal: WholePortal) -> None:
    """Kill the web; it comes back."""
    assert portal.web is not None
    kill(portal.web)
    portal.gate.touch()
    portal.start_web()


def database(portal: WholePortal) -> None:
    """Take the database away while hosts end and others wait for their turn."""
    held = sqlite3.connect(portal.folder / "db.sqlite3", timeout=60)
    held.isolation_level = None
    held.execute("BEGIN EXCLUSIVE")
    portal.gate.touch()
    time.sleep(setting("AWAY", 30))
    held.execute("ROLLBACK")
    held.close()


CASES = (
    Case("worker", worker, unknown=AT_ONCE),
    Case("child of the worker", child, unknown=AT_ONCE),
    Case("process of Ansible", ansible),
    Case("beat", beat),
    Case("Redis, with its data", redis_with_data),
    Case("Redis, without its data", redis_without_data),
    Case("web", web),
    Case("database away", database),
)


def main() -> int:
    """Run all; 0 where nothing ran twice, nothing is missing, and all that ran has a known end that should."""
    count = int(setting("HOSTS", 50))
    with workplace() as folder, SshFarm(count, folder / "farm") as farm:
        found = [
            _alone(case, folder, farm, number) for number, case in enumerate(CASES)
        ]
    say("| what is killed | what the user sees | hosts | nothing ran twice | took |")
    say("|---|---|---|---|---|")
    for one in found:
        say(one.line())
    figures = [Figure(one.case.name, one.seconds, "s") for one in found]
    return conclude(
        f"faults, {count} hosts", figures, sum(len(one.faults) for one in found)
    )


def _alone(case: Case, folder: Path, farm: SshFarm, number: int) -> Found:
    """Do one case on a portal of its own."""
    place = folder / f"portal{number}"
    place.mkdir()
    portal = WholePortal(place, farm)
    try:
        return _do(case, portal, len(farm.hosts))
    except AssertionError as error:
        # The other cases have their turn all the same.
        return Found(case, 0, {"hosts": {}}, [], [str(error)])
    finally:
        portal.stop()


def _do(case: Case, portal: WholePortal, count: int) -> Found:
    say(f"{case.name} ...")
    portal.start_web()
    portal.start_worker("first@test")
    portal.start_beat()
    begun = time.monotonic()
    pk = _launch(case, portal)
    wait_until(lambda: len(portal.counted()) >= min(AT_ONCE, count))
    case.strike(portal)
    seen: list[str] = []
    while (told := portal.tell(pk))["status"] in {"queued", "running"}:
        if told["explanation"] not in {"", *seen}:
            seen.append(told["explanation"])
        if time.monotonic() - begun > LONGEST:
            break
        time.sleep(0.5)
    found = Found(case, time.monotonic() - begun, told, [*seen, told["explanation"]])
    found.faults += _faults(case, portal, told)
    return found


def _launch(case: Case, portal: WholePortal) -> int:
    """Begin the run in whose middle it happens; where the clock dies, the clock has begun it."""
    work: dict[str, object] = {"command": portal.counting()}
    if case.strike is ansible:
        work = {"kind": "module", "module": "shell", "arguments": portal.counting()}
    work |= {"forks": AT_ONCE, "timeout_seconds": LONGEST}
    if case.strike is not beat:
        return portal.launch(**work)
    planned = portal.schedule(1, **work)
    wait_until(lambda: portal.runs_of(planned))
    return portal.runs_of(planned)[0]


def _faults(case: Case, portal: WholePortal, told: dict[str, Any]) -> list[str]:
    """Say what is not as it should be."""
    ends, counted = Counter(told["hosts"].values()), portal.counted()
    twice = [host for host, times in counted.items() if times != 1]
    found = [f"more than once on {', '.join(twice)}"] if twice else []
    if told["status"] not in {"ok", "failed"}:
        found.append(f"it stands at {told['status']}")
    if ends["unknown"] > case.unknown:
        found.append(f"{ends['unknown']} unknown")
    if case.strike is not ansible and ends["ok"] + ends["unknown"] != len(
        told["hosts"]
    ):
        found.append("some hosts were not done")
    for host, end in told["hosts"].items():
        # So many logins at once may make the shell's own start files complain first.
        said = [line for line in told["output"][host].splitlines() if line in WHOLE]
        if end == "ok" and (said != WHOLE or host not in counted):
            found.append(f"output of {host}: {said}")
        if end == "unknown" and said != WHOLE[: len(said)]:
            found.append(f"output of {host}: {said}")
    if left := remaining(str(portal.gate), 30):
        found.append(f"{len(left)} processes are left on the hosts")
    return found
