"""Panels of dashboards by REST: what the page's form refuses is refused here; whole dashboards travel."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from monitor.dashboard_models import Dashboard
from monitor.dashboard_panels import MOST_PANELS
from tests.factories import make_host, make_user
from tests.monitor.prometheus_sender import bearer, token_of
from tests.monitor.test_dashboards import LINE, builder, make_board

Signed = Callable[[User], Client]
STAT = {"kind": "stat", "metric": "load.1"}


def send(
    client: Client,
    method: str,
    board: Dashboard,
    body: Any = None,
    panel: str = "",
    **more: Any,
) -> Any:
    """Ask the endpoint of a dashboard's panels, or of one."""
    place = f"/api/v1/dashboards/{board.pk}/panels/{panel + '/' if panel else ''}"
    return getattr(client, method)(place, body, content_type="application/json", **more)


def test_a_panel_is_added_changed_and_taken_away_each_with_its_line(
    client_of: Signed, db: None
) -> None:
    owner, host = builder(), make_host()
    board, client = make_board(owner, panels=[]), client_of(owner)
    added = send(client, "post", board, STAT | {"hosts": [host.pk], "title": "load"})
    assert added.status_code == 201, added.content
    said = added.json()
    assert (said["way"], said["top"], said["wide"]) == ("average", 5, False)
    assert send(client, "get", board).json() == {"panels": [said]}
    patched = send(client, "patch", board, {"wide": True}, said["id"]).json()
    assert patched == said | {"wide": True}
    put = send(client, "put", board, STAT | {"kind": "table"}, said["id"]).json()
    assert put == {
        "id": said["id"],
        **STAT,
        "kind": "table",
        "title": "",
        "hosts": [],
        "group": None,
        "way": "average",
        "top": 5,
        "wide": False,
    }
    assert send(client, "delete", board, panel=said["id"]).status_code == 204
    assert Dashboard.objects.get().panels == []
    assert AuditEntry.objects.filter(verb="dashboard.update").count() == 4


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (STAT | {"kind": "pie"}, "kind"),
        (STAT | {"metric": "nonsense"}, "metric"),
        (STAT | {"top": 0}, "top"),
        (STAT | {"top": {"a": [1]}}, "top"),
        (STAT | {"hosts": [999999]}, "hosts"),
        (STAT | {"hosts": "x"}, "hosts"),
        (STAT | {"hosts": [[1]]}, "hosts"),
        (STAT | {"group": 999999}, "group"),
        (STAT | {"title": "x" * 81}, "title"),
        (STAT | {"title": "\x00"}, "title"),
        ({"kind": "stat"}, "metric"),
        (STAT | {"colour": "red"}, None),
        ([STAT], None),
        ('"x"', None),
    ],
)
def test_what_the_form_refuses_is_refused_and_nothing_is_kept(
    client_of: Signed, db: None, body: Any, field: str | None
) -> None:
    owner = builder()
    board = make_board(owner, panels=[])
    answer = send(client_of(owner), "post", board, body)
    assert answer.status_code == 422, answer.content
    if field:
        assert field in answer.json()["error"]["fields"]
    assert Dashboard.objects.get().panels == []
    assert not AuditEntry.objects.filter(verb="dashboard.update").exists()


def test_all_panels_are_replaced_at_once_and_keep_their_ids(
    client_of: Signed, db: None
) -> None:
    owner = builder()
    board, client = make_board(owner), client_of(owner)
    answer = send(client, "put", board, [STAT, LINE | {"title": "cpu"}])
    assert answer.status_code == 200, answer.content
    new, old = answer.json()["panels"]
    assert (old["id"], old["title"]) == ("p1", "cpu")
    assert new["id"] not in {"", "p1"}
    bad = send(client, "put", board, [STAT, STAT | {"kind": "pie"}])
    assert "2.kind" in bad.json()["error"]["fields"]
    assert send(client, "put", board, [LINE, LINE]).status_code == 422
    assert send(client, "put", board, [STAT] * (MOST_PANELS + 1)).status_code == 422
    assert [p["id"] for p in Dashboard.objects.get().panels] == [new["id"], "p1"]


def test_who_may_not_change_a_dashboard_changes_none_of_its_panels(
    client_of: Signed, db: None
) -> None:
    board = make_board(builder(), is_shared=True)
    private = make_board(builder(), name="private")
    looker = client_of(make_user(perms=["monitor.view_dashboard"]))
    assert send(looker, "get", board).status_code == 200
    assert send(looker, "get", private).status_code == 404
    for method, panel in (("post", ""), ("put", ""), ("patch", "p1"), ("delete", "p1")):
        assert send(looker, method, board, STAT, panel).status_code == 403
    assert Dashboard.objects.get(pk=board.pk).panels == [LINE]


def test_a_read_only_token_changes_no_panel(db: None) -> None:
    owner = builder()
    board = make_board(owner)
    headers = bearer(token_of(owner, can_write=False))
    answer = send(Client(), "delete", board, panel="p1", **headers)
    assert answer.json()["error"]["code"] == "read_only_token"
    assert send(Client(), "get", board, **headers).status_code == 200


def test_hosts_that_the_caller_does_not_see_are_not_told_and_stay_where_he_does_not_touch_them(
    client_of: Signed, group: HostGroup
) -> None:
    mine, other = make_host(groups=[group]), make_host()
    user = builder(groups=[group])
    board = make_board(user, panels=[LINE | {"hosts": [mine.pk, other.pk]}])
    client = client_of(user)
    assert send(client, "get", board, panel="p1").json()["hosts"] == [mine.pk]
    assert send(client, "patch", board, {"title": "x"}, "p1").status_code == 200
    assert Dashboard.objects.get().panels[0]["hosts"] == [mine.pk, other.pk]
    refused = send(client, "patch", board, {"hosts": [other.pk]}, "p1")
    assert "hosts" in refused.json()["error"]["fields"]


def test_a_write_with_the_tag_of_an_old_state_is_refused(
    client_of: Signed, db: None
) -> None:
    owner = builder()
    board, client = make_board(owner), client_of(owner)
    tag = send(client, "get", board, panel="p1")["ETag"]
    fresh = {"HTTP_IF_MATCH": tag}
    assert (
        send(client, "patch", board, {"title": "a"}, "p1", **fresh).status_code == 200
    )
    assert (
        send(client, "patch", board, {"title": "b"}, "p1", **fresh).status_code == 412
    )
    assert Dashboard.objects.get().panels[0]["title"] == "a"


def test_a_whole_dashboard_is_taken_out_and_brought_by_rest(
    client_of: Signed, db: None
) -> None:
    owner, host = builder(), make_host("web1")
    board, client = (
        make_board(owner, panels=[LINE | {"hosts": [host.pk]}]),
        client_of(owner),
    )
    file = client.get(f"/api/v1/dashboards/{board.pk}/export/").json()
    assert file["panels"][0]["hosts"] == ["web1"]
    place = "/api/v1/dashboards/import/"
    assert client.post(place, file, content_type="application/json").status_code == 409
    file["name"] = "another"
    made = client.post(place, file, content_type="application/json")
    assert made.status_code == 201, made.content
    assert made.json()["panels"][0]["hosts"] == [host.pk]
    assert client.post(place, [], content_type="application/json").status_code == 422
    looker = client_of(make_user(perms=["monitor.view_dashboard"]))
    assert looker.post(place, file, content_type="application/json").status_code == 403
    assert Dashboard.objects.count() == 2
