"""The buttons that pause a run and let it go on: who may press them, and what the page says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from tasks.models import Run
from tasks.services.launch import RunSpec, request_run
from tests.factories import make_host, make_user
from tests.tasks.engine_things import FakeLane, a_run, go_on

pytestmark = pytest.mark.django_db


Press = Callable[[User, Run, str], int]
Clients = Callable[[User], Client]


@pytest.fixture
def press(client_of: Clients) -> Press:
    """Press a button on the page of a run; give the answer's status."""

    def pressed(user: User, run: Run, name: str) -> int:
        address = reverse(f"tasks:{name}", args=[run.pk])
        return client_of(user).post(address).status_code

    return pressed


def test_a_run_is_paused_and_resumed_on_its_page(
    admin: User, fake_lane: FakeLane, client_of: Clients, press: Press
) -> None:
    run = a_run(admin)
    assert press(admin, run, "run_pause") == 302
    page = client_of(admin).get(run.get_absolute_url()).content.decode()
    assert "Paused by admin. Resume it to go on." in page
    assert reverse("tasks:run_resume", args=[run.pk]) in page
    assert go_on(run).status == "paused"
    assert press(admin, run, "run_resume") == 302
    assert go_on(run).status == "ok"
    assert press(admin, run, "run_pause") == 409
    verbs = AuditEntry.objects.filter(actor=admin, verb__in=["run.pause", "run.resume"])
    assert list(verbs.order_by("pk").values_list("verb", flat=True)) == [
        "run.pause",
        "run.resume",
    ]


@pytest.mark.parametrize("name", ["run_pause", "run_resume"])
def test_pausing_needs_the_permission_and_all_hosts_in_the_scope(
    admin: User, group: HostGroup, other_group: HostGroup, name: str, press: Press
) -> None:
    own, foreign = make_host(groups=[group]), make_host(groups=[other_group])
    both = RunSpec(command="id", host_ids=(own.pk, foreign.pk))
    mixed = request_run(actor=admin, spec=both)
    beyond = request_run(
        actor=admin, spec=RunSpec(command="id", host_ids=(foreign.pk,))
    )
    perms = ["tasks.view_run", "cmdb.view_host"]
    looker = make_user(perms=perms, groups=[group])
    controller = make_user(perms=[*perms, "tasks.control_run"], groups=[group])
    assert press(looker, mixed, name) == 403
    assert press(controller, mixed, name) == 403
    assert press(controller, beyond, name) == 404
    assert set(Run.objects.values_list("status", flat=True)) == {"queued"}


def test_the_page_says_why_a_run_waits(
    admin: User, settings, client_of: Clients
) -> None:
    settings.RUN_QUEUE_MOST = 1
    first, second = a_run(admin), a_run(admin)
    Run.objects.filter(pk=first.pk).update(status="running")
    first.parts.update(status="running", worker="w")
    page = client_of(admin).get(second.get_absolute_url()).content.decode()
    assert "1 of 1 run of queue runs is busy." in page
