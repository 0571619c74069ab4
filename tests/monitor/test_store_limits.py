"""What a host may have in the store: series in a day, samples in an hour; what is beyond is told and not kept."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from monitor.custom_series import custom_names
from monitor.remembering import Held
from monitor.series import Sample
from monitor.shapes import Shapes
from monitor.store import MetricStore
from monitor.tiers import StoreOptions
from tests.mongo import TestDatabase
from tests.monitor.storing import CPU, HOUR, NOW, Clock

Make = Callable[..., MetricStore]


@pytest.fixture
def limited(database: TestDatabase, clock: Clock) -> Iterator[Make]:
    """Make stores with limits of their own."""
    made: list[MetricStore] = []

    def make(**options: Any) -> MetricStore:
        store = MetricStore(database.url, database.name, StoreOptions(**options), clock)
        store.ensure_indexes()
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()


def test_a_sample_of_which_nothing_is_kept_is_not_said_to_be_stored(
    limited: Make,
) -> None:
    store = limited(custom_series=2)
    values = {f"custom.x|n={n}": 1.0 for n in range(2)}
    assert store.write(1, [Sample(HOUR, values)]) == ["stored"]
    third = Sample(HOUR + 15, {"custom.x|n=3": 1.0})
    half = Sample(HOUR + 30, {"custom.x|n=4": 1.0, CPU: 2.0})
    left_out: Counter[str] = Counter()
    told = store.write_many({1: [third, half, third]}, left_out)
    assert told == {1: ["left_out", "stored", "duplicate"]}
    assert left_out == {"left_out": 2}
    assert [s.values for s in store.samples_of(1, HOUR, NOW)] == [values, {CPU: 2.0}]


def test_names_that_nobody_knows_count_as_custom(limited: Make) -> None:
    store = limited(custom_series=5)
    for n in range(20):
        store.write(1, [Sample(HOUR + n, {f"foo.bar|x={n}": 1.0, CPU: 1.0})])
    kept = {name for s in store.samples_of(1, HOUR, NOW) for name in s.values}
    assert len(kept) == 6
    assert store.custom_series([1])[1].left_out == 15


def test_parts_that_change_their_names_all_day_find_an_end(
    limited: Make, clock: Clock
) -> None:
    store = limited(daily_series=40)
    names = [f"container.cpu_percent|c{n}" for n in range(200)]
    for n, name in enumerate(names):
        store.write_many(
            {
                1: [Sample(HOUR + n, {CPU: 1.0, name: 2.0})],
                2: [Sample(HOUR + n, {CPU: 1.0})],
            }
        )
    found = store.samples_of(1, HOUR, NOW)
    assert len(found) == 200
    kept = {name for sample in found for name in sample.values}
    assert {CPU, names[0]} <= kept
    assert 40 <= len(kept) <= 50
    assert len(store.samples_of(2, HOUR, NOW)) == 200
    assert store.custom_series([1, 2]) == {}
    # Each day is a new one.
    clock.now += 86400
    assert store.write(1, [Sample(clock.now, {names[150]: 1.0})]) == ["stored"]


def test_a_host_with_few_names_in_many_orders_keeps_all(limited: Make) -> None:
    store = limited(daily_series=40)
    names = [f"container.cpu_percent|c{n}" for n in range(30)]
    for n in range(300):
        some = {names[(n * 7 + i) % 30]: 1.0 for i in range(1 + n % 9)}
        assert store.write(1, [Sample(HOUR + n, some)]) == ["stored"]
    found = store.samples_of(1, HOUR, NOW)
    assert {name for s in found for name in s.values} == set(names)


def test_an_hour_takes_so_many_samples(limited: Make, clock: Clock) -> None:
    def batch(first: int, count: int) -> list[Sample]:
        return [Sample(HOUR + 0.5 * n, {CPU: 1.0}) for n in range(first, first + count)]

    one, other = (limited(hour_samples=lambda _host: 80) for _ in range(2))
    assert set(one.write(1, batch(0, 50))) == {"stored"}
    # Each process learns what the others have written.
    left_out: Counter[str] = Counter()
    told = other.write_many({1: batch(50, 50), 2: batch(0, 10)}, left_out)
    assert Counter(told[1]) == {"stored": 30, "hour_full": 20}
    assert left_out == {"hour_full": 20}
    assert set(told[2]) == {"stored"}
    assert set(one.write(1, batch(200, 30))) <= {"stored", "hour_full"}
    assert 80 <= len(one.samples_of(1, HOUR, NOW)) <= 90
    assert one.write(1, [Sample(HOUR + 3600, {CPU: 1.0})]) == ["stored"]
    # Nor is there room for late ones when the hour is packed.
    clock.now += 7200
    while one.roll_up(now=clock.now):
        pass
    fresh = limited(hour_samples=lambda _host: 80)
    assert set(fresh.write(1, batch(2000, 20))) == {"hour_full"}


def test_new_lists_of_names_cost_one_question_together(
    limited: Make, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = limited()
    asked: list[int] = []
    ids_of = Shapes.ids_of

    def counted(shapes: Shapes, tables: Any, lists: Any) -> Any:
        asked.append(len(lists))
        return ids_of(shapes, tables, lists)

    monkeypatch.setattr(Shapes, "ids_of", counted)
    batch = [Sample(HOUR + n, {CPU: 1.0, f"custom.n{n}": 1.0}) for n in range(100)]
    store.write(1, batch)
    # All of the samples', and that of the newest.
    assert asked == [100, 1]
    assert raw.shapes.count_documents({}) == 100
    assert store.samples_of(1, HOUR, NOW) == batch


def test_what_is_remembered_is_bounded_by_names() -> None:
    held: Held[int, str] = Held(most=100)
    for n in range(50):
        held.put(n, "x", names=9)
        assert held.names <= 100
    assert len(held) == 10
    assert held.get(49) == "x"
    assert held.get(0) is None
    held.put(49, "y", names=1)
    assert (held.get(49), held.names) == ("y", 92)
    assert custom_names((CPU, "custom.a", "foo.b|x")) == {"custom.a", "foo.b|x"}
