"""Small fleets of simulated agents against real processes: what was acknowledged is stored, once, whatever dies meanwhile.

`make soak fleet`, `make soak kill` and `make soak outage` are the long forms.
"""

import threading
import time
from collections.abc import Iterator

import pytest

from monitor.store import MetricStore
from tests.e2e.conftest import wait_until
from tests.simulation.agents import SimulatedAgent, make_fleet
from tests.simulation.checker import (
    compare,
    miscounted,
    roll_up_everything,
    stored_samples,
)
from tests.simulation.fleet import Fleet, Outcome, Pace
from tests.simulation.payloads import MARK, mark_of
from tests.simulation.real_agent import RealAgent, Spooled
from tests.simulation.servers import BareServer

pytestmark = pytest.mark.xdist_group("portal")

SMALL = 25
QUICK = Pace(
    flush_seconds=2, first_seconds=2, answer_seconds=10, most_pause=1, drain_seconds=30
)
Known = list[tuple[int, str]]


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[BareServer, Known]]:
    """A web process, an ingest process and a store, with agents enough for all tests."""
    names = ("ADMINSET_AGENT_SAMPLE_SECONDS", "ADMINSET_AGENT_FLUSH_SECONDS")
    folder = tmp_path_factory.mktemp("fleet")
    server = BareServer(
        folder, ("portal", "ingest"), settings=dict.fromkeys(names, "1")
    )
    try:
        yield server, server.prepare(3 * SMALL + 1)
    finally:
        server.stop()


def _run(
    server: BareServer,
    known: Known,
    seconds: float,
    *,
    history: float = 2,
    interval: float = 1,
    until_empty: bool = False,
) -> tuple[list[SimulatedAgent], Outcome]:
    agents = make_fleet(
        known,
        now=time.time(),
        sample_seconds=interval,
        history_seconds=history,
    )
    fleet = Fleet(agents, [*server.ports.values()], QUICK)
    return agents, fleet.run(seconds, until_empty=until_empty)


def test_what_a_fleet_was_told_to_be_stored_is_there_once_with_its_values(
    served: tuple[BareServer, Known],
) -> None:
    server, known = served
    agents, outcome = _run(server, known[:SMALL], 4)
    assert (set(outcome.statuses), dict(outcome.faults)) == ({200}, {})
    assert set(outcome.results) == {"stored"}
    verdict = compare(agents, _stored(server))
    assert verdict.faults == 0, str(verdict)
    assert verdict.acknowledged == verdict.stored >= SMALL * 4
    store = MetricStore(server.mongo_url)
    newest = store.latest(agent.host_id for agent in agents)
    store.close()
    for agent in agents:
        seq = max(agent.acknowledged)
        assert newest[agent.host_id].time == agent.time_of(seq) / 1000
        assert newest[agent.host_id].values[MARK] == mark_of(agent.number, seq)


def test_an_hour_kept_back_arrives_whole_and_the_newest_of_it_first(
    served: tuple[BareServer, Known],
) -> None:
    server, known = served
    agents, outcome = _run(
        server,
        known[SMALL : 2 * SMALL],
        40,
        history=3600,
        interval=15,
        until_empty=True,
    )
    assert len(outcome.empty) == SMALL
    verdict = compare(agents, _stored(server))
    assert verdict.faults == 0, str(verdict)
    assert verdict.stored == verdict.acknowledged >= SMALL * 240
    for agent in agents:
        first, later = agent.acknowledged[:200], agent.acknowledged[200:]
        assert agent.time_of(max(first)) > time.time() * 1000 - 60e3
        assert min(first) > 1
        assert min(later) == 1


def test_nothing_is_lost_or_counted_twice_when_everything_is_killed_in_turn(
    served: tuple[BareServer, Known], request: pytest.FixtureRequest
) -> None:
    server, known = served
    agent = RealAgent(server.folder / "agent", server.ports["portal"], known[-1][1])
    request.addfinalizer(agent.kill)
    spooled = Spooled(agent.spool)
    agent.start()
    spooled.start()
    killing = threading.Thread(target=_kill_each, args=(server, agent))
    killing.start()
    agents, outcome = _run(server, known[2 * SMALL : -1], 14)
    killing.join()
    assert outcome.faults, "nobody noticed"
    spooled.over.set()
    spooled.join()
    assert spooled.times, "the real agent measured nothing"
    _arrive(server, known[-1][0], spooled, agent)
    agent.kill()
    roll_up_everything(server.mongo_url)
    stored = _stored(server)
    verdict = compare(agents, stored)
    assert verdict.faults == 0, str(verdict)
    assert verdict.acknowledged > SMALL * 10
    assert len(stored[known[-1][0]]) == len({*stored[known[-1][0]]})
    assert miscounted(server.mongo_url, stored, time.time() + 60) == []


def _arrive(
    server: BareServer, host_id: int, spooled: Spooled, agent: RealAgent
) -> None:
    """Wait until all that was seen in the spool of the real agent is stored; an error names what is not, and where it is."""

    def missing() -> list[int]:
        return sorted(spooled.times - {*_stored(server).get(host_id, ())})

    try:
        wait_until("the samples seen in the spool", lambda: not missing())
    except AssertionError as error:
        lost, still = missing(), spooled.waiting()
        told = f"{len(lost)} of {len(spooled.times)} are not stored: {lost}"
        where = f"{len(still.intersection(lost))} of them are still in the spool"
        raise AssertionError(f"{error}; {told}; {where}\n{agent.log}") from None


def _kill_each(server: BareServer, agent: RealAgent) -> None:
    for name in ("store", "portal", "ingest"):
        time.sleep(1.5)
        server.kill(name)
        server.start(name)
        agent.kill()
        agent.start()


def _stored(server: BareServer) -> dict[int, list[int]]:
    return stored_samples(server.mongo_url)
