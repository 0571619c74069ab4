"""What undoes a delivery waits for nobody: its queue, no quota, and who stands in for a site."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset import redis_door
from cmdb.models import Host
from tasks.models import Run
from tasks.services import waiting
from tasks.services.claim import claim_part
from tasks.services.launch import RunSpec, request_run
from tasks.sites.moving import move_forsaken
from tests.factories import make_host
from tests.tasks.site_things import with_workers

pytestmark = pytest.mark.django_db
Ask = Callable[..., Run]


def test_quotas_hold_up_legs_but_never_urgent_ones(
    ask_leg: Ask, admin: User, hosts: list[Host], settings: Any
) -> None:
    settings.RUN_USER_MOST = settings.RUN_QUEUE_MOST = 1
    ids = tuple(host.pk for host in hosts)
    busy = request_run(actor=admin, spec=RunSpec(command="true", host_ids=ids))
    assert claim_part(pk=busy.parts.get().pk, worker="w")
    leg, urgent = ask_leg("true"), ask_leg("true", urgent=True)
    assert claim_part(pk=leg.parts.get().pk, worker="w") is None
    assert "are busy" in leg.parts.get().reason or "is busy" in leg.parts.get().reason
    assert claim_part(pk=urgent.parts.get().pk, worker="w")


@pytest.mark.parametrize(("urgent", "queue"), [(True, "urgent"), (False, "runs")])
def test_legs_of_a_site_without_workers_go_to_the_portals_own(
    ask_leg: Ask, settings: Any, urgent: bool, queue: str
) -> None:
    redis_door.client().flushdb()
    redis_door.note(waiting.LOOKING, str(time.time() - 100), 60)
    redis_door.note(waiting.ASKED, "yes", 60)
    far = make_host("far")
    with_workers(far, seen_at=timezone.now() - timedelta(seconds=61), fallback="direct")
    run = ask_leg("true", on=[far], urgent=urgent)
    assert run.parts.get().queue == "idc.bj"
    assert move_forsaken() == [run.parts.get().pk]
    assert run.parts.get().queue == queue
