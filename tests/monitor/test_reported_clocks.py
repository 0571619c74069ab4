"""Clocks that are set, and boots that end, seen through the real endpoint: no sample twice, each at its right time."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cmdb.models import Agent
from cmdb.services import agents, recent, signs, standing
from monitor import metric_store
from monitor.clocks import Steps
from monitor.models import HostIntake
from monitor.store import MetricStore
from tests.monitor.conftest import Reporter

# Numbers of clocks: what they are ahead of one that nobody sets.
RIGHT = 1_700_000_000.0


@pytest.fixture(autouse=True)
def _look_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(standing, "LOOK_SECONDS", 0.0)
    metric_store.plans.cache_clear()
    yield
    metric_store.plans.cache_clear()


class Host:
    """An agent's host: what it measures, with what clock, and what it says of it."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter, self.began = reporter, time.time()
        self.boot, self.ahead, self.seq = "b1", 0.0, 0

    def measure(self, ago: float) -> dict[str, Any]:
        """Take a sample so many seconds before now, by the clock as it is now."""
        self.seq += 1
        return {
            "seq": self.seq,
            "time": self.began - ago + self.ahead,
            "values": {"cpu.busy_percent": 1.0 + self.seq},
            "taken": {"boot": self.boot, "ahead": self.ahead},
        }

    def send(self, samples: list[dict[str, Any]], **more: Any) -> list[str]:
        """Send samples of one boot and one clock as the agent does; gives what became of each."""
        taken = samples[0]["taken"]
        body = {
            "boot_id": taken["boot"],
            "sent_at": time.time() + self.ahead,
            "clock": RIGHT + taken["ahead"],
            "current_clock": RIGHT + self.ahead,
            "clock_offset": -self.ahead,
            "samples": [
                {name: each[name] for name in ("seq", "time", "values")}
                for each in samples
            ],
        }
        if taken["boot"] != self.boot:
            body["current_boot_id"] = self.boot
        answer = self.reporter.post("metrics", body | more)
        assert answer.status_code == 200, answer.json()
        return [each["status"] for each in answer.json()["results"]]

    def stored(self, store: MetricStore) -> dict[float, float]:
        """Give what the store holds of it: seconds ago -> value."""
        found = store.series(
            self.reporter.host.pk,
            ["cpu.busy_percent"],
            self.began - 9000,
            self.began + 9000,
        )
        line = found.series["cpu.busy_percent"].average
        return {
            round(self.began - moment): value
            for moment, value in zip(found.times, line, strict=True)
            if value is not None
        }


@pytest.fixture
def host(reporter: Reporter) -> Host:
    return Host(reporter)


def test_a_boot_that_is_over_is_not_moved_by_the_clock_of_the_next(
    host: Host, measurements: MetricStore
) -> None:
    old = [host.measure(ago) for ago in (585, 570, 555, 540)]
    host.send(old)
    host.boot, host.seq, host.ahead = "b2", 0, -3000.0
    new = [host.measure(ago) for ago in (30, 15)]
    host.send(new)
    # The answer to the old ones was lost: they come again.
    assert set(host.send(old)) == {"duplicate"}
    assert sorted(host.stored(measurements)) == [15, 30, 540, 555, 570, 585]


def test_a_wrong_clock_of_the_boot_before_is_put_right_after_the_reboot_too(
    host: Host, measurements: MetricStore
) -> None:
    host.ahead = 600.0
    old = [host.measure(ago) for ago in (300, 285, 270, 255)]
    host.send(old[2:])
    host.boot, host.seq, host.ahead = "b2", 0, 0.0
    host.send([host.measure(15)])
    assert set(host.send(old)) == {"stored", "duplicate"}
    assert sorted(host.stored(measurements)) == [15, 255, 270, 285, 300]


def test_samples_from_before_and_after_the_clock_was_set_each_get_their_time(
    host: Host, measurements: MetricStore
) -> None:
    before = [host.measure(ago) for ago in (120, 105, 90)]
    host.ahead = 1800.0
    wrong = [host.measure(ago) for ago in (75, 60)]
    host.ahead = 0.0
    after = [host.measure(ago) for ago in (45, 30)]
    # The newest come first.
    for samples in (after, wrong, before):
        assert set(host.send(samples)) == {"stored"}
    for samples in (before, after, wrong):
        assert set(host.send(samples)) == {"duplicate"}
    assert sorted(host.stored(measurements)) == [30, 45, 60, 75, 90, 105, 120]
    assert HostIntake.objects.get().clock_seconds == 0


