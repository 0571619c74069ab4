"""A run says how many hosts had not returned; which they are is told of the reader's own hosts only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from cmdb.models import HostGroup
from tasks.models import Run
from tasks.services.launch import RunSpec, request_run
from tasks.watching.late import waiting_for
from tests.factories import make_host
from tests.tasks.engine_things import FakeLane, go_on, time_is_over

pytestmark = pytest.mark.django_db


@pytest.fixture
def late(
    admin: User, group: HostGroup, other_group: HostGroup, fake_lane: FakeLane
) -> Run:
    """A run whose time-out cut off a host of the operator's and one of somebody else."""
    mine = make_host("web-mine", groups=[group])
    hidden = make_host("db-hidden", groups=[other_group])
    fake_lane.during = lambda job, row: time_is_over(job)
    spec = RunSpec(command="id", host_ids=(mine.pk, hidden.pk), run_timeout_seconds=60)
    run = go_on(request_run(actor=admin, spec=spec))
    run.hosts.update(status="timed_out", limit="run")
    return run


def test_a_reader_is_told_the_names_of_the_own_hosts_only(
    client_of: Callable[[User], Client], operator: User, admin: User, late: Run
) -> None:
    page = reverse("tasks:run_detail", args=[late.pk])
    own = client_of(operator).get(page).content.decode()
    assert "1 host had not returned." in own
    assert "Timed out: waiting for web-mine." in own
    assert "db-hidden" not in own
    whole = client_of(admin).get(page).content.decode()
    assert "waiting for db-hidden, web-mine" in whole
    rows = client_of(operator).get(f"/api/v1/runs/{late.pk}/").json()
    assert "1 host had not returned." in rows["explanation"]
    assert "db-hidden" not in rows["explanation"]


def test_the_words_of_a_time_out_name_who_has_not_returned() -> None:
    assert waiting_for(["web3"]) == "waiting for web3"
    names = [f"web{number}" for number in range(3, 9)]
    assert waiting_for(names) == "waiting for web3, web4 and 4 more"
