"""What cannot be judged keeps nobody else from its turn, and leases go by the clock of the database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from adminset import redis_door
from tasks import tasks
from tasks.models import Run, RunPart
from tasks.services import queues, reap
from tasks.services.claim import Watch, claim_run
from tasks.services.queues import wake_ready
from tests.tasks.engine_things import a_run, lose

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call nobody."""
    monkeypatch.setattr(queues, "send", lambda run, queue: None)
    monkeypatch.setattr(tasks, "look_for_workers", lambda: None)


def break_for(monkeypatch: pytest.MonkeyPatch, place: str, broken: Run) -> None:
    """Let a function that takes a part, or the id of a run, break for one run."""
    module, name = place.rsplit(".", 1)
    real = getattr(__import__(module, fromlist=[name]), name)

    def breaking(about: RunPart | int) -> object:
        if broken.pk == getattr(about, "run_id", about):
            raise ValueError("broken")
        return real(about)

    monkeypatch.setattr(place, breaking)


def three(actor: User) -> list[Run]:
    return [a_run(actor, 1) for _number in range(3)]


def test_a_part_that_cannot_be_judged_says_so_and_the_others_are_woken(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = three(admin)
    RunPart.objects.update(status="waiting")
    break_for(monkeypatch, "tasks.services.queues.obstacle", runs[1])
    assert [part.run for part in wake_ready()] == [runs[0], runs[2]]
    part = runs[1].parts.get()
    assert part.status == "waiting"
    assert part.reason.startswith("Whether it may begin could not be judged;")


def test_a_lost_part_that_cannot_be_taken_away_holds_up_no_other(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = three(admin)
    for run in runs:
        claim_run(pk=run.pk, worker="one")
        lose(run)
    break_for(monkeypatch, "tasks.services.reap.settle", runs[0])
    assert [part.run for part in reap.reap_lost()] == runs[1:]


def test_a_run_that_cannot_be_settled_holds_up_no_other(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = three(admin)
    for run in runs:
        claim_run(pk=run.pk, worker="one")
    RunPart.objects.update(status="waiting")
    ended = {"status": "ok", "ended_at": timezone.now()}
    for run in runs:
        run.hosts.update(**ended)
    break_for(monkeypatch, "tasks.services.reap.settle", runs[0])
    reap.settle_forsaken()
    now = dict(Run.objects.values_list("pk", "status"))
    assert [now[run.pk] for run in runs] == ["running", "ok", "ok"]


def test_the_reaper_looks_on_where_one_part_is_broken(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_door.note(tasks.REAPER, "was here", 60)
    broken, lost, _third = three(admin)
    broken.parts.update(status="waiting")
    break_for(monkeypatch, "tasks.services.queues.obstacle", broken)
    claim_run(pk=lost.pk, worker="one")
    tasks.reap_runs()
    lose(lost)
    # As after so long a time that only a look of before keeps it going.
    tasks.reap_runs()
    assert redis_door.noted(tasks.REAPER)
    assert lost.parts.get().losses == 1


def test_a_database_that_is_away_is_no_look(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_door.client().delete(f"adminset:note:{tasks.REAPER}")
    a_run(admin, 1).parts.update(status="waiting")

    def away(part: RunPart) -> str:
        raise OperationalError("away")

    monkeypatch.setattr("tasks.services.queues.obstacle", away)
    with pytest.raises(OperationalError):
        tasks.reap_runs()
    # The workers could not say that they live either: the next look takes nothing from them.
    assert not redis_door.noted(tasks.REAPER)


def test_a_claim_that_cannot_be_judged_is_no_loss_of_a_worker(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(admin, 1)
    break_for(monkeypatch, "tasks.services.claim.obstacle", run)
    with pytest.raises(ValueError, match="broken"):
        claim_run(pk=run.pk, worker="one")
    part = run.parts.get()
    assert (part.status, part.worker, part.lease_until) == ("waiting", "", None)
    assert part.reason.startswith("Whether it may begin could not be judged;")


@pytest.mark.parametrize("minutes", [-10, 10])
def test_the_clock_of_a_worker_says_nothing_about_its_life(
    admin: User, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    run = a_run(admin, 1)
    real = timezone.now
    with monkeypatch.context() as elsewhere:
        wrong = timedelta(minutes=minutes)
        elsewhere.setattr(timezone, "now", lambda: real() + wrong)
        claim = claim_run(pk=run.pk, worker="one")
        assert claim is not None
        assert claim.renew()
    left = (run.parts.get().lease_until - real()).total_seconds()
    assert 10 < left <= 15
    assert reap.reap_lost() == []


def test_what_the_lane_saw_is_not_taken_back_by_who_looked_before(admin: User) -> None:
    run = a_run(admin, 4, stop_percent=50)
    watch = Watch(claim_run(pk=run.pk, worker="one"), run)
    watch.count(2, 0, 4)
    assert watch.holding == "failures"
    # The keeper read the numbers from before.
    watch._ask(0.0)
    assert watch.holding == "failures"


def test_a_pause_is_taken_back(admin: User) -> None:
    run = a_run(admin, 1)
    watch = Watch(claim_run(pk=run.pk, worker="one"), run)
    Run.objects.update(status="paused")
    watch._ask(0.0)
    assert watch.holding == "paused"
    Run.objects.update(status="running")
    watch._ask(0.0)
    assert watch.holding == ""
