"""Time-outs of a batch and of a run, stopping in the middle, and a database that goes away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from tasks.models import Run, RunHost
from tasks.output import Hints
from tasks.services import reap
from tasks.services.cancel import cancel_run
from tasks.services.claim import Claim, Watch, claim_run
from tasks.services.jobs import Ended, Job
from tests.tasks.engine_things import (
    FakeLane,
    a_run,
    go_on,
    statuses,
    time_is_over,
    words_of,
)

pytestmark = pytest.mark.django_db


def test_the_time_out_of_a_batch_ends_what_runs_and_the_next_batch_begins(
    admin: User, fake_lane: FakeLane
) -> None:
    def during(job: Job, row: RunHost) -> None:
        if row.host_name == "h1":
            time_is_over(job)

    fake_lane.during = during
    run = a_run(admin, 3, batches="2", batch_timeout_seconds=60)
    go_on(run)
    assert statuses(run) == {"h1": "timed_out", "h2": "not_started", "h3": "ok"}
    assert run.hosts.get(host_name="h1").limit == "batch"
    assert words_of(run)["h1"] == (
        "The time-out of the batch (60 s) was over. So it was."
    )
    assert words_of(run)["h2"] == "The time-out of the batch (60 s) was over."
    assert run.status == "failed"
    told = "The time-out of batch 1 was over: 1 host had not returned."
    assert told in run.explanation
    assert "h1" not in run.explanation


def test_the_time_out_of_a_run_ends_it(admin: User, fake_lane: FakeLane) -> None:
    fake_lane.during = lambda job, row: time_is_over(job)
    run = a_run(admin, 3, batches="1", run_timeout_seconds=60)
    go_on(run)
    assert statuses(run) == {
        "h1": "timed_out",
        "h2": "not_started",
        "h3": "not_started",
    }
    assert run.hosts.get(host_name="h1").limit == "run"
    told = "The time-out of the run was over: 1 host had not returned."
    assert told in run.explanation


def test_a_run_that_nobody_works_on_is_ended_by_its_time_out(admin: User) -> None:
    run = a_run(admin, 2, run_timeout_seconds=60)
    claim = claim_run(pk=run.pk, worker="one")
    claim.part().update(status="waiting")
    reap.settle_forsaken()
    run.refresh_from_db()
    assert run.status == "running"
    Run.objects.update(started_at=timezone.now() - timedelta(seconds=61))
    reap.settle_forsaken()
    run.refresh_from_db()
    assert run.status == "failed"
    assert set(run.hosts.values_list("limit", flat=True)) == {"run"}


def test_a_stop_ends_what_runs_and_begins_nothing(
    admin: User, fake_lane: FakeLane
) -> None:
    def during(job: Job, row: RunHost) -> None:
        cancel_run(actor=admin, run=job.run)
        job.watch.look()

    fake_lane.during = during
    run = a_run(admin, 3, batches="1 2")
    go_on(run)
    assert statuses(run) == {
        "h1": "cancelled",
        "h2": "not_started",
        "h3": "not_started",
    }
    assert words_of(run)["h2"] == "Cancelled by admin before it was started."
    assert run.status == "cancelled"
    assert run.explanation == (
        "Cancelled by admin. 3 hosts: 2 not started, 1 cancelled."
    )
    assert AuditEntry.objects.filter(verb="run.finish").count() == 1


def test_a_paused_run_is_stopped_at_once(admin: User, fake_lane: FakeLane) -> None:
    fake_lane.ends = {"h1": "failed"}
    run = a_run(admin, 2, batches="1", pause_after="failure")
    assert go_on(run).status == "paused"
    run = cancel_run(actor=admin, run=run)
    assert run.status == "cancelled"
    assert statuses(run) == {"h1": "failed", "h2": "not_started"}
    assert run.parts.get().status == "done"


class Away:
    """A database that does not answer for some tries."""

    def __init__(self, tries: int) -> None:
        self.left = tries
        self.renew = Claim.renew

    def __call__(self, claim: Claim) -> bool:
        if self.left > 0:
            self.left -= 1
            raise OperationalError("away")
        return self.renew(claim)


def test_what_ended_while_the_database_was_away_is_written_afterwards(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(admin, 3)
    claim = claim_run(pk=run.pk, worker="one")
    rows = list(run.hosts.order_by("pk"))
    job = Job(run, claim, Watch(claim), Hints(run.pk), rows)
    job.begin(rows[:2])
    away = Away(3)
    monkeypatch.setattr(Claim, "renew", lambda self: away(self))
    job.record([Ended(rows[0].pk, "ok", "fine", 0)])
    job.record([Ended(rows[1].pk, "failed", "bad", 1)])
    # Without database nobody can know that a host was begun, so none is.
    assert job.begin(rows[2:]) is None
    assert list(statuses(run).values()) == ["running", "running", "not_started"]
    assert job.begin(rows[2:]) == rows[2:]
    assert list(statuses(run).values()) == ["ok", "failed", "running"]
    run.refresh_from_db()
    assert (run.done_count, run.ok_count) == (2, 1)


def test_what_a_worker_kept_is_not_written_where_another_has_the_part_by_then(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(admin, 2)
    claim = claim_run(pk=run.pk, worker="one")
    rows = list(run.hosts.order_by("pk"))
    job = Job(run, claim, Watch(claim), Hints(run.pk), rows)
    job.begin(rows[:1])
    away = Away(1)
    monkeypatch.setattr(Claim, "renew", lambda self: away(self))
    job.record([Ended(rows[0].pk, "ok", "fine", 0)])
    run.parts.update(lease_until=timezone.now() - timedelta(seconds=1))
    reap.reap_lost()
    assert job.flush() is True
    assert job.watch.why == "lost"
    assert statuses(run)["h1"] == "unknown"


def test_events_are_gathered_and_written_together(
    admin: User,
) -> None:
    run = a_run(admin, 3)
    claim = claim_run(pk=run.pk, worker="one")
    rows = list(run.hosts.order_by("pk"))
    job = Job(run, claim, Watch(claim), Hints(run.pk), rows, gather_seconds=60)
    job.begin(rows)
    job.record([Ended(rows[0].pk, "ok", "fine", 0)])
    job.record([Ended(rows[1].pk, "ok", "fine", 0)])
    job.record([Ended(rows[2].pk, "ok", "fine", 0)])
    assert list(statuses(run).values()) == ["running", "running", "running"]
    assert job.flush() is True
    assert list(statuses(run).values()) == ["ok", "ok", "ok"]
