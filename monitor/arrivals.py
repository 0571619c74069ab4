"""A report of measurements that was read: its times put right by what is known of the host's clock, and judged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from cmdb.services import agents, signs
from cmdb.services.agents import AgentIdentity
from monitor import clocks
from monitor.body import Limits
from monitor.intake import (
    MetricsReport,
    ReportedSample,
    parse_metrics,
    refused_by_time,
)
from monitor.metric_store import limits, plans
from monitor.noted import note_clock
from monitor.prometheus import counters
from monitor.series import Sample

# A report whose newest sample is younger, by the host's clock, has the newest of all.
FRESH_SECONDS = 300.0
# A sample may lie in the future by so much more than its clock may be off unnoticed.
EARLY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A report that was read, with who sent it, from where, and when it began to arrive (Unix seconds).

    `samples` are those of the report with their times put right, and refused where these may not be.
    """

    agent: AgentIdentity
    report: MetricsReport
    address: str
    at: float
    samples: Sequence[ReportedSample] = ()

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
    bounds = limits()
    report = parse_metrics(body, bounds, arrived, plans())
    agents.ensure_no_copy(agent, report.boot_id or "")
    return _put_right(Arrival(agent, report, address, arrived), bounds)


def clock_steps(arrival: Arrival) -> clocks.Steps:
    """Say by how much this agent's samples are put right from now on; the same as before where nothing changed."""
    known, seen = arrival.agent.clock_steps, _seen(arrival)
    if seen is None:
        return known
    return clocks.revised(known, seen, settings.AGENT_CLOCK_TOLERANCE_SECONDS)


def _seen(arrival: Arrival) -> clocks.Seen | None:
    """Give what a report shows of the clock that its samples were taken by; None where it shows nothing."""
    report = arrival.report
    if not report.samples or report.is_of_old_boot:
        return None
    if report.clock is not None and report.clock_offset is None and arrival.ahead < 0:
        # It is late, or came late: an agent that numbers its clocks will have measured it the next time.
        return None
    numbers = [item.seq for item in report.samples]
    age = report.sent_at - max(item.sample.time for item in report.samples)
    return clocks.Seen(
        boot=arrival.boot_id,
        first=min(numbers),
        last=max(numbers),
        off=arrival.ahead - report.since_set,
        clock=report.clock,
        is_newest=_is_of_now(report) and age < FRESH_SECONDS,
        is_known_boot=arrival.agent.boot_id == arrival.boot_id,
    )


def _is_of_now(report: MetricsReport) -> bool:
    return not report.is_of_old_boot and abs(report.since_set) <= clocks.SAME_CLOCK


def keep_clock(arrival: Arrival) -> Arrival:
    """Keep new steps before anything is stored by them, and put the samples right; the row may have others meanwhile."""
    steps = signs.note_clock(
        agent=arrival.agent,
        revise=lambda known: clock_steps(_of(arrival, known)),
    )
    newest = max(item.seq for item in arrival.report.samples) + 1
    if _is_of_now(arrival.report):
        clock, boot = arrival.report.clock, arrival.boot_id
        seconds = clocks.seconds_for(steps, boot, newest, clock)
        note_clock(arrival.agent.host_id, boot, seconds)
    counters.CLOCKS.inc()
    return _put_right(_of(arrival, steps), limits())


def _of(arrival: Arrival, steps: clocks.Steps) -> Arrival:
    return replace(arrival, agent=replace(arrival.agent, clock_steps=steps))


def _put_right(arrival: Arrival, bounds: Limits) -> Arrival:
    """Move the samples by the agent's steps, and judge their times."""
    early = clocks.FAR * settings.AGENT_CLOCK_TOLERANCE_SECONDS + EARLY_SECONDS
    samples = []
    for item in arrival.report.samples:
        moved = _moved(arrival, item)
        refused = refused_by_time(moved.time, bounds, arrival.at, early)
        samples.append(ReportedSample(item.seq, moved, item.refused or refused))
    return replace(arrival, samples=samples)


def _moved(arrival: Arrival, item: ReportedSample) -> Sample:
    steps = arrival.agent.clock_steps
    if not steps:
        return item.sample
    off = clocks.seconds_for(steps, arrival.boot_id, item.seq, arrival.report.clock)
    return Sample(item.sample.time - off, item.sample.values) if off else item.sample
