"""Dashboards: whose they are, what a panel may be, what it shows to whom, how they travel as a file."""

import time
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.db import models
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.errors import DomainError
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from monitor import dashboards
from monitor.dashboard_models import Dashboard
from monitor.dashboard_panels import Panel, panels_of
from monitor.series import Sample
from monitor.store import MetricStore
from tests.crud import ResourceTests
from tests.factories import make_group, make_host, make_user

Signed = Callable[[User], Client]
LINE = {"id": "p1", "kind": "line", "metric": "cpu.busy_percent"}
ACTIONS = ("view", "add", "change", "delete")


class TestDashboardResource(ResourceTests):
    """What every resource does and refuses."""

    model: ClassVar[type[models.Model]] = Dashboard

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        return make_board(make_user(), name=f"board {number}", is_shared=True)

    def valid(self) -> dict[str, Any]:
        return {"name": "mine", "description": "what I look at"}


def make_board(owner: User, **fields: Any) -> Dashboard:
    """Make a dashboard of somebody."""
    given = {"name": "board", "panels": [LINE]} | fields
    return Dashboard.objects.create(owner=owner, **given)


def builder(**fields: Any) -> User:
    """Make somebody who may build dashboards, and look at all hosts."""
    perms = [f"monitor.{action}_dashboard" for action in ACTIONS]
    return make_user(perms=[*perms, "monitor.view_metrics"], **fields)


def address(name: str, board: Dashboard, *args: str) -> str:
    """Give the address of a page of a dashboard."""
    return reverse(f"monitor:dashboard_{name}", args=[board.pk, *args])


@pytest.mark.django_db
def test_a_private_dashboard_is_its_owners_and_a_shared_one_everybodys() -> None:
    owner, other = builder(), builder()
    private = make_board(owner, name="private")
    shared = make_board(owner, name="shared", is_shared=True)
    assert set(Dashboard.objects.visible_to(owner)) == {private, shared}
    assert set(Dashboard.objects.visible_to(other)) == {shared}
    assert set(Dashboard.objects.visible_to(make_user())) == set()


@pytest.mark.django_db
def test_a_grant_on_some_hosts_changes_no_dashboard_of_others(group: HostGroup) -> None:
    scoped = make_user(perms=["monitor.change_dashboard"], groups=[group])
    make_board(builder(), is_shared=True)
    own = make_board(scoped, name="own")
    assert set(Dashboard.objects.visible_to(scoped, "change")) == {own}


def test_sharing_needs_a_permission_of_its_own(client_of: Signed, db: None) -> None:
    user = builder()
    url = reverse("monitor:dashboard_add")
    answer = client_of(user).post(url, {"name": "mine", "is_shared": "on"})
    assert answer.status_code == 422
    assert not Dashboard.objects.exists()
    answer = client_of(user).post(url, {"name": "mine"})
    assert answer.status_code == 302
    assert Dashboard.objects.get().owner == user


def test_two_dashboards_of_one_name_are_refused_in_a_sentence(
    client_of: Signed, db: None
) -> None:
    user = builder()
    make_board(user, name="mine")
    answer = client_of(user).post(reverse("monitor:dashboard_add"), {"name": "mine"})
    assert answer.status_code == 422
    assert "You have a dashboard of that name already." in answer.content.decode()


def test_a_panel_is_added_changed_moved_and_taken_away(
    client_of: Signed, db: None
) -> None:
    user = builder()
    board, client = make_board(user), client_of(user)
    sent = {"kind": "stat", "metric": "load.1", "way": "sum", "top": "5", "title": "L"}
    assert client.post(address("panel_add", board), sent).status_code == 302
    first, second = panels_of(Dashboard.objects.get().panels)
    assert (first.id, second.kind, second.name) == ("p1", "stat", "L")
    changed = sent | {"kind": "heat"}
    client.post(address("panel_edit", board, second.id), changed)
    client.post(address("panel_move", board, second.id), {"back": "1"})
    kept = panels_of(Dashboard.objects.get().panels)
    assert [panel.kind for panel in kept] == ["heat", "line"]
    client.post(address("panel_drop", board, "p1"))
    assert [panel.id for panel in panels_of(Dashboard.objects.get().panels)] == [
        second.id
    ]
    verbs = AuditEntry.objects.filter(target_type="monitor.dashboard")
    assert set(verbs.values_list("verb", flat=True)) == {"dashboard.update"}
    assert verbs.count() == 4