def test_a_host_whose_clock_was_hours_off_until_it_was_set_loses_nothing(
    host: Host, measurements: MetricStore
) -> None:
    host.ahead = -86400.0 * 365
    wrong = [host.measure(ago) for ago in (75, 60)]
    host.ahead = 0.0
    assert set(host.send([host.measure(15)])) == {"stored"}
    assert set(host.send(wrong)) == {"stored"}
    assert sorted(host.stored(measurements)) == [15, 60, 75]


def test_a_clock_offset_that_may_not_be_moves_nothing(
    host: Host, measurements: MetricStore
) -> None:
    body = {
        "boot_id": "b1",
        "sent_at": time.time(),
        "clock_offset": -40 * 86400,
        "samples": [{"seq": 1, "time": time.time(), "values": {"load.1": 1.0}}],
    }
    answer = host.reporter.post("metrics", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "clock_skew")
    assert Agent.objects.get().clock_steps == []
    assert (
        host.reporter.post("metrics", body | {"clock_offset": -1e300}).status_code
        == 422
    )


@pytest.mark.parametrize("seconds", [-40 * 86400.0, 40 * 86400.0])
def test_a_time_that_is_impossible_when_it_is_put_right_is_refused(
    host: Host, measurements: MetricStore, seconds: float
) -> None:
    sample = host.measure(0)
    sample["taken"]["ahead"] = seconds
    assert host.send([sample]) == ["refused"]
    assert measurements.latest([host.reporter.host.pk]) == {}


def test_a_report_that_was_read_before_another_ones_step_keeps_that(
    host: Host, measurements: MetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.ahead = 600.0
    first, second = [host.measure(30)], [host.measure(15)]
    host.send(first)
    kept = Agent.objects.get().clock_steps
    assert HostIntake.objects.get().clock_seconds == 600
    stale = agents.AgentIdentity(
        pk=Agent.objects.get().pk,
        host_id=host.reporter.host.pk,
        public_id=Agent.objects.get().public_id,
        boot_id="b1",
    )
    # Another process has not seen the step yet.
    monkeypatch.setattr(recent.proved, "get", lambda _key: stale)
    host.send(second)
    assert Agent.objects.get().clock_steps == kept
    assert sorted(host.stored(measurements)) == [15, 30]


def test_what_this_process_knew_of_an_agent_is_forgotten_with_its_step(
    host: Host,
) -> None:
    host.send([host.measure(30)])
    (agent,) = [known for _until, known in recent.proved._kept.values()]
    steps: Steps = (("b1", 0, 600, RIGHT),)
    assert signs.note_clock(agent=agent, revise=lambda _known: steps) == steps
    assert recent.proved.get(agent.key) is None
    assert RIGHT in Agent.objects.get().clock_steps[0]


def test_a_process_list_of_a_host_that_was_late_is_fresh(
    host: Host, measurements: MetricStore
) -> None:
    for ahead in (-3000.0, 3000.0, 0.0):
        host.ahead = ahead
        table = {
            "name": "processes",
            "time": time.time() + ahead,
            "columns": ["name"],
            "rows": [[f"at {ahead}"]],
        }
        host.send([host.measure(1)], tables=[table])
        kept = measurements.read_tables(host.reporter.host.pk)["processes"]
        assert kept.rows[0][0] == f"at {ahead}"
        assert time.time() - 20 < kept.time <= time.time()


def test_a_table_from_the_end_of_days_is_neither_fresh_for_ever_nor_breaks_the_page(
    host: Host, measurements: MetricStore
) -> None:
    table = {"name": "processes", "time": 1e300, "columns": ["name"], "rows": []}
    host.send([host.measure(1)], tables=[table])
    kept = measurements.read_tables(host.reporter.host.pk)["processes"]
    assert kept.time <= time.time()
    host.send(
        [host.measure(0)], tables=[table | {"time": time.time(), "rows": [["x"]]}]
    )
    assert len(measurements.read_tables(host.reporter.host.pk)["processes"].rows) == 1
