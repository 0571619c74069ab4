"""A report of measurements on its way: stored in a group with others, answered, noted."""

import functools
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from cmdb.services import agents, signs
from cmdb.services.recent import Recent
from cmdb.services.signs import Sign
from monitor import watching
from monitor.arrivals import Arrival
from monitor.grouped_writes import Group
from monitor.metric_store import store
from monitor.noted import Notes
from monitor.packages import asking
from monitor.policy import policy_of
from monitor.prometheus import counters
from monitor.series import Sample
from monitor.store import Status, StoreUnavailable
from monitor.tables_of_hosts import Table

LIVE_SECONDS = 30
# What the store does not keep; agents need not send it again.
REFUSALS: dict[Status, str] = {
    "left_out": "The host has too many series: none of the sample's are kept.",
    "hour_full": "The host has too many samples in this hour.",
}
PACE_SECONDS = 240.0
MOST_PACES = 50_000
# Host -> how often its agent shall sample and send.
paces = Recent(PACE_SECONDS, MOST_PACES)


@dataclass(frozen=True, slots=True)
class Write:
    """What one report wants stored."""

    host_id: int
    samples: Sequence[Sample]
    tables: Sequence[Table] = ()


def wanted(arrival: Arrival) -> Write | None:
    """Give what a report wants stored; None for nothing at all."""
    write = Write(
        arrival.agent.host_id,
        [item.sample for item in arrival.samples if not item.refused],
        arrival.report.tables,
    )
    return write if write.samples or write.tables else None


def note(arrival: Arrival, notes: Notes, statuses: Sequence[Status] = ()) -> bool:
    """Note that the agent has spoken, and what was not kept; False where its boot id has to be judged first (`touch`)."""
    dropped = arrival.report.dropped
    if full := statuses.count("hour_full"):
        dropped.note_left_out({"hour_full": full})
    if dropped:
        notes.note_dropped(arrival.agent.host_id, dropped)
        counters.count_left_out(dropped.implausible.total(), dropped.left_out)
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
    sent_at = arrival.report.sent_at - arrival.report.since_set
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
        else _told(item.seq, next(given))
        for item in arrival.samples
    ]
    said: dict[str, Any] = {"results": results, **wishes(arrival.agent.host_id)}
    dropped = arrival.report.dropped
    if any(dropped.left_out.values()):
        said["left_out"] = dropped.left_out
    if dropped.implausible:
        said["implausible"] = dict(dropped.implausible.most_common(20))
    return said


def _told(seq: int, status: Status) -> dict[str, Any]:
    if refused := REFUSALS.get(status):
        return {"seq": seq, "status": "refused", "message": refused}
    return {"seq": seq, "status": status}


def wishes(host_id: int | None) -> dict[str, Any]:
    """Give what every answer to a report says: the time, how often to sample and send, and whether somebody watches."""
    said: dict[str, Any] = {
        "time": time.time(),
        "settings": {
            "sample_seconds": settings.AGENT_SAMPLE_SECONDS,
            "flush_seconds": settings.AGENT_FLUSH_SECONDS,
            "facts_seconds": settings.AGENT_FACTS_SECONDS,
            "sample_age_seconds": settings.AGENT_MAX_SAMPLE_AGE_SECONDS,
            **(paces.get(host_id) or {}),
        },
    }
    if host_id is not None and watching.was_watched(host_id):
        said["live"] = {"seconds": LIVE_SECONDS}
    if host_id is not None and asking.was_asked(host_id):
        said["send"] = ["packages"]
    return said


def is_pace_known(host_id: int) -> bool:
    """Say whether the policy of a host was looked up lately."""
    return paces.get(host_id) is not None


def learn_paces(host_ids: Iterable[int]) -> None:
    """Look the policies of hosts up that are not known, for some minutes."""
    unknown = [host_id for host_id in host_ids if not is_pace_known(host_id)]
    found = policy_of(unknown) if unknown else {}
    for host_id, policy in found.items():
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
