"""Many hosts read together: each gives what it gives alone, and what was measured, whatever happened to its data."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.collection import Collection

from monitor.drawing import draw
from monitor.series import Sample
from monitor.store import MetricStore, StoreUnavailable
from monitor.tiers import Retention, StoreOptions
from tests.monitor.storing import CPU, HOUR, NOW, Clock, brute_force

DAY = 86400
DISK, NET = "fs.used_percent", "net.received_bytes_per_second"
HOSTS = (*range(1, 8), 9, 30)
PATTERNS = (["*"], [CPU], [f"{DISK}|*", f"{NET}|*"], ["custom.n"], ["nobody.sends"])
SPANS = (600, 3600, 7000, 6 * 3600, DAY, 3 * DAY, 30 * DAY, 300 * DAY)


def moments(dice: random.Random, host: int) -> list[float]:
    """A host's own step, with jitter and a hole of forty minutes."""
    step = {2: 5, 4: 300}.get(host, 30)
    times = [NOW - 12_000 + step * i for i in range(12_000 // step)]
    times = [t + dice.choice((0, 0.25)) for t in times if not 3000 < NOW - t < 5400]
    return times[::-1] if host == 3 else times


def values(dice: random.Random, host: int, i: int) -> dict[str, float]:
    """A counter that begins anew, a disk that comes and goes, an interface that one host has, a value that is missing now and then."""
    made = {CPU: round(dice.uniform(0, 100), 2), "custom.n": float(i % 97)}
    if i // 50 % 2:
        made[f"{DISK}|/tmp/x"] = dice.random()
    if i % 7:
        made[f"{NET}|eth0"] = float(dice.randrange(10**9))
    if host == 5:
        made[f"{NET}|eth1"] = 1.5
    return made


@pytest.fixture
def awkward(store: MetricStore, clock: Clock) -> dict[int, list[Sample]]:
    """Hosts in every state: packed, late after it, half an hour old, with history only, and one that never sent (9)."""
    dice = random.Random(3)  # noqa: S311
    sent: dict[int, list[Sample]] = {}
    for host in range(1, 8):
        times = moments(dice, host)
        sent[host] = [Sample(t, values(dice, host, i)) for i, t in enumerate(times)]
        cut = len(times) // 2 if host == 6 else len(times)
        store.write(host, sent[host][:cut])
    store.roll_up(now=NOW + 200)
    # Late into hours that are packed; host 7 fell silent.
    for host in (1, 6):
        late = [Sample(NOW - 9000 + 7 * i, values(dice, host, i)) for i in range(60)]
        store.write(host, [*late, *sent[host]])
        known = {sample.milliseconds for sample in sent[host]}
        sent[host] += [each for each in late if each.milliseconds not in known]
    past = [Sample(NOW - 20 * DAY + 600 * i, {CPU: float(i)}) for i in range(2800)]
    store.write_history(30, past)
    return sent


def test_many_hosts_give_what_each_gives_alone(
    store: MetricStore, awkward: dict[int, list[Sample]]
) -> None:
    own = {4: Retention(3600, 7200, 2 * DAY, 20 * DAY)}
    options = StoreOptions(
        retention_of=lambda keys: {k: own[k] for k in keys if k in own}
    )
    for kept in (store.options, options):
        store.options = kept
        for span in SPANS:
            for patterns in PATTERNS:
                together = store.columns(HOSTS, patterns, NOW - span, NOW, 300)
                assert together.keys() == set(HOSTS)
                for host in HOSTS:
                    alone = store.series(host, patterns, NOW - span, NOW, 300)
                    drawn = draw(together[host], alone.newest)
                    assert drawn == alone, (host, span, patterns)


def test_single_samples_of_many_hosts_are_those_that_were_sent(
    store: MetricStore, awkward: dict[int, list[Sample]]
) -> None:
    found = store.columns(HOSTS, ["*"], NOW - 20_000, NOW, 50_000)
    for host, sent in awkward.items():
        assert found[host].tier == "raw"
        names = {name for sample in sent for name in sample.values}
        assert found[host].points.keys() == names
        for name in names:
            ordered = sorted((s.time, s.values[name]) for s in sent if name in s.values)
            points = found[host].points[name]
            assert points.times.tolist() == [time for time, _value in ordered]
            assert points.average.tolist() == [value for _time, value in ordered]
    assert not found[9].points


def test_slots_of_many_hosts_are_computed_from_all_that_was_sent(
    store: MetricStore, awkward: dict[int, list[Sample]]
) -> None:
    found = store.columns(HOSTS, [CPU], NOW - DAY, NOW, 200)
    for host, sent in awkward.items():
        points = found[host].points[CPU]
        wanted = brute_force(sent)
        assert points.times.tolist() == sorted(wanted)
        lows, highs = points.lows.tolist(), points.highs.tolist()
        rows = zip(points.times, points.average, lows, highs, strict=True)
        for time, average, low, high in rows:
            assert (average, low, high) == pytest.approx(wanted[time], rel=1e-14)


def test_a_group_averages_what_its_hosts_measured_before_and_after_the_roll_up(
    store: MetricStore, awkward: dict[int, list[Sample]], clock: Clock
) -> None:
    hosts = list(awkward)
    before = store.read_many(hosts, CPU, HOUR - DAY / 2, NOW)
    clock.now = NOW + 7200
    while store.roll_up(now=clock.now):
        pass
    clock.now = NOW
    after = store.read_many(hosts, CPU, HOUR - DAY / 2, NOW)
    assert before.lines.keys() == after.lines.keys() == awkward.keys()
    for host, line in before.lines.items():
        for one, two in zip(line, after.lines[host], strict=True):
            assert (one is None) is (two is None)
            assert one is None or one == pytest.approx(two, rel=1e-14)


@pytest.mark.parametrize(
    "ask",
    [
        lambda store, hosts: store.columns(hosts, [CPU], NOW - 3000, NOW, 300),
        lambda store, hosts: store.columns(hosts, [CPU], NOW - DAY, NOW, 300),
        lambda store, hosts: store.read_many(hosts, CPU, NOW - 3000, NOW),
    ],
    ids=["samples", "slots", "a group"],
)
def test_many_hosts_cost_few_calls(
    store: MetricStore,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[MetricStore, list[int]], Any],
) -> None:
    step = [Sample(NOW - 3000 + 15 * i, {CPU: float(i)}) for i in range(8)]
    store.write_many(dict.fromkeys(range(1, 101), step))
    calls: list[str] = []
    find = Collection.find

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(self.name)
        return find(self, *args, **kwargs)

    monkeypatch.setattr(Collection, "find", counted)
    ask(store, list(range(1, 101)))
    # Each ten hosts share one, where the store is asked by an index; more where it is by key.
    assert calls.count("due_hours") == calls.count("chunks") == 10
    assert len(calls) <= 30


def test_a_chart_of_no_hosts_does_not_ask_the_store() -> None:
    store = MetricStore(
        "mongodb://127.0.0.1:9/", options=StoreOptions(select_seconds=0.1)
    )
    with pytest.raises(StoreUnavailable):
        store.read_many([1], CPU, HOUR, HOUR + 600)
    found = store.read_many([], CPU, HOUR, HOUR + 600)
    assert found.lines == {}
    assert len(found.times) > 1
    store.close()
