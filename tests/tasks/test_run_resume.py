"""What becomes of a run whose worker was lost: nothing runs twice, the rest goes on, and everything is said."""

from __future__ import annotations

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from tasks.models import Run
from tasks.output import Hints
from tasks.services import reap
from tasks.services.cancel import cancel_run
from tasks.services.claim import Watch, claim_run
from tasks.services.jobs import Ended, Job
from tests.tasks.engine_things import (
    FakeLane,
    a_run,
    go_on,
    lose,
    statuses,
    words_of,
)

pytestmark = pytest.mark.django_db


def half_done(run: Run, worker: str = "celery@lost") -> None:
    """Let a worker end h1, begin h2, and be lost."""
    claim = claim_run(pk=run.pk, worker=worker)
    assert claim is not None
    rows = list(run.hosts.order_by("pk"))
    job = Job(run, claim, Watch(claim), Hints(run.pk), rows)
    job.begin(rows[:2])
    job.record([Ended(rows[0].pk, "ok", "fine", 0)])
    lose(run)


def test_the_hosts_that_were_not_begun_go_on_with_another_worker(
    admin: User, fake_lane: FakeLane
) -> None:
    run = a_run(admin)
    half_done(run)
    assert [part.run_id for part in reap.reap_lost()] == [run.pk]
    run.refresh_from_db()
    assert run.status == "running"
    assert "Worker celery@lost stopped at " in run.explanation
    assert "hosts done 2 of 3" in run.explanation
    part = run.parts.get()
    assert (part.status, part.losses) == ("queued", 1)
    go_on(run)
    assert fake_lane.begun == ["h3"]
    assert statuses(run) == {"h1": "ok", "h2": "unknown", "h3": "ok"}
    assert "celery@lost was lost while it ran here" in words_of(run)["h2"]
    assert (run.status, run.explanation) == ("failed", "3 hosts: 2 ok, 1 unknown.")
    assert (run.done_count, run.ok_count) == (3, 2)
    assert AuditEntry.objects.filter(verb="run.lost", actor_kind="system").count() == 1
    assert reap.reap_lost() == []


def test_a_run_that_is_safe_to_repeat_begins_anew_where_the_worker_was_lost(
    admin: User, fake_lane: FakeLane
) -> None:
    run = a_run(admin, repeatable=True)
    half_done(run)
    reap.reap_lost()
    go_on(run)
    assert fake_lane.begun == ["h2", "h3"]
    assert (run.status, run.explanation) == ("ok", "3 hosts: 3 ok.")


def test_a_worker_lost_over_the_last_host_ends_the_run(
    admin: User, fake_lane: FakeLane
) -> None:
    run = a_run(admin, 2)
    half_done(run)
    reap.reap_lost()
    run.refresh_from_db()
    assert (run.status, run.explanation) == ("failed", "2 hosts: 1 ok, 1 unknown.")
    assert run.parts.get().status == "done"


def test_a_run_over_which_workers_are_lost_again_and_again_is_given_up(
    admin: User, settings
) -> None:
    settings.RUN_MOST_LOSSES = 2
    run = a_run(admin, 4)
    for worker in ("one", "two"):
        claim = claim_run(pk=run.pk, worker=worker)
        assert claim is not None
        lose(run)
        reap.reap_lost()
    run.refresh_from_db()
    assert run.status == "lost"
    assert set(statuses(run).values()) == {"not_started"}
    assert set(words_of(run).values()) == {
        "Not started: 2 workers were lost over this run."
    }
    assert claim_run(pk=run.pk, worker="three") is None


def test_a_stop_that_a_lost_worker_did_not_see_is_carried_out(
    admin: User, fake_lane: FakeLane
) -> None:
    run = a_run(admin)
    half_done(run)
    cancel_run(actor=admin, run=run)
    reap.reap_lost()
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert statuses(run) == {"h1": "ok", "h2": "unknown", "h3": "not_started"}
    assert words_of(run)["h3"] == "Cancelled by admin before it was started."
    assert fake_lane.begun == []


def test_a_worker_lost_between_the_last_host_and_the_end_leaves_no_run_open(
    admin: User,
) -> None:
    run = a_run(admin, 1)
    claim = claim_run(pk=run.pk, worker="one")
    row = run.hosts.get()
    job = Job(run, claim, Watch(claim), Hints(run.pk), [row])
    job.begin([row])
    job.record([Ended(row.pk, "ok", "fine", 0)])
    run.parts.update(status="waiting")
    reap.settle_forsaken()
    run.refresh_from_db()
    assert run.status == "ok"


def test_a_part_of_a_run_is_lost_and_the_other_goes_on(
    admin: User, fake_lane: FakeLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tasks.services.placing.queues_of",
        lambda hosts: {
            host.pk: "idc.a" if host.hostname == "h1" else "idc.b" for host in hosts
        },
    )
    run = a_run(admin)
    first, second = run.parts.order_by("pk")
    assert (first.queue, second.queue) == ("idc.a", "idc.b")
    claim = claim_run(pk=run.pk, worker="lost")
    assert claim is not None
    assert claim.part_id == first.pk
    lose(run)
    reap.reap_lost()
    second.refresh_from_db()
    assert (second.losses, second.status) == (0, "queued")
    go_on(run)
    assert sorted(fake_lane.begun) == ["h1", "h2", "h3"]
    assert run.status == "ok"
