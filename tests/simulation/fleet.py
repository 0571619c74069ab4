"""Runs many simulated agents in one event loop: they measure, send, keep what was not taken, and come again as the agent does."""

import asyncio
import heapq
import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import uvloop

from agent.patience import CATCH_UP_PAUSE, pause_after
from agent.schedule import Backoff, fraction
from agent.sender import ACTIONS, RETRY, STORED, Reply
from agent.shipper import MOST_SAMPLES
from tests.bench.figures import percentile
from tests.simulation.agents import SimulatedAgent
from tests.simulation.connection import Answer, Connection
from tests.simulation.payloads import report


class _Result(msgspec.Struct):
    seq: int
    status: str


class _Results(msgspec.Struct):
    results: list[_Result]


RESULTS = msgspec.json.Decoder(_Results)


@dataclass(frozen=True, slots=True)
class Pace:
    """How the agents of a fleet behave.

    Attributes:
        flush_seconds: between two reports, at a moment of its own for each.
        first_seconds: within so long all of them report for the first time.
        answer_seconds: an answer that takes longer is given up.
        most_pause: after a failure nobody waits longer than that.
        drain_seconds: at the end they may send so long what is left.
        tables: each report has the table of processes.
    """

    flush_seconds: float = 60
    first_seconds: float = 60
    answer_seconds: float = 30
    most_pause: float = 300
    drain_seconds: float = 60
    tables: bool = True


