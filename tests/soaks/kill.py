"""`make soak kill`: kill -9 of web, ingest, store and others at random moments under load; every acknowledged sample is there once.

ADMINSET_SOAK_AGENTS (200), ADMINSET_SOAK_SECONDS (600). The launcher brings its own processes back; the ingest process is
started anew by this program, as a unit of systemd would.
"""

import contextlib
import random
import subprocess
import threading
import time
from collections import Counter

import psutil

from tests import services
from tests.bench.figures import Figure
from tests.e2e.conftest import Portal, wait_until
from tests.simulation.agents import make_fleet
from tests.simulation.checker import (
    compare,
    miscounted,
    roll_up_everything,
    stored_samples,
)
from tests.simulation.fleet import Fleet, Pace
from tests.simulation.real_agent import Spooled
from tests.simulation.servers import Server, serve, whole
from tests.soaks.fleet import traffic
from tests.soaks.record import conclude, say, setting, workplace

SAMPLE_SECONDS, FLUSH_SECONDS = 2, 4
PARTS = ("web", "ingest", "secantus", "agent", "worker", "valkey")
# The launcher gives a part up that dies more than five times in two minutes.
LEAST_BETWEEN = 30
CHANCE = random.Random()  # noqa: S311 - no secrets
PACE = {
    "ADMINSET_AGENT_SAMPLE_SECONDS": str(SAMPLE_SECONDS),
    "ADMINSET_AGENT_FLUSH_SECONDS": str(FLUSH_SECONDS),
}


class Ingest:
    """An ingest process beside the portal, started anew when it dies."""

    def __init__(self, portal: Portal) -> None:
        self.port = services.free_port()
        self._told = portal.environment() | PACE | {"ADMINSET_ROLE": "ingest"}
        self._over = threading.Event()
        self.web = self._start()
        threading.Thread(target=self._keep, daemon=True).start()

    def _start(self) -> "subprocess.Popen[bytes]":
        return serve("adminset.asgi:application", self.port, self._told)

    def _keep(self) -> None:
        while not self._over.wait(0.2):
            if self.web.poll() is not None:
                self.web = self._start()

    def stop(self) -> None:
        """End it."""
        self._over.set()
        self.web.terminate()
        self.web.wait(20)


class Killer(threading.Thread):
    """Kills one part after the other, each at a random moment, until it is told that the time is over."""

    def __init__(self, portal: Portal, ingest: Ingest) -> None:
        super().__init__(daemon=True)
        self._portal, self._ingest = portal, ingest
        self._last: dict[str, float] = {}
        self.over = threading.Event()
        self.killed: Counter[str] = Counter()

    def run(self) -> None:
        """Kill."""
        while not self.over.wait(CHANCE.uniform(2, 10)):
            now = time.monotonic()
            ready = [n for n in PARTS if now - self._last.get(n, 0) > LEAST_BETWEEN]
            if ready:
                self._kill(CHANCE.choice(ready))

    def _kill(self, name: str) -> None:
        try:
            if name == "ingest":
                self._ingest.web.kill()
            else:
                self._portal.process(name).kill()
        except (LookupError, psutil.Error):
            return
        self._last[name] = time.monotonic()
        self.killed[name] += 1


def main() -> int:
    """Run it; 0 when nothing is lost or double."""
    count, seconds = int(setting("AGENTS", 200)), setting("SECONDS", 600)
    with workplace() as folder, whole(folder, count, **PACE) as (server, portal):
        ingest = Ingest(portal)
        killer, spooled = Killer(portal, ingest), Spooled(folder / "agent" / "spool")
        services.wait_for_port(ingest.port, ingest.web, 60)
        say(f"{count} agents, kill -9 of {', '.join(PARTS)} for {seconds:.0f} s ...")
        killer.start()
        spooled.start()
        fleet = _fleet(server.known, [*server.ports, ingest.port])
        threading.Timer(seconds, killer.over.set).start()
        outcome = fleet.run(seconds)
        killer.join()
        spooled.over.set()
        spooled.join()
        portal.wait_ready()
        ingest.stop()
        # The portal's own agent goes on measuring.
        until = time.time()
        lost, double = _own_agent(server, spooled)
        stored = stored_samples(server.mongo_url)
        verdict = compare(fleet.agents, stored)
        wrong = len(miscounted(server.mongo_url, stored, until))
    say(
        f"{verdict}; answers {dict(outcome.statuses)}, faults {dict(outcome.faults)}; {outcome.words}"
    )
    kills = [Figure(f"kill -9 of {n}", c, "times") for n, c in killer.killed.items()]
    own = [
        Figure(
            "samples seen in the spool of the real agent", len(spooled.times), "samples"
        ),
        Figure("of these lost", lost, "samples", "0"),
        Figure("of the real agent double", double, "samples", "0"),
        Figure(
            "hosts whose roll-ups count other than their samples", wrong, "hosts", "0"
        ),
    ]
    found = [*kills, *traffic(outcome, verdict), *own]
    return conclude(
        "kill", found, verdict.faults + outcome.wrong + lost + double + wrong
    )


def _fleet(known: list[tuple[int, str]], ports: list[int]) -> Fleet:
    agents = make_fleet(
        known,
        now=time.time(),
        sample_seconds=SAMPLE_SECONDS,
        history_seconds=FLUSH_SECONDS,
    )
    pace = Pace(FLUSH_SECONDS, FLUSH_SECONDS, most_pause=20, drain_seconds=120)
    return Fleet(agents, ports, pace)


def _own_agent(server: Server, spooled: Spooled) -> tuple[int, int]:
    """Wait until the portal's own agent has brought what was seen in its spool: samples (lost, double)."""
    simulated = {host_id for host_id, _token in server.known}

    def times() -> list[int]:
        stored = stored_samples(server.mongo_url)
        return [at for host in stored.keys() - simulated for at in stored[host]]

    with contextlib.suppress(AssertionError):
        wait_until("the real agent's samples", lambda: spooled.times <= {*times()}, 60)
    roll_up_everything(server.mongo_url)
    found = times()
    return len(spooled.times - {*found}), len(found) - len({*found})
