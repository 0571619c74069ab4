"""When samples are taken and how long it waits after a failure."""

import pytest

from agent import sender as http
from agent.patience import pause_after
from agent.schedule import Backoff, Pace
from agent.sender import Reply


def test_back_off_is_random_growing_and_capped():
    backoff = Backoff()
    delays = [backoff.delay() for _ in range(50)]
    assert delays[0] <= 2
    assert all(0 <= delay <= 300 for delay in delays)
    assert max(delays) > 60
    assert len(set(delays)) > 40
    reply = Reply(http.RETRY, 500, {}, "")
    assert pause_after(reply, Backoff()) <= 2


def test_samples_come_on_a_grid_and_missed_ones_are_not_made_up():
    pace = Pace(15, 15, 3600)
    pace.warm_up(0.0, "some agent")
    first = pace.next_sample(1000.0)
    assert 7.5 <= first - 1000.0 <= 22.5
    assert pace.next_sample(first) == pytest.approx(first + 15)
    assert pace.next_sample(first + 0.4) == pytest.approx(first + 15)
    assert 7.5 <= pace.next_sample(first + 999.0) - (first + 999.0) <= 22.5


def test_agents_are_spread_and_a_fresh_one_is_quick():
    def phase(name):
        pace = Pace(15, 15, 3600)
        pace.warm_up(30.0, name)
        return pace.next_sample(1000.0) % 15

    assert len({round(phase(f"agent {number}")) for number in range(50)}) > 5
    warm = Pace(15, 15, 3600)
    warm.warm_up(30.0, "x")
    assert warm.next_sample(10.0) - 10.0 <= 7.5
    assert warm.sample_interval(31.0) == 15
