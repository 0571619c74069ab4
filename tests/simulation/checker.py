"""Compares what was acknowledged to simulated agents with what the store holds: nothing lost, nothing double."""

import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pymongo

from monitor.packed import unpack_points, unpack_samples
from monitor.records import HOUR_SECONDS, host_of_key, unit_of_key
from monitor.series import Selection
from monitor.store import MetricStore
from monitor.tiers import MINUTE, RAW
from tests.simulation.agents import SimulatedAgent
from tests.simulation.payloads import MARK

ROLL_UP_AT_ONCE = 500


@dataclass
class Verdict:
    """What was found; samples as (host id, milliseconds).

    Attributes:
        acknowledged, stored: how many.
        lost: acknowledged and not there.
        double: there more than once.
        foreign: there, but nobody sent them.
        unanswered: there, but the answer was lost on its way; no fault.
    """

    acknowledged: int = 0
    stored: int = 0
    lost: list[tuple[int, int]] = field(default_factory=list)
    double: list[tuple[int, int]] = field(default_factory=list)
    foreign: list[tuple[int, int]] = field(default_factory=list)
    unanswered: int = 0

    @property
    def faults(self) -> int:
        """How many samples are wrong."""
        return len(self.lost) + len(self.double) + len(self.foreign)

    def __str__(self) -> str:
        return (
            f"{self.acknowledged:,} acknowledged, {self.stored:,} stored, {len(self.lost)} lost, "
            f"{len(self.double)} double, {len(self.foreign)} that nobody sent, {self.unanswered} stored without an answer"
        )


def compare(
    agents: Sequence[SimulatedAgent], stored: Mapping[int, Sequence[int]]
) -> Verdict:
    """Compare.

    Args:
        stored: host id -> milliseconds of all its samples, as often as they are there.
    """
    verdict = Verdict()
    for agent in agents:
        times = Counter(stored.get(agent.host_id, ()))
        told = {agent.time_of(seq) for seq in agent.acknowledged}
        sent = {agent.time_of(seq) for seq in range(1, agent.sent + 1)}
        host = agent.host_id
        verdict.acknowledged += len(told)
        verdict.stored += times.total()
        verdict.lost += [(host, at) for at in sorted(told - times.keys())]
        verdict.double += [(host, at) for at, count in times.items() if count > 1]
        verdict.foreign += [(host, at) for at in sorted(times.keys() - sent)]
        verdict.unanswered += len((times.keys() & sent) - told)
    return verdict


def stored_samples(url: str, database: str = "adminset") -> dict[int, list[int]]:
    """Read the moments of all single samples that lie in the store, each as often as it is there: host id -> milliseconds."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        for doc in client[database]["chunks"].find({}, {"b": 1, "t": 1}):
            found[host_of_key(doc["b"])].extend(array("q", doc["t"]))
        for doc in client[database][RAW.table].find():
            times = unpack_samples(doc["z"], Selection(())).times
            found[host_of_key(doc["b"])].extend(times.tolist())
    return found


def roll_up_everything(url: str, database: str = "adminset") -> None:
    """Roll up what there is, finished or not."""
    store, later = MetricStore(url, database), time.time() + 3 * HOUR_SECONDS
    while store.roll_up(ROLL_UP_AT_ONCE, now=later) == ROLL_UP_AT_ONCE:
        pass
    store.close()


def counted_samples(url: str, before: float) -> Counter[int]:
    """Read how many samples the slots of a minute were computed from: host id -> samples of slots that begin before a moment."""
    found: Counter[int] = Counter()
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        for doc in client["adminset"][MINUTE.table].find():
            start = unit_of_key(doc["b"])
            marks = unpack_points(doc["z"], start, MINUTE.seconds, Selection([MARK]))
            for points in marks.values():
                counts = points.inside(start, before).counts
                found[host_of_key(doc["b"])] += int(counts.sum())
    return found


def miscounted(
    url: str, stored: Mapping[int, Sequence[int]], before: float
) -> list[int]:
    """Give the hosts whose slots count other than their samples.

    Args:
        stored: host id -> milliseconds.
        before: Unix seconds, at which everything was rolled up; what comes later, and in that minute, does not count.
    """
    whole = before // MINUTE.seconds * MINUTE.seconds
    counted = counted_samples(url, whole)
    times = {h: {at for at in some if at < whole * 1000} for h, some in stored.items()}
    return [host for host, some in times.items() if counted[host] != len(some)]
