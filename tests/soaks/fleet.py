"""`make soak fleet`: a fleet of simulated agents against the whole portal for minutes, and then the largest that it holds.

ADMINSET_SOAK_AGENTS (10000) and ADMINSET_SOAK_SECONDS (600) say how many and how long; ADMINSET_SOAK_STEP_SECONDS (60) is
the time for each step of the search, which doubles the fleet from ADMINSET_SOAK_FIRST (2500) to ADMINSET_SOAK_MOST (80000).
"""

import os
import time
from collections.abc import Iterator
from itertools import takewhile

from tests.bench.figures import Figure
from tests.simulation.agents import SimulatedAgent, make_fleet
from tests.simulation.checker import Verdict, compare, stored_samples
from tests.simulation.fleet import Fleet, Outcome, Pace
from tests.simulation.servers import Server, bare, whole
from tests.simulation.watch import Watch
from tests.soaks.record import conclude, keep_memory, machine, say, setting, workplace

SAMPLE_SECONDS, FLUSH_SECONDS = 15, 60
MOST_P99_MILLISECONDS = 1000


def main() -> int:
    """Run both parts; 0 when nothing is lost or double."""
    faults = _long() if setting("SECONDS", 600) else 0
    return faults + (_search() if setting("MOST", 80_000) else 0)


def _long() -> int:
    count, seconds = int(setting("AGENTS", 10_000)), setting("SECONDS", 600)
    with workplace() as folder, whole(folder, count) as (server, _portal):
        agents = _agents(server.known)
        # What the start left for the disk to write would be counted as the store's first wait for it.
        os.sync()
        say(f"{count} agents against the whole portal for {seconds:.0f} s ...")
        with Watch(server.processes) as watch:
            outcome = Fleet(agents, server.ports, Pace()).run(seconds)
        verdict = compare(agents, stored_samples(server.mongo_url))
    keep_memory("fleet", watch)
    say(
        f"{verdict}; answers {dict(outcome.statuses)}, faults {dict(outcome.faults)}; {outcome.words}"
    )
    reports = len(outcome.latencies)
    found = [*traffic(outcome, verdict), *machine(watch, reports)]
    return conclude(f"fleet of {count:,}", found, verdict.faults + outcome.wrong)


def _agents(known: list[tuple[int, str]]) -> list[SimulatedAgent]:
    """Make agents that have a report's worth of samples from the start on."""
    return make_fleet(
        known,
        now=time.time(),
        sample_seconds=SAMPLE_SECONDS,
        history_seconds=FLUSH_SECONDS,
    )


def traffic(outcome: Outcome, verdict: Verdict) -> Iterator[Figure]:
    """Say how much went through, how fast, and what is wrong with it."""
    a_second = len(outcome.latencies) / outcome.seconds
    yield Figure("reports/s", a_second, "reports/s")
    yield Figure("samples/s", verdict.acknowledged / outcome.seconds, "samples/s")
    yield Figure("p50", outcome.p(0.5), "ms")
    minutes = ", ".join(f"{each:.0f}" for each in outcome.p99_by_minute())
    yield Figure(
        "p99", outcome.p(0.99), "ms", "1000 ms (issue 5)", f"by minute: {minutes} ms"
    )
    moments = ", ".join(f"{at:.0f}" for at, _took in outcome.slowest())
    yield Figure("slowest", outcome.p(1.0), "ms", "", f"the slowest after {moments} s")
    refused = sum(n for status, n in outcome.statuses.items() if status != 200)
    yield Figure("turned away, to come again", refused, "reports")
    yield Figure("without an answer", sum(outcome.faults.values()), "reports")
    yield Figure("answered otherwise", outcome.wrong, "reports", "0")
    yield Figure("acknowledged", verdict.acknowledged, "samples")
    yield Figure("lost", len(verdict.lost), "samples", "0")
    yield Figure("double", len(verdict.double), "samples", "0")
    yield Figure("that nobody sent", len(verdict.foreign), "samples", "0")


def _search() -> int:
    """Double the fleet until it does not hold, with the embedded store and with none."""
    figures, faults = [], 0
    for words, store in (("embedded store", True), ("null store", False)):
        steps = list(_sizes())
        with workplace() as folder, bare(folder, steps[-1], store=store) as (server, _):
            agents: list[SimulatedAgent] = []
            held = [*takewhile(lambda size: _holds(server, agents, size, words), steps)]  # noqa: B023 - used at once
            if store:
                verdict = compare(agents, stored_samples(server.mongo_url))
                say(f"{verdict}")
                faults += verdict.faults
        most = held[-1] if held else 0
        figures.append(Figure(f"largest fleet held, {words}", most, "agents"))
    return conclude("search", figures, faults)


def _sizes() -> Iterator[int]:
    size = int(setting("FIRST", 2500))
    while size <= setting("MOST", 80_000):
        yield size
        size *= 2


def _holds(server: Server, agents: list[SimulatedAgent], size: int, words: str) -> bool:
    """Run a fleet of a size for a while; agents of the step before go on."""
    agents += _agents(server.known[len(agents) : size])
    pace = Pace(drain_seconds=10)
    with Watch(server.processes) as watch:
        outcome = Fleet(agents, server.ports, pace).run(setting("STEP_SECONDS", 60))
    reports = len(outcome.latencies)
    cpu = ", ".join(
        f"{name} {seen.cpu / watch.seconds:.0%} of a core and {seen.cpu / max(reports, 1) * 1000:.1f} ms a report"
        for name, seen in watch.seen.items()
    )
    say(
        f"{words}, {size:,} agents: {reports / outcome.seconds:.0f} reports/s, p50 {outcome.p(0.5):.0f} ms, p99 {outcome.p(0.99):.0f} ms, "
        f"answers {dict(outcome.statuses)}, faults {dict(outcome.faults)} {outcome.words}; {cpu}"
    )
    good = outcome.statuses.keys() == {200} and not outcome.faults
    return good and outcome.p(0.99) < MOST_P99_MILLISECONDS
