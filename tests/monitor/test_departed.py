"""Hosts that go: their measurements go too, or move to the host that they turned out to be; the CMDB waits for no store."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Agent, Host, IdentityConflict
from cmdb.services import hosts, merging
from monitor import departed, tasks
from monitor.checks.samples import number_of
from monitor.models import MovingMeasurements
from monitor.prometheus.lanes import lane_of, lanes_of
from monitor.series import Sample
from monitor.store import MetricStore, StoreUnavailable
from monitor.tables_of_hosts import Table
from tests.factories import make_host

Capture = Callable[..., Any]
CPU, OWN = "cpu.busy_percent", "custom.node_load1"
DAY = 86400
TABLES = (
    *("chunks", "tier_raw", "tier_minute", "tier_ten_minutes", "tier_two_hours"),
    *("tier_day", "due_hours", "due_days", "latest", "tables", "custom", "sweeps"),
)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What workers are called for."""
    calls: list[Any] = []
    monkeypatch.setattr(
        "monitor.departed.current_app.send_task",
        lambda name, args: calls.append((name, args)),
    )
    return calls


def fill(store: MetricStore, host: Host) -> None:
    """Give a host all kinds of measurements: of now, of an hour ago, of long ago, of a Prometheus, and a list."""
    now = time.time()
    store.write(host.pk, [Sample(now - n * 15, {CPU: float(n)}) for n in range(4)])
    store.write(host.pk, [Sample(now - 7200, {CPU: 7.0})])
    store.write_history(
        host.pk, [Sample(now - 30 * DAY + n, {CPU: 3.0}) for n in range(99)]
    )
    store.write(lane_of(host.pk, OWN), [Sample(now, {OWN: 1.0})])
    store.keep_tables(host.pk, [Table("units", now, ("name",), [["ssh"]])])
    store.ensure_indexes()
    store.roll_up(now=now + 1)
    store.drop_old(now=now)


def left_of(store: MetricStore, host_id: int) -> dict[str, int]:
    """Count what the store still has of a host, by collection."""
    keys = [host_id, *lanes_of(host_id)]
    with store._door.open() as db:
        counts = {
            name: sum(
                str(doc["_id"]).partition(":")[0].lstrip("0") in map(str, keys)
                for doc in db[name].find({}, {"_id": 1})
            )
            for name in TABLES
        }
    return {name: count for name, count in counts.items() if count}


def values_of(
    store: MetricStore, host_id: int, ago: float, until: float = 0
) -> list[float]:
    """Give the CPU values of a host in a range, from the oldest on."""
    now = time.time()
    line = store.series(host_id, [CPU], now - ago, now - until + 1).series.get(CPU)
    return [value for value in line.average if value is not None] if line else []


def test_a_host_that_is_deleted_takes_all_its_measurements_with_it_and_no_others(
    admin: User,
    measurements: MetricStore,
    called: list[Any],
    django_capture_on_commit_callbacks: Capture,
) -> None:
    host, other = make_host(), make_host()
    for each in (host, other):
        fill(measurements, each)
    pk, before = host.pk, left_of(measurements, other.pk)
    assert {"latest", "tables", "tier_ten_minutes", "chunks"} <= set(
        left_of(measurements, pk)
    )
    with django_capture_on_commit_callbacks(execute=True):
        hosts.delete_host(actor=admin, instance=host)
    assert called == [(departed.TASK, [pk])]
    tasks.settle_host(pk)
    assert left_of(measurements, pk) == {}
    assert left_of(measurements, other.pk) == before


def test_a_host_is_deleted_though_neither_store_nor_broker_answers(
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Capture,
) -> None:
    def away(*_told: Any) -> None:
        raise OSError("no broker")

    monkeypatch.setattr("monitor.departed.current_app.send_task", away)
    host = make_host()
    with django_capture_on_commit_callbacks(execute=True):
        hosts.delete_host(actor=admin, instance=host)
    assert not Host.objects.exists()


def test_a_store_that_is_away_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    class Away:
        def delete_host(self, _key: int) -> None:
            raise StoreUnavailable("away")

    monkeypatch.setattr(departed, "store", Away)
    with pytest.raises(StoreUnavailable):
        departed.settle(4711)
    assert StoreUnavailable in tasks.settle_host.autoretry_for


