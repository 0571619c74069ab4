"""What becomes of reports that are not as they should be: limits, wrong clocks, copies, revocation; and what each answer says."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adminset import maintenance
from cmdb.models import Agent, Host, HostGroup
from cmdb.services import agents, standing
from monitor import metric_store, watching
from monitor.models import HostIntake
from monitor.policy import policies
from monitor.policy_models import CollectionPolicy
from monitor.store import MetricStore
from tests.monitor.conftest import Reporter, busy_lines

Batch = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _look_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each report looks whether agents changed: no test waits two seconds for that."""
    monkeypatch.setattr(standing, "LOOK_SECONDS", 0.0)
    watching.forget()
    metric_store.plans.cache_clear()
    yield
    metric_store.plans.cache_clear()
    watching.forget()


def _times(store: MetricStore, host: Host) -> list[float]:
    now = time.time()
    found = store.series(host.pk, ["cpu.busy_percent"], now - 3600, now + 3600)
    line = found.series.get("cpu.busy_percent")
    pairs = zip(found.times, line.average, strict=True) if line else ()
    return [moment for moment, value in pairs if value is not None]


def test_every_answer_says_the_time_and_the_portals_wishes(
    reporter: Reporter, batch: Batch
) -> None:
    body = reporter.post("metrics", batch(1)).json()
    assert abs(body["time"] - time.time()) < 5
    assert set(body["settings"]) >= {"sample_seconds", "flush_seconds"}
    assert "live" not in body
    assert "left_out" not in body


def test_an_agent_whose_host_somebody_watches_is_told_so(
    reporter: Reporter, batch: Batch
) -> None:
    watching.watch(reporter.host.pk)
    watching.look()
    body = reporter.post("metrics", batch(1)).json()
    assert body["live"] == {"seconds": 30}


def test_values_that_cannot_be_true_are_dropped_counted_and_kept_with_the_host(
    reporter: Reporter, measurements: MetricStore, batch: Batch
) -> None:
    body = batch(2)
    for sample in body["samples"]:
        sample["values"]["memory.used_bytes"] = 5e18
    answer = reporter.post("metrics", body).json()
    assert [each["status"] for each in answer["results"]] == ["stored", "stored"]
    assert answer["implausible"] == {"memory.used_bytes": 2}
    assert HostIntake.objects.get().implausible == {"memory.used_bytes": 2}
    assert len(busy_lines(measurements, reporter.host.pk)) == 2
    reporter.post("metrics", body)
    assert HostIntake.objects.get().implausible == {"memory.used_bytes": 4}


def test_a_sample_of_nothing_but_nonsense_is_refused_alone(
    reporter: Reporter, batch: Batch
) -> None:
    body = batch(2)
    body["samples"][0]["values"] = {"cpu.busy_percent": -900.0}
    answer = reporter.post("metrics", body).json()
    assert [each["status"] for each in answer["results"]] == ["refused", "stored"]


def test_parts_beyond_the_limit_are_said_in_the_answer_and_kept_with_the_host(
    reporter: Reporter, batch: Batch, settings: Any
) -> None:
    settings.AGENT_MAX_MOUNTS = 2
    body = batch(1, left_out={"interfaces": 7, "mounts": 0})
    values = body["samples"][0]["values"]
    values |= {f"fs.used_bytes|/{n}": 1.0 for n in range(5)}
    answer = reporter.post("metrics", body).json()
    assert answer["left_out"] == {"mounts": 3, "interfaces": 7}
    assert HostIntake.objects.get().left_out == {"mounts": 3, "interfaces": 7}


def test_the_newest_state_of_lists_is_kept(
    reporter: Reporter, measurements: MetricStore, batch: Batch, settings: Any
) -> None:
    settings.AGENT_MAX_TABLE_ROWS = 2
    table = {
        "name": "processes",
        "time": time.time(),
        "columns": ["pid", "name"],
        "rows": [[1, "init\x1b[2J"], [2, "x" * 900], [3, "left out"]],
        "left_out": 5,
    }
    unknown = table | {"name": "../x"}
    answer = reporter.post("metrics", batch(1, tables=[table, unknown])).json()
    assert answer["left_out"] == {"tables": 1, "rows": 1}
    kept = measurements.read_tables(reporter.host.pk)["processes"]
    assert [list(row) for row in kept.rows] == [[1, "init?[2J"], [2, "x" * 200]]
    assert kept.left_out == 6


