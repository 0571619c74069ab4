"""The work of a site without workers goes to whoever stands in; nothing is begun twice, nothing is lost."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset import redis_door
from adminset.models import AuditEntry
from tasks.models import Run, RunPart, Site
from tasks.services import waiting
from tasks.services.claim import claim_part
from tasks.services.execute import _do
from tasks.services.launch import RunSpec, request_run
from tasks.services.queues import wake_ready
from tasks.sites.moving import move, move_forsaken
from tests.factories import make_host
from tests.tasks.engine_things import FakeLane, go_on, statuses
from tests.tasks.site_things import with_workers

pytestmark = pytest.mark.django_db
LATER = timedelta(seconds=61)


@pytest.fixture(autouse=True)
def watched() -> None:
    """Somebody has looked for workers for longer than the patience, and looks now."""
    redis_door.client().flushdb()
    redis_door.note(waiting.LOOKING, str(time.time() - 100), 60)
    redis_door.note(waiting.ASKED, "yes", 60)


def forsaken(**fields: Any) -> Site:
    """Make a site whose worker was seen last long ago."""
    hosts = [make_host("far1"), make_host("far2")]
    seen = timezone.now() - LATER
    return with_workers(*hosts, seen_at=seen, **fields)


def on(actor: User, *further: Any) -> Run:
    hosts = Site.objects.get(idc__code="bj").idc.hosts.all()
    ids = tuple(host.pk for host in (*hosts, *further))
    return request_run(actor=actor, spec=RunSpec(command="true", host_ids=ids))


def test_it_goes_to_the_portal_says_so_and_is_done(
    admin: User, fake_lane: FakeLane
) -> None:
    forsaken(fallback="direct")
    run = on(admin)
    assert move_forsaken() == [run.parts.get().pk]
    part = run.parts.get()
    words = "Moved from queue idc.bj: no worker of bj gave a sign for 60 s."
    assert (part.queue, part.status, part.reason) == ("runs", "queued", words)
    line = AuditEntry.objects.get(verb="run.move")
    assert (line.actor_name, line.reason) == ("sites", words)
    assert go_on(run).status == "ok"
    assert words in run.explanation
    assert sorted(fake_lane.begun) == ["far1", "far2"]


def test_it_joins_the_part_that_is_there_already(
    admin: User, fake_lane: FakeLane
) -> None:
    forsaken(fallback="direct")
    run = on(admin, make_host("near"))
    assert go_on_here(run) == "running"
    assert statuses(run) == {"far1": "not_started", "far2": "not_started", "near": "ok"}
    move_forsaken()
    wake_ready()
    assert dict(run.parts.values_list("queue", "status")) == {
        "runs": "queued",
        "idc.bj": "done",
    }
    assert go_on(run).status == "ok"
    assert fake_lane.begun == ["near", "far1", "far2"]


def go_on_here(run: Run) -> str:
    """Do what the portal's own workers have of a run."""
    RunPart.objects.filter(run=run, queue="idc.bj").update(status="waiting")
    part = run.parts.get(queue="runs")
    _do(part.pk, "runner", threaded=False)
    run.refresh_from_db()
    return str(run.status)


def test_hosts_that_came_in_the_last_moment_are_not_forgotten(
    admin: User, fake_lane: FakeLane
) -> None:
    forsaken(fallback="direct")
    run = on(admin, make_host("near"))
    go_on_here(run)
    move_forsaken()
    run.parts.filter(queue="runs").update(status="done")
    move_forsaken()
    wake_ready()
    assert go_on(run).status == "ok"


def test_another_site_stands_in_unless_it_has_no_workers_either(admin: User) -> None:
    other = with_workers(code="sh", seen_at=timezone.now() - LATER)
    forsaken(fallback="other", other=other)
    run = on(admin)
    assert move_forsaken() == []
    waiting.note_workers({"w@sh": ["idc.sh"]}, time.time())
    assert len(move_forsaken()) == 1
    assert run.parts.get().queue == "idc.sh"


@pytest.mark.parametrize("why", ["waits", "seen", "patience", "unknown", "pause"])
def test_it_stays_where_it_is(admin: User, why: str) -> None:
    site = forsaken(fallback="wait" if why == "waits" else "direct")
    run = on(admin)
    if why == "seen":
        waiting.note_workers({"w@bj": ["idc.bj"]}, time.time())
    if why == "patience":
        Site.objects.filter(pk=site.pk).update(seen_at=timezone.now())
    if why == "unknown":
        redis_door.client().flushdb()
    if why == "pause":
        # Nobody looked for a while: the workers that are there get time to show themselves.
        redis_door.note(waiting.LOOKING, str(time.time() - 5), 60)
    assert move_forsaken() == []
    assert run.parts.get().queue == "idc.bj"


def test_work_of_a_site_that_is_out_of_use_goes_to_the_portal(admin: User) -> None:
    site = forsaken()
    run = on(admin)
    Site.objects.filter(pk=site.pk).update(enabled=False)
    move_forsaken()
    part = run.parts.get()
    assert part.queue == "runs"
    assert part.reason == "Moved from queue idc.bj: no site in use has it any more."


def test_what_a_worker_took_in_this_moment_is_not_moved(admin: User) -> None:
    forsaken(fallback="direct")
    run = on(admin)
    part = run.parts.get()
    assert claim_part(pk=part.pk, worker="w@bj") is not None
    assert move(part, "runs", "too late") is False
    assert move_forsaken() == []
    part.refresh_from_db()
    assert (part.queue, part.status) == ("idc.bj", "running")
    assert not AuditEntry.objects.filter(verb="run.move").exists()
