"""One worker a part: claims, fences, leases, lost workers, and parts for which nobody was called."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from adminset import redis_door
from adminset.errors import Conflict
from adminset.models import AuditEntry
from tasks import tasks
from tasks.models import Run, RunHost, RunPart
from tasks.output import Hints
from tasks.services import queues, reap
from tasks.services.cancel import cancel_run
from tasks.services.claim import Watch, claim_run
from tasks.services.execute import execute_run
from tasks.services.jobs import Ended, Job
from tests.tasks.engine_things import FakeLane, a_run, go_on, lose, statuses

pytestmark = pytest.mark.django_db
Sent = list[tuple[int, str]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What was sent to workers: (run, queue)."""
    found: Sent = []
    monkeypatch.setattr(queues, "send", lambda run, queue: found.append((run, queue)))
    monkeypatch.setattr(tasks, "look_for_workers", lambda: None)
    return found


def job_of(run: Run, worker: str = "one") -> Job:
    claim = claim_run(pk=run.pk, worker=worker)
    assert claim is not None
    return Job(run, claim, Watch(claim), Hints(run.pk), list(run.hosts.all()))


def test_of_two_workers_one_gets_the_part(admin: User) -> None:
    run = a_run(admin)
    first = claim_run(pk=run.pk, worker="one")
    second = claim_run(pk=run.pk, worker="two")
    assert first is not None
    assert second is None
    part = run.parts.get()
    assert (part.status, part.worker, part.fence) == ("running", "one", 1)
    run.refresh_from_db()
    assert run.status == "running"


def test_doing_a_run_twice_runs_it_once(admin: User, fake_lane: FakeLane) -> None:
    run = a_run(admin)
    execute_run(pk=run.pk, worker="one")
    execute_run(pk=run.pk, worker="two")
    assert fake_lane.begun == ["h1", "h2", "h3"]
    run.refresh_from_db()
    assert (run.status, run.explanation) == ("ok", "3 hosts: 3 ok.")
    assert AuditEntry.objects.filter(verb="run.finish").count() == 1


def test_a_late_worker_cannot_write_any_more(admin: User) -> None:
    run = a_run(admin)
    job = job_of(run, "late")
    row = job.rows[0]
    lose(run)
    reap.reap_lost()
    job.record([Ended(row.pk, "ok", "too late", 0)])
    assert job.begin(job.rows[1:]) is None
    assert job.watch.stopping
    assert set(statuses(run).values()) == {"not_started"}
    run.refresh_from_db()
    assert run.done_count == 0


def test_a_host_counts_as_begun_before_anything_happens_there(admin: User) -> None:
    run = a_run(admin)
    job = job_of(run)
    assert job.begin(job.rows[:2]) == job.rows[:2]
    assert list(statuses(run).values()) == ["running", "running", "not_started"]


def test_a_worker_that_lost_its_part_is_told_to_stop(
    admin: User, fake_lane: FakeLane
) -> None:
    run = a_run(admin)
    watch = Watch(claim_run(pk=run.pk, worker="one"))
    assert watch.look() is False
    lose(run)
    reap.reap_lost()
    assert watch.look() is True
    assert (watch.why, watch.cancelled) == ("lost", False)


def test_a_look_renews_the_lease(admin: User, fake_lane: FakeLane, settings) -> None:
    run = a_run(admin)
    watch = Watch(claim_run(pk=run.pk, worker="one"))
    lose(run)
    settings.RUN_RENEW_SECONDS = 0
    watch.look()
    assert run.parts.get().lease_until > timezone.now()
    assert reap.reap_lost() == []


def test_what_is_written_is_a_sign_of_life(admin: User) -> None:
    run = a_run(admin)
    job = job_of(run)
    lose(run)
    job.record([Ended(job.rows[0].pk, "ok", "fine", 0)])
    assert reap.reap_lost() == []


def test_cancelling_a_queued_run_ends_it_at_once(admin: User) -> None:
    run = cancel_run(actor=admin, run=a_run(admin))
    assert run.status == "cancelled"
    assert run.explanation == "Cancelled by admin before it was started."
    assert claim_run(pk=run.pk, worker="one") is None
    assert not run.hosts.filter(ended_at=None).exists()
    assert AuditEntry.objects.filter(verb="run.cancel", actor=admin).count() == 1
    with pytest.raises(Conflict):
        cancel_run(actor=admin, run=run)


def test_a_part_that_was_cancelled_while_it_was_claimed_is_given_back(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(admin)

    def cancelled_now(part: RunPart) -> str:
        Run.objects.update(status="cancelled")
        return ""

    monkeypatch.setattr("tasks.services.claim.obstacle", cancelled_now)
    assert claim_run(pk=run.pk, worker="one") is None
    run.refresh_from_db()
    assert (run.status, run.parts.get().status) == ("cancelled", "done")


def test_a_queued_part_without_a_message_is_sent_again_after_a_while(
    admin: User, sent: Sent, settings
) -> None:
    run = a_run(admin)
    tasks.reap_runs()
    assert sent == []
    RunPart.objects.update(sent_at=timezone.now() - timedelta(seconds=20))
    tasks.reap_runs()
    tasks.reap_runs()
    assert sent == [(run.pk, settings.RUN_QUEUE)]


def test_nothing_is_sent_again_while_messages_wait(
    admin: User, sent: Sent, settings
) -> None:
    a_run(admin)
    RunPart.objects.update(sent_at=timezone.now() - timedelta(seconds=20))
    redis_door.client().rpush(settings.RUN_QUEUE, "message")
    try:
        tasks.reap_runs()
    finally:
        redis_door.client().delete(settings.RUN_QUEUE)
    assert sent == []


def test_after_a_time_without_reaper_workers_may_first_say_that_they_live(
    admin: User, sent: Sent
) -> None:
    redis_door.client().delete(f"adminset:note:{tasks.REAPER}")
    run = a_run(admin)
    claim_run(pk=run.pk, worker="one")
    lose(run)
    tasks.reap_runs()
    assert run.parts.get().worker == "one"
    tasks.reap_runs()
    assert run.parts.get().losses == 1
    redis_door.client().delete(f"adminset:note:{tasks.REAPER}")


def test_with_redis_away_the_run_stands_and_says_so(admin: User, monkeypatch) -> None:
    def away(pk: int) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(tasks, "run_run", SimpleNamespace(delay=away))
    run = a_run(admin)
    tasks._send(run.pk)
    run.refresh_from_db()
    assert run.status == "queued"
    assert "dispatcher" in run.explanation
    assert "dispatcher" in run.parts.get().reason
    claim = claim_run(pk=run.pk, worker="later")
    run.refresh_from_db()
    assert claim is not None
    assert run.explanation == ""


def test_a_host_of_a_second_run_is_not_touched_by_the_claim_of_the_first(
    admin: User,
) -> None:
    first = a_run(admin)
    job = job_of(first)
    other = RunHost.objects.create(
        run=a_run(admin, 1), host=None, host_name="foreign", part=None
    )
    job.record([Ended(other.pk, "ok", "not mine", 0)])
    other.refresh_from_db()
    assert other.status == "not_started"


def test_the_end_of_one_run_lets_the_next_that_waited_go_on(
    admin: User, fake_lane: FakeLane, settings, sent: Sent
) -> None:
    settings.RUN_QUEUE_MOST = 1
    first, second = a_run(admin), a_run(admin)
    held = claim_run(pk=first.pk, worker="one")
    assert claim_run(pk=second.pk, worker="two") is None
    assert held is not None
    assert held.part().update(status="queued")
    go_on(first)
    assert second.parts.get().status == "queued"