@pytest.mark.parametrize("off", [600.0, -600.0])
def test_samples_of_a_clock_that_is_off_are_put_right_and_it_is_shown(
    reporter: Reporter, measurements: MetricStore, batch: Batch, off: float
) -> None:
    body = batch(3, sent_at=time.time() + off)
    right = [sample["time"] for sample in body["samples"]]
    for sample in body["samples"]:
        sample["time"] += off
    reporter.post("metrics", body)
    stored = _times(measurements, reporter.host)
    assert stored == pytest.approx(right, abs=1.5)
    agent = Agent.objects.get()
    assert agent.clock_offset_seconds == pytest.approx(off, abs=2)
    again = reporter.post("metrics", body | {"sent_at": time.time() + off})
    assert {each["status"] for each in again.json()["results"]} == {"duplicate"}


def test_a_clock_that_jumps_moves_only_what_was_measured_after_it(
    reporter: Reporter, measurements: MetricStore, batch: Batch
) -> None:
    before = batch(2)
    reporter.post("metrics", before)
    after = batch(1, first_seq=3, sent_at=time.time() + 900)
    after["samples"][0]["time"] += 900
    reporter.post("metrics", after)
    again = reporter.post("metrics", before | {"sent_at": time.time() + 900}).json()
    assert [each["status"] for each in again["results"]] == ["duplicate"] * 2
    assert max(_times(measurements, reporter.host)) < time.time() + 2


def test_a_batch_in_reversed_order_is_answered_in_its_own(
    reporter: Reporter, measurements: MetricStore, batch: Batch
) -> None:
    body = batch(4)
    body["samples"].reverse()
    answer = reporter.post("metrics", body).json()
    assert [each["seq"] for each in answer["results"]] == [4, 3, 2, 1]
    assert busy_lines(measurements, reporter.host.pk) == [10.0, 11.0, 12.0, 13.0]


def test_a_new_boot_counts_from_one_again(
    reporter: Reporter, measurements: MetricStore, batch: Batch
) -> None:
    first = batch(2)
    for sample in first["samples"]:
        sample["time"] -= 120
    reporter.post("metrics", first)
    answer = reporter.post("metrics", batch(2, boot_id="b2")).json()
    assert {each["status"] for each in answer["results"]} == {"stored"}
    assert Agent.objects.get().boot_id == "b2"
    assert len(busy_lines(measurements, reporter.host.pk)) == 4


def test_an_agent_that_is_revoked_behind_our_back_is_refused(
    reporter: Reporter, measurements: MetricStore, batch: Batch
) -> None:
    assert reporter.post("metrics", batch(1)).status_code == 200
    # As another process does it: nothing of this one is told.
    Agent.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert reporter.post("metrics", batch(1, first_seq=2)).status_code == 401
    assert len(busy_lines(measurements, reporter.host.pk)) == 1


def test_an_agent_whose_host_is_deleted_is_refused(
    reporter: Reporter, batch: Batch
) -> None:
    assert reporter.post("metrics", batch(1)).status_code == 200
    Host.objects.filter(pk=reporter.host.pk).delete()
    assert reporter.post("metrics", batch(1, first_seq=2)).status_code == 401


def test_an_agent_that_waits_to_be_let_in_is_told_to_wait(
    reporter: Reporter, batch: Batch
) -> None:
    assert reporter.post("metrics", batch(1)).status_code == 200
    Agent.objects.update(approved_at=None)
    answer = reporter.post("metrics", batch(1, first_seq=2))
    assert answer.status_code == 503
    assert answer["Retry-After"]


def test_signs_of_life_do_not_make_processes_ask_anew(
    reporter: Reporter, batch: Batch, django_assert_num_queries: Any
) -> None:
    reporter.post("metrics", batch(1))
    standing.look()
    seen = standing._seen[1]
    agent = Agent.objects.get()
    agents.forget_recent()
    Agent.objects.filter(pk=agent.pk).update(last_seen_at=None, address=None)
    reporter.post("metrics", batch(1, first_seq=2))
    assert Agent.objects.get().last_seen_at is not None
    standing.look()
    assert standing._seen[1] == seen


def test_no_secret_is_remembered_in_clear(reporter: Reporter, batch: Batch) -> None:
    reporter.post("metrics", batch(1))
    secret = reporter.token.partition(".")[2]
    assert secret not in repr(agents.recall.__globals__["proved"].__dict__)


def test_in_maintenance_agents_are_told_to_come_back(
    reporter: Reporter,
    measurements: MetricStore,
    batch: Batch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(maintenance, "state", lambda: {"message": "New disks."})
    answer = reporter.post("metrics", batch(1))
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert busy_lines(measurements, reporter.host.pk) == []


def test_how_often_to_send_follows_the_policy_of_the_hosts_group(
    reporter: Reporter, batch: Batch, group: HostGroup
) -> None:
    reporter.host.groups.add(group)
    CollectionPolicy.objects.create(
        host_group=group, sample_seconds=5, flush_seconds=40
    )
    policies.forget()
    said = reporter.post("metrics", batch(1)).json()["settings"]
    assert (said["sample_seconds"], said["flush_seconds"]) == (5, 40)
    policies.forget()