def test_a_deletion_that_is_rolled_back_costs_nothing(
    admin: User, measurements: MetricStore, called: list[Any]
) -> None:
    host = make_host()
    fill(measurements, host)
    departed.settle(host.pk)
    assert values_of(measurements, host.pk, 60)


def test_the_look_of_the_day_finds_what_nobody_told_of(
    admin: User, measurements: MetricStore
) -> None:
    gone, there = make_host(), make_host()
    for host in (gone, there):
        fill(measurements, host)
    now, pk = time.time(), gone.pk
    measurements.write(number_of(77), [Sample(now, {"custom.check_up": 1.0})])
    Host.objects.filter(pk=pk).delete()
    assert departed.sweep() == 1
    assert left_of(measurements, pk) == {}
    assert measurements.last_seen([number_of(77)]) == {}
    assert values_of(measurements, there.pk, 60)


def test_a_portal_with_the_wrong_database_deletes_nothing(
    measurements: MetricStore, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departed, "MOST_UNKNOWN", 2)
    sample = Sample(time.time(), {CPU: 1.0})
    measurements.write_many({key: [sample] for key in (101, 102, 103)})
    assert departed.sweep() == 0
    assert measurements.hosts() == [101, 102, 103]


def test_measurements_of_a_merged_host_show_on_the_one_that_stays_and_again_on_both_after_an_undo(
    admin: User,
    measurements: MetricStore,
    called: list[Any],
    django_capture_on_commit_callbacks: Capture,
) -> None:
    kept, gone = make_host("kept"), make_host("gone")
    fill(measurements, gone)
    now, pk = time.time(), gone.pk
    measurements.write(kept.pk, [Sample(now - 5, {CPU: 50.0})])
    with django_capture_on_commit_callbacks(execute=True):
        undo = merging.merge(actor=admin, kept=kept, gone=gone)
    conflict = IdentityConflict.objects.create(kind="clone", fingerprint="x", undo=undo)
    assert (departed.TASK, [pk]) in called
    departed.settle(pk)
    assert not MovingMeasurements.objects.exists()
    assert sorted(values_of(measurements, kept.pk, 600)) == [0.0, 1.0, 2.0, 3.0, 50.0]
    # They may lie on both sides of a slot's edge.
    assert set(values_of(measurements, kept.pk, 31 * DAY, 29 * DAY)) == {3.0}
    assert measurements.last_seen([lane_of(kept.pk, OWN)])
    assert measurements.read_tables(kept.pk)["units"].rows == [["ssh"]]
    departed.sweep()
    merging.unmerge(actor=admin, undo=undo)
    assert len(values_of(measurements, pk, 600)) == 4
    conflict.delete()
    Host.objects.filter(pk=pk).delete()
    departed.sweep()
    assert left_of(measurements, pk) == {}
    assert len(values_of(measurements, kept.pk, 600)) == 5


def test_a_copy_that_is_made_twice_is_the_same(
    measurements: MetricStore, db: None
) -> None:
    one, other = make_host(), make_host()
    fill(measurements, one)
    measurements.copy_host(one.pk, other.pk)
    first = values_of(measurements, other.pk, 31 * DAY)
    measurements.copy_host(one.pk, other.pk)
    assert values_of(measurements, other.pk, 31 * DAY) == first
    assert (
        len(measurements.samples_of(other.pk, time.time() - 8000, time.time() + 1)) == 5
    )


def test_the_measurements_of_a_discovered_host_come_along_when_it_is_linked(
    admin: User,
    measurements: MetricStore,
    called: list[Any],
    django_capture_on_commit_callbacks: Capture,
) -> None:
    discovered, entered = make_host("found"), make_host("entered")
    agent = Agent.objects.create(host=discovered, secret_hash="x")
    fill(measurements, discovered)
    pk = discovered.pk
    with django_capture_on_commit_callbacks(execute=True):
        hosts.link_agent(actor=admin, agent=agent, host=entered)
    departed.settle(pk)
    assert len(values_of(measurements, entered.pk, 600)) == 4
    assert left_of(measurements, pk) == {}
