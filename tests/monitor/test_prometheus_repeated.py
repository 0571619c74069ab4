"""A request of Prometheus that was stored but not answered comes again: known to be there in a few questions, not one for each value."""

import time
from typing import Any

import pytest

from monitor.metric_store import store
from monitor.prometheus import places_of_samples
from monitor.prometheus.lanes import lane_of
from monitor.series import Sample
from monitor.store import MetricStore

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forgetful() -> None:
    """Another process than the one that stored them."""
    places_of_samples.forget()


@pytest.fixture
def questions(measurements: MetricStore, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Note each question to the store."""
    asked: list[Any] = []
    for name in ("columns", "series"):
        real = getattr(MetricStore, name)

        def ask(self: MetricStore, *told: Any, real: Any = real, **more: Any) -> Any:
            asked.append(told[0])
            return real(self, *told, **more)

        monkeypatch.setattr(MetricStore, name, ask)
    return asked


def values_of(host_id: int, name: str) -> list[float]:
    now = time.time()
    found = store().samples_of(lane_of(host_id, name), now - 7200, now + 60)
    return [sample.values[name] for sample in found if name in sample.values]


def test_what_was_stored_already_is_asked_for_many_at_once(
    measurements: MetricStore, questions: list[Any]
) -> None:
    now = round(time.time()) * 1000
    hosts = range(1, 41)
    batch = {
        host: {
            now - 15_000 * n: {"custom.a": 1.0 * n, "custom.b": 2.0} for n in range(5)
        }
        for host in hosts
    }
    assert places_of_samples.keep(batch)[0] == 400
    assert questions == []
    places_of_samples.forget()
    assert places_of_samples.keep(batch)[0] == 400
    # Two lanes a host and five moments each were 400 questions.
    assert 0 < len(questions) <= 4
    for host in hosts:
        assert sorted(values_of(host, "custom.a")) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_what_another_process_put_at_a_moment_moves_only_what_is_not_there(
    measurements: MetricStore,
) -> None:
    now = round(time.time()) * 1000
    lane = lane_of(7, "custom.a")
    other = next(
        f"custom.x{n}" for n in range(99) if lane_of(7, f"custom.x{n}") == lane
    )
    for host in (7, 8):
        measurements.write(
            lane_of(host, "custom.a"), [Sample(now / 1000, {"custom.a": 1.0})]
        )
    both = {"custom.a": 1.0, other: 5.0}
    early = now - 3_600_000
    assert places_of_samples.keep({7: {now: both, early: both}, 8: {now: both}})[0] == 6
    assert values_of(7, "custom.a") == [1.0, 1.0]
    assert values_of(7, other) == [5.0, 5.0]
    assert values_of(8, "custom.a") == [1.0]
    # One millisecond beside another value of that time, and in an hour of its own.
    times = [s.time * 1000 for s in store().samples_of(lane, 0, now / 1000 + 60)]
    assert [round(t) for t in times] == [early, now, now + 1]
