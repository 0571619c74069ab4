"""Deploys on charts: begin, end and what was taken back, on all charts of hosts, for who may see them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from delivery.engine import showing
from delivery.models import Deploy
from monitor.ranges import Span
from monitor.store import MetricStore
from tests.app_factories import grant_on
from tests.delivery.factories import make_artefact, make_deploy, make_step
from tests.delivery.pages.conftest import DELIVERS, Place
from tests.factories import make_group, make_host, make_user
from tests.monitor.test_dashboards import make_board

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


def ago(minutes: int) -> Any:
    return timezone.now() - timedelta(minutes=minutes)


@pytest.fixture
def ended(here: Place) -> Deploy:
    """A deploy of the last hour that was taken back."""
    deploy = make_deploy(
        here.environment,
        artefact=make_artefact(here.project),
        status="rolled_back",
        started_at=ago(40),
        ended_at=ago(20),
    )
    make_step(deploy, "activate", "failed", started_at=ago(35))
    make_step(deploy, "switch_back", "ok", started_at=ago(30))
    return deploy


def last_hours(hours: float) -> Span:
    now = time.time()
    return Span("", now - hours * 3600, now)


def test_begin_end_and_what_was_taken_back_have_marks_of_their_own(
    admin: User, here: Place, ended: Deploy
) -> None:
    found = list(showing.marks_of_hosts(admin, [here.host.pk], last_hours(1)))
    assert [mark.kind for mark in found] == ["deploy", "rollback", "deploy"]
    assert [round((time.time() - mark.time) / 60) for mark in found] == [40, 30, 20]
    assert found[1].title.startswith("Taken back: shop production")
    assert found[2].title.startswith("End of the deploy of shop production")
    assert ended.release in found[0].title
    assert {mark.url for mark in found} == {ended.get_absolute_url()}
    # In the last half of it nothing is left but the end.
    late = list(showing.marks_of_hosts(admin, [here.host.pk], last_hours(0.4)))
    assert [mark.title for mark in late] == [found[2].title]


def test_a_rollback_by_hand_is_a_mark_of_its_own_kind(admin: User, here: Place) -> None:
    make_deploy(here.environment, kind="rollback", status="ok", started_at=ago(5))
    found = list(showing.marks(admin, here.host, last_hours(1)))
    assert [mark.kind for mark in found] == ["rollback"]


def test_charts_of_several_hosts_have_the_marks_of_each_deploy_once(
    client_of: Signed,
    admin: User,
    here: Place,
    ended: Deploy,
    measurements: MetricStore,
) -> None:
    other = make_host("second")
    ended.hosts.create(host=other, host_name="second")
    group = make_group("web")
    here.host.groups.add(group)
    client = client_of(admin)
    hosts = [here.host.pk, other.pk]
    panel = {"id": "p1", "kind": "line", "metric": "load.1", "hosts": hosts}
    board = make_board(admin, panels=[panel])
    answers = [
        client.get(reverse("monitor:compare_lines"), {"host": hosts}),
        client.get(reverse("monitor:dashboard_lines", args=[board.pk, "p1"])),
        client.get(reverse("monitor:hostgroup_lines", args=[group.pk])),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.content
        kinds = [mark["kind"] for mark in answer.json()["marks"]]
        assert kinds == ["deploy", "rollback", "deploy"]


def test_who_may_watch_hosts_but_see_no_deploys_has_no_marks_of_them(
    client_of: Signed, here: Place, ended: Deploy, measurements: MetricStore
) -> None:
    watcher = make_user("watcher")
    grant_on(
        watcher, ["cmdb.view_host", "monitor.view_metrics"], here.project.product_line
    )
    client = client_of(watcher)
    asked = {"host": [here.host.pk]}
    assert client.get(reverse("monitor:compare_lines"), asked).json()["marks"] == []
    grant_on(watcher, ["delivery.view_deploy"], here.project)
    asked_again = User.objects.get(pk=watcher.pk)
    marks = client_of(asked_again).get(reverse("monitor:compare_lines"), asked).json()
    assert len(marks["marks"]) == 3


def test_an_environment_leads_to_the_charts_of_its_hosts(
    client_of: Signed, here: Place, elsewhere: Place
) -> None:
    user = make_user("user")
    grant_on(user, [*DELIVERS, "monitor.view_metrics"], here.project.product_line)
    client = client_of(user)
    page = client.get(here.environment.get_absolute_url()).content.decode()
    url = reverse("delivery:environment_charts", args=[here.environment.pk])
    assert url in page
    answer = client.get(url)
    assert answer["Location"] == f"{reverse('monitor:compare')}?host={here.host.pk}"
    foreign = reverse("delivery:environment_charts", args=[elsewhere.environment.pk])
    assert client.get(foreign).status_code == 404
    here.environment.hosts.clear()
    assert client.get(url)["Location"] == here.environment.get_absolute_url()
