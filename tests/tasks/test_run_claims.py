"""One worker a run: claims, fences, leases, lost workers, and runs for which nobody was called."""

from __future__ import annotations

from collections.abc import Callable
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
from tasks.models import Run
from tasks.output import Hints
from tasks.services import reap
from tasks.services.cancel import cancel_run
from tasks.services.claim import Watch, claim_run
from tasks.services.execute import execute_run, finish_run
from tasks.services.jobs import Ended, Job, Started

pytestmark = pytest.mark.django_db
Ask = Callable[..., Run]


def lose(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def test_of_two_workers_one_gets_the_run(ask: Ask) -> None:
    run = ask()
    first, second = (
        claim_run(pk=run.pk, worker="one"),
        claim_run(pk=run.pk, worker="two"),
    )
    assert first is not None
    assert second is None
    run.refresh_from_db()
    assert (run.status, run.worker, run.fence) == ("running", "one", 1)


def test_doing_a_run_twice_runs_it_once(ask: Ask, tmp_path, hosts) -> None:
    count = tmp_path / "count"
    run = ask(command=f"echo once >> {count}", on=hosts[:1])
    execute_run(pk=run.pk, worker="one")
    execute_run(pk=run.pk, worker="two")
    assert count.read_text() == "once\n"


def test_a_run_whose_worker_was_lost_ends_with_words_and_what_is_known(
    ask: Ask,
) -> None:
    run = ask()
    claim = claim_run(pk=run.pk, worker="celery@lost")
    done, busy, _waiting = run.hosts.all()
    job = Job(run, claim, Watch(claim), Hints(run.pk), [])
    job.record([Started(done.pk), Ended(done.pk, "ok", "fine", 0), Started(busy.pk)])
    assert reap.reap_lost() == []
    lose(run)
    assert [lost.pk for lost in reap.reap_lost()] == [run.pk]
    run.refresh_from_db()
    assert run.status == "lost"
    assert "Worker celery@lost stopped at " in run.explanation
    assert "hosts done 1 of 3" in run.explanation
    assert [row.status for row in run.hosts.all()] == ["ok", "unknown", "not_started"]
    assert AuditEntry.objects.filter(verb="run.lost", actor_kind="system").count() == 1
    assert reap.reap_lost() == []


def test_a_late_worker_cannot_write_any_more(ask: Ask) -> None:
    run = ask()
    claim = claim_run(pk=run.pk, worker="late")
    job = Job(run, claim, Watch(claim), Hints(run.pk), [])
    row = run.hosts.first()
    lose(run)
    reap.reap_lost()
    job.record([Ended(row.pk, "ok", "too late", 0)])
    assert finish_run(claim=claim, worker="late") is False
    run.refresh_from_db()
    row.refresh_from_db()
    assert (run.status, row.status, run.done_count) == ("lost", "not_started", 0)
    assert not AuditEntry.objects.filter(verb="run.finish").exists()


def test_a_worker_that_lost_its_run_is_told_to_stop(ask: Ask, monkeypatch) -> None:
    monkeypatch.setattr("tasks.services.claim.LOOK_SECONDS", 0)
    run = ask()
    claim = claim_run(pk=run.pk, worker="one")
    watch = Watch(claim)
    assert watch.look() is False
    lose(run)
    reap.reap_lost()
    assert watch.look() is True
    assert watch.cancelled is False


def test_a_look_renews_the_lease(ask: Ask, monkeypatch, settings) -> None:
    monkeypatch.setattr("tasks.services.claim.LOOK_SECONDS", 0)
    run = ask()
    watch = Watch(claim_run(pk=run.pk, worker="one"))
    lose(run)
    settings.RUN_LEASE_SECONDS = 0
    watch.look()
    settings.RUN_LEASE_SECONDS = 15
    run.refresh_from_db()
    assert run.lease_until > timezone.now() - timedelta(seconds=1)


def test_cancelling_a_queued_run_ends_it_at_once(ask: Ask, admin: User) -> None:
    run = cancel_run(actor=admin, run=ask())
    assert run.status == "cancelled"
    assert run.explanation == "Cancelled by admin before it was started."
    assert claim_run(pk=run.pk, worker="one") is None
    assert AuditEntry.objects.filter(verb="run.cancel", actor=admin).count() == 1
    with pytest.raises(Conflict):
        cancel_run(actor=admin, run=run)


def test_a_queued_run_without_a_message_is_sent_again_after_a_while(
    ask: Ask, monkeypatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks, "run_run", SimpleNamespace(delay=sent.append))
    run = ask()
    tasks.reap_runs()
    assert sent == []
    Run.objects.update(sent_at=timezone.now() - timedelta(seconds=20))
    tasks.reap_runs()
    tasks.reap_runs()
    assert sent == [run.pk]


def test_nothing_is_sent_again_while_messages_wait(
    ask: Ask, monkeypatch, settings
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks, "run_run", SimpleNamespace(delay=sent.append))
    ask()
    Run.objects.update(sent_at=timezone.now() - timedelta(seconds=20))
    redis_door.client().rpush(settings.RUN_QUEUE, "message")
    try:
        tasks.reap_runs()
    finally:
        redis_door.client().delete(settings.RUN_QUEUE)
    assert sent == []


def test_with_redis_away_the_run_stands_and_says_so(ask: Ask, monkeypatch) -> None:
    def away(pk: int) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(tasks, "run_run", SimpleNamespace(delay=away))
    run = ask()
    tasks._send(run.pk)
    run.refresh_from_db()
    assert run.status == "queued"
    assert "dispatcher" in run.explanation
    claim = claim_run(pk=run.pk, worker="later")
    run.refresh_from_db()
    assert claim is not None
    assert run.explanation == ""
