"""The time of a leg does not go by while nobody is there to call a worker, and begins anew where one was lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from adminset import redis_door
from tasks import tasks
from tasks.models import Run, RunPart
from tasks.services import looks, reap
from tasks.services.claim import Watch, claim_run
from tests.tasks.engine_things import lose

pytestmark = pytest.mark.django_db
Ask = Callable[..., Run]


@pytest.fixture(autouse=True)
def portal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A portal that was away until now, and calls nobody."""
    redis_door.client().flushdb()
    monkeypatch.setattr(tasks, "look_for_workers", lambda: None)


def long_ago() -> datetime:
    return timezone.now() - timedelta(hours=5)


def status(run: Run) -> str:
    run.refresh_from_db()
    return run.status


def test_a_leg_that_waited_while_the_portal_was_away_has_its_whole_time(
    ask_leg: Ask,
) -> None:
    run = ask_leg("true")
    Run.objects.update(created_at=long_ago())
    tasks.reap_runs()
    tasks.reap_runs()
    assert status(run) == "queued"
    assert not run.hosts.exclude(ended_at=None).exists()


def test_a_leg_is_over_once_the_portal_looked_for_its_whole_time_without_a_break(
    ask_leg: Ask,
) -> None:
    run = ask_leg("true")
    Run.objects.update(created_at=long_ago())
    looks.note_look(timezone.now().timestamp() - (run.run_timeout_seconds or 0) + 30)
    tasks.reap_runs()
    assert status(run) == "queued"
    redis_door.client().flushdb()
    looks.note_look(long_ago().timestamp())
    tasks.reap_runs()
    assert status(run) == "failed"


def test_a_leg_in_which_the_portal_was_killed_goes_on_with_another_worker(
    ask_leg: Ask,
) -> None:
    run = ask_leg("true")
    claim_run(pk=run.pk, worker="one")
    Run.objects.update(created_at=long_ago(), started_at=long_ago())
    Run.objects.update(batch_started_at=long_ago())
    lose(run)
    tasks.reap_runs()
    tasks.reap_runs()
    assert run.parts.get().losses == 1
    assert status(run) == "running"
    claim = claim_run(pk=run.pk, worker="two")
    assert claim is not None
    assert not Watch(claim, Run.objects.get()).look()


def test_a_worker_that_takes_over_from_a_lost_one_has_the_whole_time(
    ask_leg: Ask,
) -> None:
    run = ask_leg("true")
    looks.note_look(long_ago().timestamp())
    claim_run(pk=run.pk, worker="one")
    Run.objects.update(started_at=long_ago(), batch_started_at=long_ago())
    lose(run)
    assert reap.reap_lost() == list(RunPart.objects.all())
    assert status(run) == "running"
    Run.objects.update(batch_started_at=long_ago())
    reap.settle_forsaken()
    assert status(run) == "failed"


def test_the_time_of_a_persons_run_is_that_since_it_began(ask_leg: Ask) -> None:
    run = ask_leg("true")
    claim_run(pk=run.pk, worker="one")
    RunPart.objects.update(status="waiting")
    Run.objects.update(kind="command", started_at=long_ago(), run_timeout_seconds=60)
    reap.settle_forsaken()
    assert status(run) == "failed"


def test_a_worker_goes_on_in_a_leg_that_waited_while_nobody_was_there(
    ask_leg: Ask,
) -> None:
    run = ask_leg("true")
    claim = claim_run(pk=run.pk, worker="one")
    assert claim is not None
    Run.objects.update(started_at=long_ago(), batch_started_at=long_ago())
    assert not Watch(claim, Run.objects.get()).look()
    looks.note_look(long_ago().timestamp())
    watch = Watch(claim, Run.objects.get())
    watch._look_once()
    assert (watch.stopping, watch.why) == (True, "run")


@pytest.mark.parametrize(("kind", "anew"), [("deploy", True), ("command", False)])
def test_a_queue_of_a_leg_that_begins_late_has_the_whole_time(
    ask_leg: Ask, kind: str, anew: bool
) -> None:
    run = ask_leg("true")
    claim_run(pk=run.pk, worker="one")
    began = long_ago()
    Run.objects.update(kind=kind, batch_started_at=began)
    # As of a site whose worker comes back only now.
    RunPart.objects.update(status="queued", worker="", lease_until=None)
    assert claim_run(pk=run.pk, worker="two") is not None
    assert (Run.objects.get().batch_started_at != began) is anew
