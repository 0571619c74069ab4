"""Batches: how they are cut, that one begins when the one before is done, and when they wait for a person."""

from __future__ import annotations

import pytest

from accounts.models import User
from adminset.errors import Conflict, DomainError
from adminset.models import AuditEntry
from cmdb.models import Tag
from tasks.models import Run, RunHost
from tasks.services.batches import sizes
from tasks.services.control import pause_run, resume_run
from tasks.services.execute import _do
from tasks.services.jobs import Job
from tasks.services.launch import RunSpec, request_run
from tests.factories import make_host
from tests.tasks.engine_things import FakeLane, a_run, go_on, statuses, words_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("expression", "count", "expected"),
    [
        ("", 7, [7]),
        ("1 10% 50%", 20, [1, 2, 10, 7]),
        ("1, 10%", 10, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
        ("2", 7, [2, 2, 2, 1]),
        ("30%", 10, [3, 3, 3, 1]),
        ("100%", 3, [3]),
        ("1 *2", 20, [1, 2, 4, 8, 5]),
        ("1 +5", 20, [1, 6, 11, 2]),
        ("50", 3, [3]),
        ("1%", 3, [1, 1, 1]),
    ],
)
def test_an_expression_cuts_hosts_into_batches(
    expression: str, count: int, expected: list[int]
) -> None:
    assert sizes(expression, count) == expected


@pytest.mark.parametrize(
    "expression", ["*2", "+1", "0", "x", "1 200%", "1 *2%", "-1", "1;2", "1 0%", "١"]
)
def test_what_is_no_expression_is_refused_with_an_example(
    admin: User, expression: str
) -> None:
    with pytest.raises(DomainError, match="no size of a batch") as caught:
        a_run(admin, batches=expression)
    assert "1 10% 50%" in caught.value.hint
    assert "batches" in caught.value.fields
    assert not Run.objects.exists()


def test_batches_are_frozen_and_done_one_after_the_other(
    admin: User, fake_lane: FakeLane
) -> None:
    seen: list[tuple[str, int]] = []

    def during(job: Job, row: RunHost) -> None:
        seen.append((row.host_name, Run.objects.get(pk=job.run.pk).batch))

    fake_lane.during = during
    run = a_run(admin, 4, batches="1 2")
    assert run.batch_count == 3
    assert list(run.hosts.values_list("batch", flat=True)) == [0, 1, 1, 2]
    go_on(run)
    assert seen == [("h1", 0), ("h2", 1), ("h3", 1), ("h4", 2)]
    assert (run.status, run.batch) == ("ok", 2)


def by_site(monkeypatch: pytest.MonkeyPatch, **sites: str) -> None:
    monkeypatch.setattr(
        "tasks.services.placing.queues_of",
        lambda hosts: {host.pk: sites[host.hostname] for host in hosts},
    )


