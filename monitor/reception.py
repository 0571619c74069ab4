"""A report of measurements on its way: read, put right, stored in a group with others, answered."""

import functools
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.utils import timezone

from cmdb.services import agents, signs
from cmdb.services.agents import AgentIdentity
from cmdb.services.recent import Recent
from cmdb.services.signs import Sign
from monitor import clocks, watching
from monitor.grouped_writes import Group
from monitor.intake import MetricsReport, ReportedSample, parse_metrics
from monitor.metric_store import limits, plans, store
from monitor.noted import Notes
from monitor.policy import policy_of
from monitor.series import Sample
from monitor.store import Status, StoreUnavailable
from monitor.tables_of_hosts import Table

LIVE_SECONDS = 30
PACE_SECONDS = 240.0
MOST_PACES = 50_000
# Host -> how often its agent shall sample and send.
paces = Recent(PACE_SECONDS, MOST_PACES)
# Longer than the store's own patience: whoever waits hears from the store.
WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Write:
    """What one report wants stored."""

    host_id: int
    samples: Sequence[Sample]
    tables: Sequence[Table] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A report that was read, with who sent it, from where, and when it began to arrive (Unix seconds)."""

    agent: AgentIdentity
    report: MetricsReport
    address: str
    at: float

    @property
    def boot_id(self) -> str:
        """The boot id as the agents' table keeps it."""
        return (self.report.boot_id or "")[:64]

    @property
    def ahead(self) -> float:
        """Seconds by which the host's clock is ahead of ours."""
        return clocks.ahead(self.report.sent_at, self.at, self.report.clock_offset)


def read(agent: AgentIdentity, body: bytes, *, address: str, arrived: float) -> Arrival:
    """Read a report.

    Args:
        body: inflated JSON.

    Raises:
        DomainError: it cannot be read, or a copy of another machine's credential speaks.
    """
    report = parse_metrics(body, limits(), arrived, plans())
    agents.ensure_no_copy(agent, report.boot_id or "")
    return Arrival(agent, report, address, arrived)


def clock_steps(arrival: Arrival) -> clocks.Steps:
    """Say by how much this agent's samples are put right from now on; the same as before where nothing changed."""
    known = arrival.agent.clock_steps
    first = min((item.seq for item in arrival.report.samples), default=None)
    if first is None:
        return known
    return clocks.revised(
        known,
        arrival.boot_id,
        first,
        arrival.ahead,
        settings.AGENT_CLOCK_TOLERANCE_SECONDS,
        known=arrival.agent.boot_id == arrival.boot_id,
    )


def keep_clock(arrival: Arrival, steps: clocks.Steps) -> Arrival:
    """Keep new steps before anything is stored by them."""
    signs.note_clock(agent=arrival.agent, steps=steps)
    return replace(arrival, agent=replace(arrival.agent, clock_steps=steps))


def wanted(arrival: Arrival) -> Write | None:
    """Give what a report wants stored; None for nothing at all."""
    write = Write(
        arrival.agent.host_id,
        [_moved(arrival, item) for item in arrival.report.samples if not item.refused],
        arrival.report.tables,
    )
    return write if write.samples or write.tables else None


def submit(arrival: Arrival) -> list[Status]:
    """Store what a report wants, in a group with others: gives a status for each sample that is not refused.

    Raises:
        StoreUnavailable: nothing is acknowledged.
    """
    write = wanted(arrival)
    if write is None:
        return []
    try:
        return group().submit(write, len(write.samples) + 1).result(WAIT_SECONDS)
    except TimeoutError:
        raise StoreUnavailable("it takes too long") from None


def _moved(arrival: Arrival, item: ReportedSample) -> Sample:
    steps = arrival.agent.clock_steps
    off = clocks.seconds_for(steps, arrival.boot_id, item.seq) if steps else 0
    return Sample(item.sample.time - off, item.sample.values) if off else item.sample


def note(arrival: Arrival, notes: Notes) -> bool:
    """Note that the agent has spoken; False where its boot id has to be judged first (`touch`)."""
    if arrival.report.dropped:
        notes.note_dropped(arrival.agent.host_id, arrival.report.dropped)
    if not signs.is_due(arrival.agent, arrival.boot_id):
        return True
    if arrival.agent.boot_id != arrival.boot_id:
        return False
    signs.note_spoken(arrival.agent, arrival.boot_id)
    sign = Sign(timezone.now(), arrival.address, round(arrival.ahead, 1))
    notes.note_sign(arrival.agent.pk, sign)
    return True


