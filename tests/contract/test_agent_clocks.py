"""The agent's own code and the portal's together: whatever becomes of clocks, boots and answers, each sample has one time, and the right one."""

import json
import random
import time
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agent import batch as batches
from agent import wire
from agent.clock import Base, Clock
from cmdb.services.agents import AgentIdentity
from monitor import arrivals

# Twice the tolerance, what a way and half a second of a drift may hide, and rounding.
CLOSE = 12.0
BEGAN = 1_790_000_000.0
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["measure"] * 4
            + ["send"] * 3
            + ["set", "drift", "boot", "restart", "sleep"]
        ),
        st.floats(-3500, 3500),
    ),
    max_size=80,
)


@dataclass
class World:
    """A host with our agent's clocks and batches, and a portal; `now` is the true time, `ahead` what the host's clock is off.

    The first measurement of each clock is sent while it runs, as that is when the portal hears of it.
    """

    chance: random.Random
    now: float = BEGAN
    ahead: float = 0.0
    up_since: float = BEGAN - 1000
    boot: int = 1
    seq: int = 0
    base: Base = field(default_factory=Base)
    clock: Clock = field(default_factory=Clock)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    taken: dict[tuple[str, int], float] = field(default_factory=dict)
    moved: dict[tuple[str, int], float] = field(default_factory=dict)
    agent: AgentIdentity = field(
        default_factory=lambda: AgentIdentity(1, 1, "a", boot_id="1")
    )

    def wall(self) -> float:
        """Give the host's clock."""
        return self.now + self.ahead

    def steady(self, _which: int = 0) -> float:
        """Give the clock that nobody sets."""
        return self.now - self.up_since

    def measure(self, _amount: float) -> None:
        """Take a sample."""
        self.now += 15
        self.seq += 1
        self.taken[str(self.boot), self.seq] = self.now
        values = {"load.1": 1.0}
        told = {"boot_id": str(self.boot), "seq": self.seq, "values": values}
        self.waiting.append(told | {"time": self.wall(), "clock": self.base.now()})

    def send(self, _amount: float) -> None:
        """Send the newest that wait, as the shipper does; the answer is lost now and then."""
        if not self.clock.readings:
            # Facts go first, and their answer tells the time.
            self.clock.learn(self.now, self.steady(), self.steady())
        if not self.waiting:
            return
        batch = batches.newest(self.waiting, self.chance.choice([1, 3, 200]), None)
        with mock.patch.object(wire, "boot_id", return_value=str(self.boot)):
            body = wire.metrics(batch, self.clock.offset())
        self.arrive(json.dumps(body).encode())
        if self.chance.random() < 0.6:
            gone = {batches.key(entry) for entry in batch.samples}
            self.waiting = [e for e in self.waiting if batches.key(e) not in gone]
            self.clock.learn(self.now, self.steady(), self.steady())

    def arrive(self, body: bytes) -> None:
        """Take a report as the portal does."""
        told: dict[str, Any] = {"address": "", "arrived": self.now}
        arrival = arrivals.read(self.agent, body, **told)
        self.agent = replace(self.agent, clock_steps=arrivals.clock_steps(arrival))
        arrival = arrivals.read(self.agent, body, **told)
        for item in arrival.samples:
            assert not item.refused, item
            key = (arrival.boot_id, item.seq)
            moment = item.sample.time
            assert self.moved.setdefault(key, moment) == moment
            assert abs(moment - self.taken[key]) <= CLOSE

    def set(self, amount: float) -> None:
        """Set the host's clock."""
        self.ahead = amount if self.chance.random() < 0.5 else 0.0

    def drift(self, amount: float) -> None:
        """Let a minute pass in which the clock goes wrong by 0.2 seconds at most, the steady one along with it or not."""
        self.now += 60
        self.ahead += amount / 20000
        if self.chance.random() < 0.5:
            self.up_since -= amount / 20000

    def boot_again(self) -> None:
        """Start anew, all clocks of the boot before having been heard of."""
        self.boot, self.seq = self.boot + 1, 0
        self.up_since = self.now
        self.base, self.clock = Base(), Clock()
        self.agent = replace(self.agent, boot_id=str(self.boot))

    def restart(self, _amount: float) -> None:
        """Start the agent anew."""
        self.base, self.clock = Base(), Clock()

    def sleep(self, _amount: float) -> None:
        """Let the host sleep."""
        self.now += 1800


@given(steps=STEPS, chance=st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=150, deadline=None)
def test_each_sample_has_one_time_and_the_right_one(
    steps: list[tuple[str, float]], chance: random.Random
) -> None:
    world = World(chance)
    with (
        mock.patch.object(time, "time", world.wall),
        mock.patch.object(time, "monotonic", world.steady),
        mock.patch.object(time, "clock_gettime", world.steady),
    ):
        for name, amount in steps:
            if name != "boot":
                getattr(world, name)(amount)
                continue
            # What the portal never heard of a clock while it ran, nobody can tell after the boot: it hears of each here.
            sent = list(world.waiting)
            while world.waiting:
                world.send(0.0)
            # As if every answer had been lost.
            world.waiting = sent
            world.boot_again()
            world.ahead = amount
        for _ in range(200):
            world.send(0.0)
    assert not world.waiting