def test_a_part_without_host_in_the_batch_waits_without_worker(
    admin: User, fake_lane: FakeLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_site(monkeypatch, h1="a", h2="b", h3="a")
    run = a_run(admin, batches="1")
    first, second = run.parts.order_by("queue")
    assert _do(second.pk, "b1", threaded=False) is False
    second.refresh_from_db()
    assert (second.status, second.worker) == ("waiting", "")
    assert second.reason == "It has no host in batch 1 of 3."
    assert _do(first.pk, "a1", threaded=False) is True
    assert fake_lane.begun == ["h1"]
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("waiting", "queued")
    _do(second.pk, "b1", threaded=False)
    first.refresh_from_db()
    assert first.status == "queued"
    go_on(run)
    assert fake_lane.begun == ["h1", "h2", "h3"]
    assert run.status == "ok"


def test_after_a_batch_with_a_failure_it_waits_for_a_person(
    admin: User, fake_lane: FakeLane
) -> None:
    fake_lane.ends = {"h2": "failed"}
    run = a_run(admin, 4, batches="1", pause_after="failure")
    go_on(run)
    assert fake_lane.begun == ["h1", "h2"]
    assert run.status == "paused"
    assert run.explanation == (
        "Batch 2 of 4 is done. 1 host of it did not end well. Resume it to go on."
    )
    assert run.parts.get().status == "waiting"
    resume_run(actor=admin, run=run)
    go_on(run)
    assert statuses(run) == {"h1": "ok", "h2": "failed", "h3": "ok", "h4": "ok"}
    assert run.explanation == "4 hosts: 3 ok, 1 failed."
    assert AuditEntry.objects.filter(verb="run.resume", actor=admin).count() == 1


def test_a_run_can_wait_after_each_batch(admin: User, fake_lane: FakeLane) -> None:
    run = a_run(admin, 3, batches="1", pause_after="always")
    for expected in (["h1"], ["h1", "h2"]):
        go_on(run)
        assert (run.status, fake_lane.begun) == ("paused", expected)
        assert run.paused_at is not None
        resume_run(actor=admin, run=run)
    go_on(run)
    assert run.status == "ok"


def test_it_stops_when_so_many_failed_and_leaves_the_others_out(
    admin: User, fake_lane: FakeLane
) -> None:
    fake_lane.ends = {"h1": "failed", "h2": "unreachable"}
    run = a_run(admin, 4, stop_percent=50)
    go_on(run)
    assert fake_lane.begun == ["h1", "h2"]
    assert statuses(run) == {
        "h1": "failed",
        "h2": "unreachable",
        "h3": "skipped",
        "h4": "skipped",
    }
    assert words_of(run)["h3"] == (
        "Left out: 2 of 4 hosts did not end well, and the run stops at 50 %."
    )
    assert run.status == "failed"


def test_a_pause_lets_what_runs_end_and_begins_nothing(
    admin: User, fake_lane: FakeLane
) -> None:
    def during(job: Job, row: RunHost) -> None:
        if row.host_name == "h1":
            pause_run(actor=admin, run=job.run)

    fake_lane.during = during
    run = a_run(admin)
    go_on(run)
    assert statuses(run) == {"h1": "ok", "h2": "not_started", "h3": "not_started"}
    assert run.status == "paused"
    assert run.explanation == "Paused by admin. Resume it to go on."
    assert run.paused_by_name == "admin"
    part = run.parts.get()
    assert (part.status, part.lease_until) == ("waiting", None)
    go_on(run)
    assert fake_lane.begun == ["h1"]
    with pytest.raises(Conflict):
        pause_run(actor=admin, run=run)
    resume_run(actor=admin, run=run)
    go_on(run)
    assert (run.status, run.explanation) == ("ok", "3 hosts: 3 ok.")
    with pytest.raises(Conflict, match="not paused"):
        resume_run(actor=admin, run=run)
    assert AuditEntry.objects.filter(verb="run.pause", actor=admin).count() == 1


def test_a_run_that_was_paused_before_it_began_begins_when_it_is_resumed(
    admin: User, fake_lane: FakeLane
) -> None:
    run = a_run(admin)
    pause_run(actor=admin, run=run)
    go_on(run)
    assert fake_lane.begun == []
    resume_run(actor=admin, run=run)
    run.refresh_from_db()
    assert run.status == "queued"
    assert go_on(run).status == "ok"


def test_a_host_that_may_not_run_any_more_does_not_keep_its_batch_from_ending(
    admin: User, fake_lane: FakeLane
) -> None:
    run = a_run(admin, 3, batches="1")
    admin.is_superuser = False
    admin.save()
    go_on(run)
    assert fake_lane.begun == []
    assert set(statuses(run).values()) == {"not_started"}
    assert run.status == "failed"


def test_critical_hosts_come_last(admin: User, settings) -> None:
    settings.RUN_CRITICAL_FIELDS = ["criticality=high"]
    first, second, third = make_host("a"), make_host("b"), make_host("c")
    first.tags.add(Tag.objects.create(name="critical"))
    second.custom = {"criticality": "High"}
    second.save()
    ids = (first.pk, second.pk, third.pk)
    spec = RunSpec(command="true", host_ids=ids, batches="1")
    run = request_run(actor=admin, spec=spec)
    by_batch = run.hosts.order_by("batch").values_list("host_name", flat=True)
    assert list(by_batch) == ["c", "a", "b"]
