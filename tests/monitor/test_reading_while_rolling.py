"""Reading beside a roll-up, and before one that is late: nothing is missing."""

from collections.abc import Callable
from typing import Any

import pytest

from monitor.reading import Reader
from monitor.store import MetricStore
from monitor.writing import SETTLE_SECONDS
from tests.monitor.storing import CPU, HOUR, Clock, known, samples

LATER = HOUR + 86400.0 + 2 * SETTLE_SECONDS


def cpu_of(store: MetricStore, start: float, end: float) -> list[float]:
    """Read the readings of the one metric, one a slot."""
    found = store.series(1, [CPU], start, end, max_points=1000)
    return known(found.series[CPU].average) if CPU in found.series else []


@pytest.mark.parametrize("hours", [1, 30])
def test_an_hour_that_is_rolled_up_between_two_questions_is_not_missed(
    store: MetricStore, clock: Clock, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    store.write(1, samples(240))
    clock.now = LATER
    begin, end = HOUR + 3600 - hours * 3600.0, HOUR + 3600.0
    before = cpu_of(store, begin, end)
    assert before

    waiting: Callable[..., Any] = Reader._waiting_of_many

    def rolled_up_after_it(*told: Any) -> Any:
        found = waiting(*told)
        store.roll_up(now=LATER)
        return found

    def rolled_up_before_it(*told: Any) -> Any:
        store.roll_up(now=LATER)
        return waiting(*told)

    for meddled in (rolled_up_after_it, rolled_up_before_it):
        monkeypatch.setattr(Reader, "_waiting_of_many", meddled)
        assert cpu_of(store, begin, end) == before


def test_single_samples_are_not_missed_either(
    store: MetricStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(1, samples(240))
    waiting = Reader.waiting

    def rolled_up_after_it(*told: Any) -> Any:
        found = waiting(*told)
        monkeypatch.setattr(Reader, "waiting", waiting)
        store.roll_up(now=LATER)
        return found

    monkeypatch.setattr(Reader, "waiting", rolled_up_after_it)
    assert len(store.samples_of(1, HOUR, HOUR + 3600)) == 240


def test_a_day_that_waits_for_its_roll_up_is_drawn_whole(
    store: MetricStore, clock: Clock
) -> None:
    for hour in range(20):
        store.write(1, samples(60, HOUR + hour * 3600.0, 60))
    clock.now = HOUR + 20 * 3600.0
    drawn = store.series(1, [CPU], HOUR, HOUR + 20 * 3600.0, max_points=130)
    assert drawn.resolution >= 600
    assert None not in drawn.series[CPU].average[:-1]
    assert sum(known(drawn.series[CPU].average)) > 0
