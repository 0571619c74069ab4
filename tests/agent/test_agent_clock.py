"""Which clock a sample was taken by, and what the portal is told of it."""

import time

import pytest

from agent import wire
from agent.clock import Base, Clock, clock_of
from agent.identity import boot_id
from agent.sampler import Sampler
from agent.wire import metrics


def test_a_clock_has_one_number_until_it_is_set(hands):
    base = Base()
    first = base.now()
    for _ in range(1000):
        hands.wall += 60.00003
        hands.steady += 60
        assert base.now() == first
    hands.wall += 600
    assert base.now() == pytest.approx(first + 600, abs=0.1)


def test_a_sample_says_which_clock_it_was_taken_by(hands):
    sampler = Sampler()
    before = sampler.sample()
    hands.wall += 3600
    after = sampler.sample()
    assert after["time"] - before["time"] == 3600
    assert clock_of(after) - clock_of(before) == 3600


def test_a_host_that_sleeps_has_the_same_clock_and_the_portal_the_same_time(
    hands, monkeypatch
):
    asleep = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: hands.steady - asleep)
    base, clock = Base(), Clock()
    first = base.now()
    clock.learn(hands.wall, hands.steady, hands.steady)
    hands.wall += 7200
    hands.steady += 7200
    asleep = 7200.0
    assert base.now() == first
    assert clock.offset() == 0.0


def test_a_batch_has_samples_of_one_clock(spool, sample):
    for number in range(1, 10):
        clock = 100.0 if number < 4 else 700.0
        spool.append(dict(sample(number, boot_id=boot_id()), clock=clock))
    found = []
    while True:
        batch = spool.newest(200)
        if batch is None:
            break
        found.append((batch.clock, [entry["seq"] for entry in batch.samples]))
        spool.remove(batch, [entry["seq"] for entry in batch.samples])
    assert found == [(700.0, [4, 5, 6, 7, 8, 9]), (100.0, [1, 2, 3])]


def test_what_an_agent_of_old_has_kept_is_sent_without_a_clock(spool, sample):
    spool.append(sample(1, boot_id=boot_id()))
    spool.append(dict(sample(2, boot_id=boot_id()), clock=100.0))
    with_clock = spool.newest(200)
    assert metrics(with_clock)["clock"] == 100.0
    spool.remove(with_clock, [2])
    body = metrics(spool.newest(200))
    assert set(body) == {"boot_id", "sent_at", "samples"}


@pytest.mark.parametrize("damaged", ["x", None, True, float("inf"), [1]])
def test_a_clock_that_is_no_number_is_none(damaged):
    assert clock_of({"clock": damaged}) is None


def test_the_portal_is_told_how_far_the_clock_was_set_since(hands, spool, sample):
    spool.append(dict(sample(1, boot_id=boot_id()), clock=Base().now()))
    hands.wall += 3000
    body = metrics(spool.newest(200), -3000.0)
    assert body["current_clock"] - body["clock"] == pytest.approx(3000)
    assert (body["sent_at"], body["clock_offset"]) == (hands.wall, -3000.0)
    assert "clock" not in body["samples"][0]


def test_a_batch_of_the_boot_before_says_which_one_runs(monkeypatch, spool, sample):
    spool.append(sample(1, boot_id="before"))
    body = metrics(spool.newest(200))
    assert (body["boot_id"], body["current_boot_id"]) == ("before", boot_id())
    monkeypatch.setattr(wire, "boot_id", lambda: "before")
    assert "current_boot_id" not in metrics(spool.newest(200))
