"""Hosts at a site whose workers are gone: what mends a deploy waits for them for a time, and ends with the truth."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from adminset import redis_door
from delivery.engine.advance import advance
from delivery.engine.controlling import cancel_deploy
from delivery.models import Deploy, DeployLock
from tasks.models import Run
from tasks.services import looks, waiting
from tasks.services.reap import settle_forsaken
from tests.delivery.engine.deploy_things import kinds, running
from tests.delivery.safety.safety_things import Paper
from tests.tasks.site_things import with_workers

pytestmark = pytest.mark.django_db


@pytest.fixture
def far(paper: Paper) -> Paper:
    """All hosts stand at a site that had workers once; its work waits for them."""
    redis_door.client().flushdb()
    redis_door.note(waiting.ASKED, "yes", 60)
    with_workers(*paper.hosts, fallback="wait")
    return paper


def half_done(paper: Paper) -> Deploy:
    """A deploy that began to switch a host, and is cancelled then."""
    deploy = paper.ask()
    advance(deploy.pk)
    now = timezone.now()
    deploy.steps.filter(kind__in=("check", "claim", "read", "pack")).update(
        status="ok", started_at=now, ended_at=now, total=3
    )
    first = deploy.hosts.order_by("pk")[0]
    deploy.hosts.filter(pk=first.pk).update(
        touched=True, from_release="1-a", has_said=True
    )
    cancel_deploy(actor=paper.user, deploy=deploy)
    advance(deploy.pk)
    deploy.refresh_from_db()
    return deploy


def hours_pass() -> None:
    """Let every leg that waits have waited for long, and the portal have been there all the time."""
    old = timezone.now() - timedelta(hours=5)
    Run.objects.filter(status="queued").update(created_at=old)
    looks.note_look(old.timestamp())
    settle_forsaken()


def test_what_mends_waits_for_a_site_without_workers_and_then_ends_with_the_truth(
    far: Paper,
) -> None:
    deploy = half_done(far)
    step = running(deploy)
    assert step is not None
    assert step.run is not None
    assert (step.kind, step.run.status, deploy.status) == ("look", "queued", "running")
    settle_forsaken()
    step.run.refresh_from_db()
    assert step.run.status == "queued"
    for kind in ("look", "switch_back", "unlock"):
        step = running(deploy)
        assert step is not None
        assert step.kind == kind
        hours_pass()
        advance(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.status == "cancelled", kinds(deploy)
    assert "No worker serves queue idc.bj" in deploy.explanation
    assert "Not taken back, look there: paper0 (?)" in deploy.explanation
    assert "Its lock stays on paper0, paper1, paper2" in deploy.explanation
    assert not DeployLock.objects.exists()
    assert set(Run.objects.values_list("status", flat=True)) <= {"failed", "cancelled"}


def test_forward_steps_do_not_wait_for_ever_either(far: Paper) -> None:
    deploy = far.ask()
    advance(deploy.pk)
    hours_pass()
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.status == "failed"
    assert "No worker serves queue idc.bj" in deploy.explanation
    assert not DeployLock.objects.exists()


def test_a_run_of_a_person_waits_for_its_worker_as_long_as_it_takes(
    far: Paper,
) -> None:
    deploy = far.ask()
    advance(deploy.pk)
    run = Run.objects.get()
    Run.objects.filter(pk=run.pk).update(kind="command")
    hours_pass()
    run.refresh_from_db()
    assert (run.status, run.started_at) == ("queued", None)


def test_legs_that_still_have_time_are_not_locked_by_the_sweep(far: Paper) -> None:
    deploy = half_done(far)
    step = running(deploy)
    assert step is not None
    with CaptureQueriesContext(connection) as seen:
        settle_forsaken()
    assert len(seen) == 1, [one["sql"] for one in seen]
    hours_pass()
    step.refresh_from_db()
    assert step.run is not None
    assert not step.run.is_open
