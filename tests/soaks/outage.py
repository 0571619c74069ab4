"""`make soak outage`: a portal that was away for an hour, and agents that bring what they kept.

ADMINSET_SOAK_AGENTS (1000) of them; ADMINSET_SOAK_SPREAD (0) seconds is the time in which all of them find the portal back:
0 is the worst case, real agents come within their back-off of up to 300 s. ADMINSET_SOAK_SECONDS (600) at most.
"""

import time

from tests.bench.figures import Figure, percentile
from tests.simulation.agents import make_fleet
from tests.simulation.checker import compare, stored_samples
from tests.simulation.fleet import Fleet, Outcome, Pace
from tests.simulation.servers import whole
from tests.simulation.watch import Watch
from tests.soaks.fleet import FLUSH_SECONDS, SAMPLE_SECONDS, traffic
from tests.soaks.record import conclude, keep_memory, machine, say, setting, workplace

HOUR = 3600


def main() -> int:
    """Run it; 0 when nothing is lost or double."""
    count, seconds = int(setting("AGENTS", 1000)), setting("SECONDS", 600)
    pace = Pace(flush_seconds=FLUSH_SECONDS, first_seconds=setting("SPREAD", 0))
    with workplace() as folder, whole(folder, count) as (server, _portal):
        agents = make_fleet(
            server.known,
            now=time.time(),
            sample_seconds=SAMPLE_SECONDS,
            history_seconds=HOUR,
        )
        say(f"{count} agents with an hour of samples each ...")
        with Watch(server.processes) as watch:
            outcome = Fleet(agents, server.ports, pace).run(seconds, until_empty=True)
        verdict = compare(agents, stored_samples(server.mongo_url))
    keep_memory("outage", watch)
    say(
        f"{verdict}; answers {dict(outcome.statuses)}, faults {dict(outcome.faults)}; {outcome.words}"
    )
    found = [
        *caught_up(outcome, count),
        *traffic(outcome, verdict),
        *machine(watch, len(outcome.latencies)),
    ]
    return conclude(
        f"outage of an hour, {count:,} agents", found, verdict.faults + outcome.wrong
    )


def caught_up(outcome: Outcome, count: int) -> list[Figure]:
    """Say when charts were live again and when everything was there."""
    live, all_of_it = [*outcome.first_acknowledged.values()], [*outcome.empty.values()]
    missing = count - len(all_of_it)
    return [
        Figure("half of the hosts live again", percentile(live, 0.5), "s"),
        Figure("all hosts live again", max(live), "s"),
        Figure("half of the hosts whole", percentile(all_of_it, 0.5), "s"),
        Figure("all hosts whole", max(all_of_it), "s"),
        Figure("hosts that were not whole in time", missing, "hosts", "0"),
    ]
