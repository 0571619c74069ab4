"""What a report of a fleet costs: simulated agents at their own pace against one web process, with the embedded store and with none.

Unlike the bench `ingest`, which sends as fast as it is answered, this one leaves the machine idle between reports: CPU time
a report says how many agents a core holds.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure
from tests.simulation.agents import make_fleet
from tests.simulation.checker import compare, stored_samples
from tests.simulation.fleet import Fleet, Outcome, Pace
from tests.simulation.servers import bare
from tests.simulation.watch import Watch

AGENTS, WARM_UP, SECONDS = 3000, 30, 40
SAMPLE_SECONDS, FLUSH_SECONDS = 15, 60
REPORTS_OF_TEN_THOUSAND = 10_000 / FLUSH_SECONDS


def run(folder: Path) -> list[Figure]:
    """Measure both."""
    return [
        *_measured(folder / "embedded", "embedded store", store=True),
        *_measured(folder / "null", "null store", store=False),
    ]


def _measured(folder: Path, words: str, *, store: bool) -> Iterator[Figure]:
    folder.mkdir()
    with bare(folder, AGENTS, store=store) as (server, _processes):
        agents = make_fleet(
            server.known,
            now=time.time(),
            sample_seconds=SAMPLE_SECONDS,
            history_seconds=FLUSH_SECONDS,
        )
        # Who is new proves itself first, and does so again each 5 minutes only.
        Fleet(agents, server.ports, Pace(first_seconds=WARM_UP)).run(WARM_UP)
        with Watch(server.processes) as watch:
            outcome = Fleet(agents, server.ports, Pace()).run(SECONDS)
        if store:
            verdict = compare(agents, stored_samples(server.mongo_url))
            if verdict.faults:
                raise RuntimeError(str(verdict))
    if outcome.faults or outcome.statuses.keys() != {200}:
        raise RuntimeError(f"{outcome.statuses} {outcome.faults} {outcome.words}")
    yield from _figures(words, outcome, watch)


def _figures(words: str, outcome: Outcome, watch: Watch) -> Iterator[Figure]:
    title, reports = f"fleet intake, {words}", len(outcome.latencies)
    yield Figure(f"{title}, p50", outcome.p(0.5), "ms")
    yield Figure(f"{title}, p99", outcome.p(0.99), "ms", "1000 ms (issue 5)")
    total = 0.0
    for name, seen in watch.seen.items():
        each = seen.cpu / reports
        total += each if name != "generator" else 0
        yield Figure(f"{title}, CPU of {name}", each * 1000, "ms a report")
    cores = total * REPORTS_OF_TEN_THOUSAND
    yield Figure(f"{title}, 10,000 agents", cores, "cores", "2 (issue 5)")