def touch(arrival: Arrival) -> None:
    """Note that the agent has spoken with a boot id that is new, or somebody else's."""
    times = [each.sample.time for each in arrival.report.samples if not each.refused]
    sent_at = arrival.report.sent_at
    agents.touch(
        agent_id=arrival.agent.pk,
        boot_id=arrival.boot_id,
        address=arrival.address,
        clock_offset=round(arrival.ahead, 1),
        age=sent_at - max(times, default=sent_at),
    )


def answer(arrival: Arrival, statuses: Sequence[Status]) -> dict[str, Any]:
    """Say what became of each sample, in the order sent, and what the portal wishes."""
    given = iter(statuses)
    results = [
        {"seq": item.seq, "status": "refused", "message": item.refused}
        if item.refused
        else {"seq": item.seq, "status": next(given)}
        for item in arrival.report.samples
    ]
    said: dict[str, Any] = {"results": results, **wishes(arrival.agent.host_id)}
    dropped = arrival.report.dropped
    if any(dropped.left_out.values()):
        said["left_out"] = dropped.left_out
    if dropped.implausible:
        said["implausible"] = dict(dropped.implausible.most_common(20))
    return said


def wishes(host_id: int | None) -> dict[str, Any]:
    """Give what every answer to a report says: the time, how often to sample and send, and whether somebody watches."""
    said: dict[str, Any] = {
        "time": time.time(),
        "settings": {
            "sample_seconds": settings.AGENT_SAMPLE_SECONDS,
            "flush_seconds": settings.AGENT_FLUSH_SECONDS,
            "facts_seconds": settings.AGENT_FACTS_SECONDS,
            **(paces.get(host_id) or {}),
        },
    }
    if host_id is not None and watching.was_watched(host_id):
        said["live"] = {"seconds": LIVE_SECONDS}
    return said


def is_pace_known(host_id: int) -> bool:
    """Say whether the policy of a host was looked up lately."""
    return paces.get(host_id) is not None


def learn_pace(host_id: int) -> None:
    """Look the policy of a host up, for some minutes."""
    policy = policy_of([host_id])[host_id]
    pace = {
        "sample_seconds": policy.sample_seconds,
        "flush_seconds": policy.flush_seconds,
    }
    paces.put(host_id, pace)


def write_group(writes: Sequence[Write]) -> list[list[Status]]:
    """Store what many reports want, durably and at once: gives the statuses of each one's samples.

    Raises:
        StoreUnavailable: nothing is acknowledged.
    """
    batches: defaultdict[int, list[Sample]] = defaultdict(list)
    for write in writes:
        batches[write.host_id] += write.samples
    found = store().write_many(batches) if any(batches.values()) else {}
    if tables := _newest_tables(writes):
        store().keep_many_tables(tables)
    given = {host_id: iter(statuses) for host_id, statuses in found.items()}
    return [[next(given[each.host_id]) for _ in each.samples] for each in writes]


def _newest_tables(writes: Sequence[Write]) -> dict[int, list[Table]]:
    newest: dict[int, dict[str, Table]] = {}
    for write in writes:
        mine = newest.setdefault(write.host_id, {}) if write.tables else {}
        for table in write.tables:
            known = mine.get(table.name)
            if known is None or table.time >= known.time:
                mine[table.name] = table
    return {host_id: list(tables.values()) for host_id, tables in newest.items()}


def _is_not_the_store(error: Exception) -> bool:
    """Say whether a group that failed may be tried again in parts: not while the store is away."""
    return not isinstance(error, StoreUnavailable) or store().ping().ok


@functools.cache
def group() -> Group[Write, list[Status]]:
    """Give the one group of this process."""
    return Group(
        "intake",
        write_group,
        threads=settings.INTAKE_GROUP_THREADS,
        window=settings.INTAKE_GROUP_MILLISECONDS / 1000,
        most=settings.INTAKE_GROUP_SAMPLES,
        spares=_is_not_the_store,
    )
