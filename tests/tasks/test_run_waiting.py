"""Why a run waits: the same is going on, quotas, a time of day, nobody who serves its queue."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from adminset import redis_door
from adminset.errors import Conflict
from tasks.models import Run, RunPart
from tasks.services import waiting
from tasks.services.claim import claim_run
from tasks.services.launch import RunSpec, request_run
from tasks.services.queues import note_unsent, wake_ready
from tasks.services.waiting import why_waiting
from tests.factories import make_host, make_user
from tests.tasks.engine_things import FakeLane, a_run, go_on

pytestmark = pytest.mark.django_db


def twice(actor: User, together: str, **second: object) -> tuple[Run, Run]:
    """Ask for the same on the same hosts twice."""
    ids = (make_host("h1").pk, make_host("h2").pk)
    spec = {"command": "true", "host_ids": ids}
    first = request_run(actor=actor, spec=RunSpec(**spec))
    again = spec | {"together": together} | second
    return first, request_run(actor=actor, spec=RunSpec(**again))


def test_the_same_at_once_is_refused_and_names_the_other(admin: User) -> None:
    with pytest.raises(Conflict, match=r"#[0-9]+ does the same") as caught:
        twice(admin, "refuse")
    assert caught.value.code == "runs_already"
    assert Run.objects.count() == 1


@pytest.mark.parametrize("second", [{"command": "false"}, {"variables": {"a": 1}}])
def test_what_differs_is_not_the_same(admin: User, second: dict) -> None:
    twice(admin, "refuse", **second)
    assert Run.objects.count() == 2


def test_the_same_may_wait_for_the_end_of_the_other(
    admin: User, fake_lane: FakeLane
) -> None:
    first, second = twice(admin, "queue")
    assert go_on(second).status == "queued"
    assert fake_lane.begun == []
    words = "which does the same on the same hosts."
    assert words in second.parts.get().reason
    assert f"It waits for the end of #{first.pk}" in why_waiting(second)
    go_on(first)
    assert second.parts.get().status == "queued"
    assert go_on(second).status == "ok"
    assert fake_lane.begun == ["h1", "h2", "h1", "h2"]


def test_two_that_came_at_the_same_moment_do_not_run_together(admin: User) -> None:
    first, second = twice(admin, "allow")
    Run.objects.update(together="refuse")
    assert claim_run(pk=first.pk, worker="one") is not None
    assert claim_run(pk=second.pk, worker="two") is None


def test_the_same_may_run_together(admin: User) -> None:
    first, second = twice(admin, "allow")
    assert claim_run(pk=first.pk, worker="one") is not None
    assert claim_run(pk=second.pk, worker="two") is not None


def test_a_queue_takes_so_many_runs_at_once(admin: User, settings) -> None:
    settings.RUN_QUEUE_MOST = 2
    runs = [a_run(admin, 1) for _number in range(4)]
    taken = [claim_run(pk=run.pk, worker="w") is not None for run in runs]
    assert taken == [True, True, False, False]
    last = runs[-1]
    Run.objects.filter(pk=last.pk).update(
        created_at=timezone.now() - timedelta(seconds=300)
    )
    last.refresh_from_db()
    assert why_waiting(last) == (
        "Waiting 300 s: 2 of 2 runs of queue runs are busy. 1 is ahead."
    )
    assert wake_ready() == []
    runs[0].parts.update(status="done")
    assert [part.run_id for part in wake_ready()] == [runs[2].pk]
    assert wake_ready() == []


@pytest.mark.parametrize("name", ["RUN_QUEUE_MOST", "RUN_USER_MOST"])
@pytest.mark.parametrize("seconds", [-5, 5])
def test_who_claims_counts_all_others_whatever_their_clocks_said(
    admin: User, settings, name: str, seconds: int
) -> None:
    setattr(settings, name, 1)
    runs = [a_run(admin, 1), a_run(admin, 1)]
    first, second = runs if seconds < 0 else reversed(runs)
    assert claim_run(pk=first.pk, worker="one") is not None
    # It took its time after the second took its own, or far from there, and was written first.
    at = timezone.now() + timedelta(seconds=seconds)
    RunPart.objects.filter(run=first).update(started_at=at)
    assert claim_run(pk=second.pk, worker="two") is None
    assert RunPart.objects.filter(status="running").count() == 1


def test_a_run_waits_for_another_by_its_number_only(admin: User) -> None:
    first, second = twice(admin, "queue", title="own words")
    Run.objects.filter(pk=first.pk).update(title="not for everybody")
    claim_run(pk=second.pk, worker="two")
    words = f"It waits for the end of #{first.pk}, which does the same"
    assert words in second.parts.get().reason
    for told in (second.parts.get().reason, why_waiting(second)):
        assert "not for everybody" not in told


def test_a_refused_run_names_the_other_by_its_number_only(admin: User) -> None:
    ids = (make_host("h1").pk,)
    spec = {"command": "true", "host_ids": ids, "together": "refuse"}
    request_run(actor=admin, spec=RunSpec(title="not for everybody", **spec))
    with pytest.raises(Conflict) as caught:
        request_run(actor=make_user(is_superuser=True), spec=RunSpec(**spec))
    assert "not for everybody" not in str(caught.value.message)


def test_a_user_has_so_many_runs_at_once(admin: User, settings) -> None:
    settings.RUN_USER_MOST = 1
    other = make_user("other", is_superuser=True)
    assert claim_run(pk=a_run(admin, 1).pk, worker="w") is not None
    mine, theirs = a_run(admin, 1), a_run(other, 1)
    assert claim_run(pk=mine.pk, worker="w") is None
    assert "1 of 1 runs of admin are busy." in why_waiting(mine)
    assert claim_run(pk=theirs.pk, worker="w") is not None


def test_a_run_does_not_begin_before_its_time(admin: User, fake_lane: FakeLane) -> None:
    run = a_run(admin, 1, not_before=timezone.now() + timedelta(hours=1))
    go_on(run)
    assert (run.status, fake_lane.begun) == ("queued", [])
    assert "Not before " in why_waiting(run)
    assert wake_ready() == []
    Run.objects.update(not_before=timezone.now())
    assert [part.run_id for part in wake_ready()] == [run.pk]
    assert go_on(run).status == "ok"


def test_it_says_when_nobody_serves_the_queue(admin: User) -> None:
    run = a_run(admin, 1)
    redis_door.client().delete(waiting.WORKERS + "runs")
    waiting.note_workers({"w1": ["idc.bj"]}, time.time())
    assert "No worker serves queue runs." in why_waiting(run)
    waiting.note_workers({"w2": ["runs"]}, time.time())
    assert waiting.workers_of("runs") == ["w2"]
    assert "No worker" not in why_waiting(run)
    redis_door.client().delete(waiting.WORKERS + "runs")


def test_it_says_when_redis_is_away(admin: User) -> None:
    run = a_run(admin, 1)
    note_unsent(run_id=run.pk)
    assert "(Redis) cannot be reached" in why_waiting(run)


def test_a_run_that_goes_on_or_has_ended_waits_for_nothing(
    admin: User, fake_lane: FakeLane
) -> None:
    run = a_run(admin, 1)
    claim_run(pk=run.pk, worker="one")
    run.refresh_from_db()
    assert why_waiting(run) == ""
    Run.objects.update(status="ok")
    run.refresh_from_db()
    assert why_waiting(run) == ""
