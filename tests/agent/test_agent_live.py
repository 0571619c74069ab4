"""Live mode, clocks, wishes of the portal, tables along with samples, and the agent's own figures."""

import itertools
from types import SimpleNamespace

import pytest

from agent import own as own_figures
from agent.batch import Batch
from agent.clock import Clock
from agent.identity import boot_id
from agent.own import FIELDS, Own
from agent.reporting import WISH_PAUSE, Reporting
from agent.schedule import LONGEST_LIVE, Pace, fraction
from agent.wire import metrics


def test_while_somebody_watches_it_samples_and_sends_each_second():
    pace = Pace(15, 60, 3600)
    pace.watch({"seconds": 30}, 1000.0)
    assert pace.changed.is_set()
    assert (pace.sample_interval(1001.0), pace.flush_interval(1001.0)) == (1, 1)
    assert pace.next_sample(1001.0) - 1001.0 <= 1.5
    slots = {pace.flush_slot(1000.0 + second) for second in range(10)}
    assert len(slots) == 10
    assert (pace.sample_interval(1030.0), pace.flush_interval(1030.0)) == (15, 60)


def test_watching_goes_on_when_it_is_said_again_and_is_never_cut_short():
    pace = Pace(15, 60, 3600)
    pace.watch({"seconds": 30}, 1000.0)
    pace.changed.clear()
    pace.watch({"seconds": 30}, 1020.0)
    pace.watch({"seconds": 1}, 1021.0)
    assert not pace.changed.is_set()
    assert pace.is_live(1049.0)
    pace.watch({"seconds": 1e9}, 1049.0)
    assert not pace.is_live(1049.0 + LONGEST_LIVE)


@pytest.mark.parametrize(
    "live", [None, 30, {}, {"seconds": "30"}, {"seconds": True}, {"seconds": -1}]
)
def test_a_live_wish_that_is_none_changes_nothing(live):
    pace = Pace(15, 60, 3600)
    pace.watch(live, 1000.0)
    assert pace.sample_interval(1000.0) == 15
    assert not pace.changed.is_set()


@pytest.mark.parametrize("wish", [float("nan"), float("inf"), "60", None, True, []])
def test_an_interval_that_is_no_number_is_ignored(wish):
    pace = Pace(15, 60, 3600)
    pace.follow({"flush_seconds": wish})
    pace.follow([wish])
    assert pace.flush_seconds == 60


def test_a_fleet_that_starts_at_once_sends_spread_over_the_whole_interval():
    tenths = [0] * 10
    for number in range(1000):
        pace = Pace(15, 60, 3600)
        pace.warm_up(0.0, f"agent {number}")
        before = pace.flush_slot(6000.0)
        moment = next(
            tick for tick in range(6000, 6061) if pace.flush_slot(tick) != before
        )
        tenths[min((moment - 6000) // 6, 9)] += 1
    assert min(tenths) > 60
    assert fraction("agent 1") == fraction("agent 1") != fraction("agent 2")


def test_it_sends_each_sixty_seconds_four_samples_at_once():
    pace = Pace(15, 60, 3600)
    pace.warm_up(0.0, "some agent")
    now, sent = pace.next_sample(10_000.0), []
    slot = pace.flush_slot(now)
    for _ in range(40):
        now = pace.next_sample(now + 0.01)
        if pace.flush_slot(now) != slot:
            slot = pace.flush_slot(now)
            sent.append(now)
    gaps = {round(after - before) for before, after in itertools.pairwise(sent)}
    assert gaps == {60}


def test_the_clock_offset_is_what_the_portal_says_less_half_the_round_trip(hands):
    clock = Clock()
    assert clock.offset() is None
    clock.learn(hands.wall + 7.0, hands.steady, hands.steady)
    clock.learn(hands.wall + 7.5, hands.steady, hands.steady + 1.0)
    assert clock.offset() == pytest.approx(7.0, abs=0.001)


def test_the_quickest_answer_is_believed(hands):
    clock = Clock()
    clock.learn(hands.wall + 9.0, hands.steady, hands.steady + 4.0)
    clock.learn(hands.wall + 5.05, hands.steady, hands.steady + 0.1)
    assert clock.offset() == pytest.approx(5.0, abs=0.001)


def test_a_step_of_the_hosts_clock_is_seen_before_the_next_answer(hands):
    clock = Clock()
    clock.learn(hands.wall, hands.steady, hands.steady)
    hands.go(60)
    assert clock.offset() == 0.0
    hands.wall -= 3600
    assert clock.offset() == pytest.approx(3600.0)


@pytest.mark.parametrize("said", [None, "now", True, float("nan"), [1]])
def test_a_time_that_is_none_is_not_learned(said):
    clock = Clock()
    clock.learn(said, 1.0, 2.0)
    assert clock.offset() is None


def test_the_body_says_only_what_is_known(sample):
    batch = Batch(boot_id(), [sample(1)], None)
    assert set(metrics(batch)) == {"boot_id", "sent_at", "samples"}
    table = {"name": "units", "rows": []}
    whole = metrics(batch, 0.0, [table], {"mounts": 3})
    assert whole["clock_offset"] == 0.0
    assert whole["tables"] == [table]
    assert whole["left_out"] == {"mounts": 3}


def reporting(asked):
    def gather(wanted):
        asked.append(set(wanted))
        return {"facts": {"hostname": "h"}}

    return Reporting(gather, Pace(15, 60, 3600))


def test_what_the_portal_wants_goes_with_the_next_facts_once(hands):
    asked = []
    desk = reporting(asked)
    assert desk.body()
    desk.done()
    assert desk.body() is None
    desk.wish(["packages", "shadow", 7])
    assert desk.is_due()
    assert desk.body()
    desk.done()
    assert asked[-1] == {"packages"}
    hands.go(61)
    assert desk.body() is None
    assert asked[-1] == set()


def test_a_portal_that_asks_in_every_answer_gets_it_now_and_then(hands):
    asked = []
    desk = reporting(asked)
    for _ in range(int(WISH_PAUSE)):
        desk.wish(["packages"])
        if desk.is_due() and desk.body():
            desk.done()
        hands.go(1)
    assert sum(1 for wanted in asked if wanted) == 1
    desk.wish("packages")
    desk.wish(None)
    assert not desk.wanted


def test_the_agent_measures_itself(monkeypatch):
    counts = SimpleNamespace(failed=3, lost=4)
    figures = Own(lambda: 17, lambda: counts.failed, lambda: counts.lost)
    counts.failed, counts.lost = 5, 10
    values = figures.values()
    own = {field.name for field in FIELDS if field.name.startswith("agent.")}
    assert set(values) == own
    assert values["agent.spool_samples"] == 17
    assert values["agent.send_failures"] == 2
    assert values["agent.lost_samples"] == 6
    assert 5 << 20 < values["agent.rss_bytes"] < 4 << 30
    assert 0 <= values["agent.cpu_seconds_per_second"] < 64
    assert figures.values()["agent.send_failures"] == 0
    monkeypatch.setattr(own_figures, "STATM", "/nowhere")
    assert own_figures.rss_bytes() > 5 << 20
