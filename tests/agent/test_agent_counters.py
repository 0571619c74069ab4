"""Counters of this machine that begin anew, or run over: through the whole sampler, no value is made up."""

from collections import namedtuple

import psutil
import pytest

from agent import sampler as samplers
from agent.sampler import Sampler, parts

Traffic = namedtuple(
    "Traffic",
    "bytes_recv bytes_sent packets_recv packets_sent errin errout dropin dropout",
)
NAME = "net.received_bytes_per_second|eth0"


@pytest.fixture
def counted(monkeypatch):
    """A card whose counter reads what the test says, one reading after the other, ten seconds apart."""

    def read(*counts):
        waiting = list(counts)
        steps = iter(range(10, 10_000, 10))

        def counters(**_):
            count = waiting.pop(0)
            return {"eth0": Traffic(count, count, 5, 5, 0, 0, 0, 0)}

        monkeypatch.setattr(psutil, "net_io_counters", counters)
        monkeypatch.setattr(samplers, "LINUX", ())
        made = Sampler()
        made.parts = [part for part in made.parts if part[0] == "network"]
        monkeypatch.setattr(samplers.time, "monotonic", lambda: next(steps))
        return [made.sample()["values"].get(NAME) for _ in counts]

    return read


def test_a_counter_that_begins_anew_gives_no_value_and_then_the_right_ones(counted):
    rates = counted(5_000_000, 5_000_100, 300, 1300, 2300)
    assert rates == [None, 10.0, None, 100.0, 100.0]


@pytest.mark.parametrize("bits", [32, 64])
def test_a_counter_that_runs_over_gives_no_value_and_then_the_right_ones(counted, bits):
    most = 2**bits
    rates = counted(most - 1100, most - 100, 900, 1900)
    assert rates == [None, 100.0, None, 100.0]


def test_no_collector_makes_up_a_value_from_a_counter_that_went_back():
    """All of them, with what this machine counts now: each counter alone was much higher before."""
    for name, collect, rates in parts(False, {}):
        now = collect().counters
        for counter in now:
            before = dict(now, **{counter: now[counter] + 2**31})
            made = rates(before, now, 10.0)
            assert all(value >= 0 for value in made.values()), (name, counter)
            assert counter not in made or made[counter] == 0, (name, counter)
        higher = {counter: count + 2**31 for counter, count in now.items()}
        assert not [v for v in rates(higher, now, 10.0).values() if v], name
