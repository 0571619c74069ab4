"""Which queue does the work of a site's hosts, how much at once, and what is said while nobody serves it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from adminset import redis_door
from tasks.models import Run, RunPart, Site
from tasks.services import waiting
from tasks.services.claim import claim_part
from tasks.services.launch import RunSpec, request_run
from tasks.services.waiting import note_workers, why_waiting
from tests.factories import make_host
from tests.tasks.engine_things import FakeLane, a_run, statuses
from tests.tasks.site_things import make_site, with_workers

pytestmark = pytest.mark.django_db


def on(actor: User, *hosts: object) -> Run:
    ids = tuple(host.pk for host in hosts)
    return request_run(actor=actor, spec=RunSpec(command="true", host_ids=ids))


def queues_of_run(run: Run) -> dict[str, str]:
    return dict(run.hosts.values_list("host_name", "part__queue"))


def forget_workers(queue: str) -> None:
    redis_door.client().delete(waiting.WORKERS + queue)


def test_a_run_is_cut_into_a_part_for_each_site_with_workers(
    admin: User, django_assert_num_queries
) -> None:
    near, far, jumped, off = (
        make_host(name) for name in ("near", "far", "jump", "off")
    )
    with_workers(far)
    make_site(jumped, how="jump", jump=make_host())
    with_workers(off, code="gz", enabled=False)
    run = on(admin, near, far, jumped, off)
    own = {"near": "runs", "far": "idc.bj", "jump": "runs", "off": "runs"}
    assert queues_of_run(run) == own
    assert run.parts.count() == 2


def test_a_site_takes_so_many_runs_at_once_and_the_portal_goes_by_its_own_number(
    admin: User, settings
) -> None:
    settings.RUN_QUEUE_MOST = 5
    host = make_host()
    with_workers(host, most=1)
    first, second = on(admin, host), on(admin, host)
    assert claim_part(pk=first.parts.get().pk, worker="w") is not None
    assert claim_part(pk=second.parts.get().pk, worker="w") is None
    words = "1 of 1 run of queue idc.bj is busy."
    assert second.parts.get().reason == words


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "It waits for one: make worker QUEUES=idc.bj on a machine there."),
        ({"fallback": "direct"}, "After 60 s without one the portal's workers do it."),
    ],
)
def test_a_run_says_since_when_nobody_serves_its_site_and_what_follows(
    admin: User, fields: dict, told: str
) -> None:
    host = make_host()
    with_workers(host, **fields)
    run = on(admin, host)
    now = time.time()
    note_workers({"idc.bj@there": ["idc.bj"]}, now)
    assert "was called" in why_waiting(run)
    forget_workers("idc.bj")
    seen = timezone.localtime(Site.objects.get().seen_at)
    since = f"{seen:%Y-%m-%d %H:%M:%S %Z}"
    words = f"No worker serves queue idc.bj since {since}. {told}"
    assert words in why_waiting(run)


def test_a_share_without_workers_is_told_while_the_other_goes_on(
    admin: User, fake_lane: FakeLane
) -> None:
    near, far = make_host("near"), make_host("far")
    with_workers(far)
    run = on(admin, near, far)
    note_workers({"runner@here": ["runs"]}, time.time())
    assert claim_part(pk=run.parts.get(queue="runs").pk, worker="runner@here")
    run.refresh_from_db()
    assert run.status == "running"
    assert why_waiting(run).startswith("No worker serves queue idc.bj.")
    note_workers({"idc.bj@there": ["idc.bj"]}, time.time())
    assert why_waiting(run) == ""


def test_nothing_is_told_where_nobody_looked(admin: User) -> None:
    redis_door.client().flushdb()
    host = make_host()
    with_workers(host)
    assert "No worker" not in why_waiting(on(admin, host))


def test_a_part_of_a_lost_worker_has_no_worker(admin: User) -> None:
    redis_door.client().flushdb()
    run = a_run(admin, 1)
    part = run.parts.get()
    assert claim_part(pk=part.pk, worker="lost@there") is not None
    assert waiting.workers_of("runs") == ["lost@there"]
    late = timezone.now() - timedelta(seconds=1)
    RunPart.objects.update(lease_until=late)
    assert waiting.workers_of("runs") == []
    assert statuses(run) == {"h1": "not_started"}
