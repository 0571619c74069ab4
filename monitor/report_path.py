"""The one way of a report through the portal, whoever runs it: the agents' door beside its event loop, or Django's views in their own thread."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar

from cmdb.services.agents import AgentIdentity
from cmdb.services.signs import Repeated
from monitor import arrivals, facts_reception, reception
from monitor.noted import Notes
from monitor.prometheus import counters
from monitor.reception import Write
from monitor.store import Status, StoreUnavailable

# Longer than the store's own patience: whoever waits hears from the store.
WAIT_SECONDS = 30.0
Told = ParamSpec("Told")
Result = TypeVar("Result")
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A report as it came: who sent it, its inflated body, from where, and when it began to arrive (Unix seconds)."""

    agent: AgentIdentity
    body: bytes
    address: str
    arrived: float


class Ways(Protocol):
    """How the steps of a report are done."""

    notes: Notes

    async def read(self, read: Callable[..., Result], sent: Sent) -> Result:
        """Read the body, which takes time by its size."""

    async def aside(
        self, work: Callable[Told, Result], *told: Told.args, **more: Told.kwargs
    ) -> Result:
        """Do something that waits for SQL."""

    async def store(self, write: Write) -> list[Status]:
        """Store in a group with others; raises StoreUnavailable."""

    async def is_repeated(self, repeated: Repeated) -> bool:
        """Take facts that say nothing new, with those of others; False where they have to be looked at."""

    def note_later(self) -> None:
        """See that the notes are written."""


async def metrics(ways: Ways, sent: Sent) -> Answer:
    """Store a batch of samples durably under the agent's own host; gives the answer of docs/agent-protocol.md.

    Raises:
        DomainError: it cannot be read, or a copy of another machine's credential speaks; nothing is stored.
        StoreUnavailable: nothing is acknowledged; the agent keeps its spool.
    """
    agent = sent.agent
    arrival = await ways.read(arrivals.read, sent)
    if arrivals.clock_steps(arrival) != agent.clock_steps:
        arrival = await ways.aside(arrivals.keep_clock, arrival)
    await _learn(ways, agent)
    write = reception.wanted(arrival)
    statuses = await ways.store(write) if write else []
    counters.count_samples(statuses)
    if not reception.note(arrival, ways.notes, statuses):
        await ways.aside(reception.touch, arrival)
    ways.note_later()
    return reception.answer(arrival, statuses)


async def facts(ways: Ways, sent: Sent) -> Answer:
    """Let the CMDB take what the host says it is; a list of packages is kept where it was asked for.

    Raises:
        DomainError: as `metrics`.
    """
    told = await ways.read(facts_reception.read, sent)
    if told.packages or not await ways.is_repeated(told.repeated):
        status = await ways.aside(facts_reception.absorb, told)
    else:
        status = "unchanged"
    await _learn(ways, sent.agent)
    return {"status": status, **reception.wishes(sent.agent.host_id)}


async def _learn(ways: Ways, agent: AgentIdentity) -> None:
    if not reception.is_pace_known(agent.host_id):
        await ways.aside(reception.learn_paces, [agent.host_id])


@dataclass
class Here:
    """Does every step in the thread that asks: one report at a time."""

    notes: Notes = field(default_factory=Notes)

    async def read(self, read: Callable[..., Result], sent: Sent) -> Result:
        """Read the body."""
        return read(sent.agent, sent.body, address=sent.address, arrived=sent.arrived)

    async def aside(
        self, work: Callable[Told, Result], *told: Told.args, **more: Told.kwargs
    ) -> Result:
        """Do it."""
        return work(*told, **more)

    async def store(self, write: Write) -> list[Status]:
        """Store in a group with those of other threads."""
        waiting = reception.group().submit(write, len(write.samples) + 1)
        try:
            return waiting.result(WAIT_SECONDS)
        except TimeoutError:
            raise StoreUnavailable("it takes too long") from None

    async def is_repeated(self, repeated: Repeated) -> bool:
        """Look at each by itself."""
        return False

    def note_later(self) -> None:
        """Write them now."""
        self.notes.write()


def here(
    way: Callable[[Ways, Sent], Coroutine[Any, Any, Answer]], sent: Sent
) -> Answer:
    """Go a way in this thread; none of its steps waits for a loop, so that it is over when it was begun."""
    going = way(Here(), sent)
    try:
        going.send(None)
    except StopIteration as over:
        answer: Answer = over.value
        return answer
    going.close()
    raise RuntimeError("a step of a report waits for an event loop that is not there")