def test_nobody_builds_on_a_dashboard_that_is_not_his(
    client_of: Signed, db: None
) -> None:
    board = make_board(builder(), name="private")
    client = client_of(builder())
    for name in ("panel_drop", "panel_move"):
        assert client.post(address(name, board, "p1")).status_code == 404
    for name in ("board", "kiosk", "export", "panel_add"):
        assert client.get(address(name, board)).status_code == 404
    assert Dashboard.objects.get().panels == [LINE]


@pytest.mark.parametrize(
    "panel",
    [
        "x",
        {},
        LINE | {"id": "../x"},
        LINE | {"kind": "pie"},
        LINE | {"metric": "no.such"},
        LINE | {"metric": ["load.1"]},
        LINE | {"hosts": ["1"]},
        LINE | {"hosts": [True]},
        LINE | {"group": -1},
        LINE | {"top": 10**9},
        LINE | {"wide": "yes"},
        LINE | {"title": "x" * 81},
        LINE | {"title": 1},
        LINE | {"script": "alert(1)"},
    ],
)
def test_what_is_no_panel_is_refused(db: None, panel: Any) -> None:
    board = make_board(make_user())
    with pytest.raises(DomainError):
        dashboards.set_panels(actor=board.owner, dashboard=board, panels=[panel])
    assert Dashboard.objects.get().panels == [LINE]


def test_two_panels_of_one_id_and_too_many_are_refused(db: None) -> None:
    board = make_board(make_user())
    for panels in ([LINE, LINE], [LINE | {"id": f"p{n}"} for n in range(31)]):
        with pytest.raises(DomainError):
            dashboards.set_panels(actor=board.owner, dashboard=board, panels=panels)


@pytest.mark.parametrize(
    ("kind", "way", "said"),
    [
        ("stat", "sum", "50 %"),
        ("stat", "average", "25 %"),
        ("stat", "highest", "40 %"),
        ("table", "top", "hot"),
        ("heat", "top", "calm"),
    ],
)
def test_a_panel_shows_its_hosts_newest_values(
    client_of: Signed,
    measurements: MetricStore,
    db: None,
    kind: str,
    way: str,
    said: str,
) -> None:
    group = make_group("web")
    for name, value in (("hot", 40.0), ("calm", 10.0)):
        host = make_host(name, groups=[group])
        measurements.write(host.pk, [Sample(time.time(), {"cpu.busy_percent": value})])
    measurements.write(
        make_host("elsewhere").pk, [Sample(time.time(), {"cpu.busy_percent": 99.0})]
    )
    panel = LINE | {"kind": kind, "way": way, "group": group.pk}
    board = make_board(builder(), panels=[panel], is_shared=True)
    user = make_user(
        perms=["monitor.view_dashboard", "monitor.view_metrics", "cmdb.view_hostgroup"]
    )
    page = client_of(user).get(address("panel", board, "p1")).content.decode()
    assert said in page
    assert "elsewhere" not in page


def test_a_shared_dashboard_shows_each_reader_his_own_hosts(
    client_of: Signed, measurements: MetricStore, group: HostGroup
) -> None:
    mine, other = make_host("mine", groups=[group]), make_host("other")
    for host in (mine, other):
        samples = [Sample(time.time() - 5, {"cpu.busy_percent": 50.0})]
        measurements.write(host.pk, samples)
    panels = [
        LINE | {"way": "top"},
        LINE | {"id": "p2", "kind": "table", "hosts": [mine.pk, other.pk]},
    ]
    board = make_board(builder(), is_shared=True, panels=panels)
    reader = make_user(
        perms=["monitor.view_dashboard", "monitor.view_metrics"], groups=[group]
    )
    client = client_of(reader)
    lines = client.get(address("lines", board, "p1")).json()
    assert [line["name"] for line in lines["series"]] == ["mine"]
    table = client.get(address("panel", board, "p2")).content.decode()
    assert "mine" in table
    assert "other" not in table
    assert "other" not in client.get(address("export", board)).content.decode()


def test_a_screen_on_the_wall_shows_panels_and_no_menu(
    client_of: Signed, admin: User
) -> None:
    page = client_of(admin).get(address("kiosk", make_board(admin))).content.decode()
    assert 'id="panel-p1"' in page
    assert "app-sidebar" not in page


def test_a_panel_keeps_what_it_is_given() -> None:
    panel = Panel("p1", "line", "load.1", hosts=(1, 2), group=None, top=3, wide=True)
    assert panels_of([panel.as_json()]) == [panel]