@dataclass
class Outcome:
    """What came of it; latencies in seconds, from the first byte to the last, new connections included.

    Attributes:
        asked: for each latency the seconds since the start at which the request began.
    """

    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    asked: "array[float]" = field(default_factory=lambda: array("d"))
    statuses: Counter[int] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    words: dict[int, bytes] = field(default_factory=dict)
    first_acknowledged: dict[int, float] = field(default_factory=dict)
    empty: dict[int, float] = field(default_factory=dict)
    late: float = 0.0
    seconds: float = 0.0

    @property
    def wrong(self) -> int:
        """How many answers nobody should get: neither stored nor "come again", and samples that were refused."""
        good = (200, 429, 503)
        answers = sum(n for status, n in self.statuses.items() if status not in good)
        return answers + self.results["refused"]

    def p(self, share: float) -> float:
        """Give the latency in milliseconds that this share of the requests did not exceed."""
        return percentile(self.latencies, share) * 1000 if self.latencies else 0.0

    def p99_by_minute(self) -> list[float]:
        """Give the 99th percentile of each minute's requests in milliseconds: a start is told from the long run by it."""
        minutes: defaultdict[int, list[float]] = defaultdict(list)
        for moment, took in zip(self.asked, self.latencies, strict=True):
            minutes[int(moment // 60)].append(took)
        return [percentile(minutes[n], 0.99) * 1000 for n in sorted(minutes)]

    def slowest(self, most: int = 5) -> list[tuple[float, float]]:
        """Give the slowest requests: (seconds since the start, seconds it took)."""
        pairs = zip(self.latencies, self.asked, strict=True)
        return [(moment, took) for took, moment in heapq.nlargest(most, pairs)]


class Fleet:
    """The agents of one run.

    Args:
        ports: of the portal; each agent speaks to one of them.
    """

    def __init__(
        self, agents: Sequence[SimulatedAgent], ports: Sequence[int], pace: Pace
    ) -> None:
        self.agents, self.ports, self.pace = agents, ports, pace
        self.outcome = Outcome()
        self._start = self._end = self._last = 0.0
        self._over = asyncio.Event()

    def run(self, seconds: float, *, until_empty: bool = False) -> Outcome:
        """Let them measure and send for some seconds, and then send what is left.

        Args:
            until_empty: no longer than until each of them had once sent everything.
        """
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._run(seconds, until_empty))
        return self.outcome

    async def _run(self, seconds: float, until_empty: bool) -> None:
        self._start = time.time()
        self._end = self._start + seconds
        self._last = self._end + self.pace.drain_seconds
        async with asyncio.TaskGroup() as group:
            for agent in self.agents:
                group.create_task(self._live(agent))
            if until_empty:
                group.create_task(self._end_when_empty())
        self.outcome.seconds = time.time() - self._start

    async def _end_when_empty(self) -> None:
        while time.time() < self._end:
            if len(self.outcome.empty) == len(self.agents):
                self._end = time.time()
                self._over.set()
            await asyncio.sleep(0.1)

    async def _over_before(self, moment: float) -> bool:
        """Sleep until a moment; True at once where the end comes first."""
        try:
            async with asyncio.timeout(max(moment - time.time(), 0)):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    async def _live(self, agent: SimulatedAgent) -> None:
        backoff, connection = Backoff(), None
        # Spread as the agents spread themselves.
        due = self._start + fraction(agent.token) * self.pace.first_seconds
        while due < self._end:
            if await self._over_before(due):
                break
            self.outcome.late = max(self.outcome.late, time.time() - due)
            connection = await self._deliver(agent, connection, backoff)
            while due <= time.time():
                due += self.pace.flush_seconds
        if connection:
            connection.close()

    async def _deliver(
        self, agent: SimulatedAgent, connection: Connection | None, backoff: Backoff
    ) -> Connection | None:
        """Send, newest first, until nothing waits or the time is over."""
        while True:
            agent.measure(min(time.time(), self._end))
            batch = agent.newest(MOST_SAMPLES)
            if not batch:
                return connection
            if not connection or not connection.is_open:
                connection = await self._connected(agent)
            answer = await self._ask(agent, connection, batch)
            if self._settle(agent, answer, batch):
                backoff.reset()
                pause = CATCH_UP_PAUSE
            else:
                pause = self._pause(answer, backoff)
            if not agent.spool:
                self.outcome.empty.setdefault(agent.number, time.time() - self._start)
                return connection
            if time.time() + pause > self._last:
                return connection
            await asyncio.sleep(pause)

    async def _connected(self, agent: SimulatedAgent) -> Connection | None:
        try:
            return await Connection.to(self.ports[agent.number % len(self.ports)])
        except OSError as error:
            self.outcome.faults[type(error).__name__] += 1
            return None

    async def _ask(
        self, agent: SimulatedAgent, connection: Connection | None, batch: list[int]
    ) -> Answer | None:
        if connection is None:
            return None
        now = time.time()
        samples = [(seq, agent.time_of(seq)) for seq in batch]
        sent = report(agent.number, agent.token, samples, now, tables=self.pace.tables)
        agent.sent = max(agent.sent, batch[-1])
        before = time.monotonic()
        asked = time.time() - self._start
        try:
            answer = await connection.ask(sent, self.pace.answer_seconds)
        except OSError as error:
            self.outcome.faults[type(error).__name__] += 1
            connection.close()
            return None
        self.outcome.latencies.append(time.monotonic() - before)
        self.outcome.asked.append(asked)
        return answer

    def _settle(
        self, agent: SimulatedAgent, answer: Answer | None, batch: list[int]
    ) -> bool:
        """Take what the portal acknowledged out of the spool."""
        if answer is None:
            return False
        self.outcome.statuses[answer.status] += 1
        if ACTIONS.get(answer.status) != STORED:
            self.outcome.words[answer.status] = answer.body[:300]
            return False
        results = RESULTS.decode(answer.body).results
        self.outcome.results.update(each.status for each in results)
        named = [each.seq for each in results]
        assert named == batch, (named, batch)
        agent.drop(named)
        agent.acknowledged.extend(e.seq for e in results if e.status != "refused")
        now = time.time() - self._start
        self.outcome.first_acknowledged.setdefault(agent.number, now)
        return True

    def _pause(self, answer: Answer | None, backoff: Backoff) -> float:
        status, wait = (answer.status, answer.retry_after) if answer else (0, None)
        reply = Reply(ACTIONS.get(status, RETRY), status, {}, "", wait)
        return min(pause_after(reply, backoff), self.pace.most_pause)
