"""Saved views: kept, opened, shared, made the first, forgotten; private ones are nobody else's, and none grants a right."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry, DefaultView, SavedView
from tests.factories import grant, make_group, make_host, make_user

pytestmark = pytest.mark.django_db
LIST, VIEWS = "/cmdb/hosts/", "/views/hosts/"
QUERY = "f.owner.is=ann&sort=-hostname&columns=owner&columns=hostname&per_page=25"


@pytest.fixture
def ann() -> User:
    """Sees hosts."""
    return make_user("ann", perms=["cmdb.view_host"])


@pytest.fixture
def bob() -> User:
    """Sees hosts too."""
    return make_user("bob", perms=["cmdb.view_host"])


def _save(client: Client, name: str = "mine", query: str = QUERY, **sent: str) -> Any:
    return client.post(VIEWS, {"name": name, "query": query, **sent})


def _view(owner: User, name: str = "mine", **values: Any) -> SavedView:
    return SavedView.objects.create(
        owner=owner, resource="hosts", name=name, query=QUERY, **values
    )


def _do(client: Client, view: SavedView, act: str, **sent: str) -> Any:
    return client.post(f"{VIEWS}{view.pk}/", {"do": act, **sent})


def test_a_view_keeps_filters_order_columns_and_page_size(
    client_of: Any, ann: User
) -> None:
    make_host("a", owner="ann")
    make_host("b", owner="bob")
    client = client_of(ann)
    answer = _save(client, query=f"{QUERY}&page=4&export=csv&freeze=1&view=7")
    view = SavedView.objects.get()
    assert (view.owner, view.query, view.is_shared) == (ann, QUERY, False)
    assert answer["Location"] == f"{LIST}?{QUERY}&view={view.pk}"
    page = client.get(answer["Location"])
    assert page.context["total"] == 1
    assert page.context["per_page"] == 25
    assert page.context["active_view"] == view
    shown = [c["name"] for c in page.context["columns"] if c["shown"]]
    assert shown == ["owner", "hostname"]
    heads = page.content.decode().split("<thead>")[1].split("</thead>")[0]
    assert heads.index("sort=owner") < heads.index("sort=hostname")
    assert AuditEntry.objects.get(verb="savedview.create").actor == ann


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_view_needs_a_name(client_of: Any, ann: User, name: str) -> None:
    assert _save(client_of(ann), name).status_code == 422
    assert not SavedView.objects.exists()


def test_two_views_of_a_list_have_two_names(client_of: Any, ann: User) -> None:
    client = client_of(ann)
    assert _save(client).status_code == 302
    assert _save(client).status_code == 409
    assert SavedView.objects.count() == 1


def test_a_query_as_long_as_a_book_is_no_view(client_of: Any, ann: User) -> None:
    assert _save(client_of(ann), query="q=" + "x" * 9000).status_code == 422


def test_a_foreign_private_view_is_not_there(
    client_of: Any, ann: User, bob: User
) -> None:
    view = _view(ann)
    client = client_of(bob)
    assert client.get(f"{VIEWS}{view.pk}/").status_code == 404
    for act in ("rename", "share", "default", "delete", "update"):
        assert _do(client, view, act, name="x", query="").status_code == 404
    assert "mine" not in client.get(VIEWS).content.decode()
    assert view.pk not in [v.pk for v, _url in client.get(LIST).context["views"]]
    view.refresh_from_db()
    assert view.name == "mine"


def test_a_shared_view_is_opened_by_others_and_changed_by_its_owner(
    client_of: Any, ann: User, bob: User
) -> None:
    view = _view(ann, is_shared=True)
    client = client_of(bob)
    assert client.get(f"{VIEWS}{view.pk}/")["Location"].startswith(f"{LIST}?f.owner")
    for act in ("rename", "unshare", "delete", "update"):
        assert _do(client, view, act, name="x", query="").status_code == 403
    view.refresh_from_db()
    assert (view.name, view.is_shared, view.query) == ("mine", True, QUERY)


def test_a_shared_view_shows_everybody_their_own_rows(
    client_of: Any, ann: User
) -> None:
    group = make_group()
    make_host("hers", owner="ann")
    make_host("his", owner="ann", groups=[group])
    view = _view(ann, is_shared=True)
    scoped = make_user(perms=["cmdb.view_host"], groups=[group])
    page = client_of(scoped).get(f"{VIEWS}{view.pk}/", follow=True)
    assert page.context["total"] == 1
    assert b"hers" not in page.content.replace(b"others", b"")


def test_views_of_a_list_one_may_not_open_are_closed(
    client_of: Any, ann: User, stranger: User
) -> None:
    view = _view(ann, is_shared=True)
    client = client_of(stranger)
    assert client.get(VIEWS).status_code == 403
    assert client.get(f"{VIEWS}{view.pk}/").status_code == 403
    assert _save(client).status_code == 403
    assert client_of(ann).get("/views/no-such-list/").status_code == 404
    assert client_of(ann).get(f"/views/idcs/{view.pk}/").status_code in {403, 404}


def test_the_owner_renames_shares_changes_and_deletes(
    client_of: Any, ann: User
) -> None:
    view, client = _view(ann), client_of(ann)
    _do(client, view, "rename", name="ours")
    _do(client, view, "share")
    _do(client, view, "update", query="f.kind.is=virtual&page=9")
    view.refresh_from_db()
    assert (view.name, view.is_shared, view.query) == (
        "ours",
        True,
        "f.kind.is=virtual",
    )
    fields = [
        [c["field"] for c in entry.changes]
        for entry in AuditEntry.objects.filter(verb="savedview.update").order_by("pk")
    ]
    assert fields == [["name"], ["is_shared"], ["query"]]
    _do(client, view, "delete")
    assert not SavedView.objects.exists()
    assert AuditEntry.objects.filter(verb="savedview.delete").count() == 1


def test_ones_default_view_opens_first_and_can_be_left(
    client_of: Any, ann: User, bob: User
) -> None:
    view, client = _view(ann), client_of(ann)
    _do(client, view, "default")
    assert client.get(LIST)["Location"] == f"{LIST}?{QUERY}&view={view.pk}"
    assert client.get(f"{LIST}?view=0").status_code == 200
    assert client.get(f"{LIST}?q=x").status_code == 200
    assert client_of(bob).get(LIST).status_code == 200
    _do(client, view, "no-default")
    assert client.get(LIST).status_code == 200


def test_only_who_may_sets_what_everybody_sees_first(
    client_of: Any, ann: User, bob: User
) -> None:
    view, client = _view(ann, is_shared=True), client_of(ann)
    assert _do(client, view, "default-for-all").status_code == 403
    assert not DefaultView.objects.exists()
    grant(ann, ["adminset.change_savedview"])
    client = client_of(ann)
    assert _do(client, view, "default-for-all").status_code == 302
    theirs = client_of(bob)
    assert theirs.get(LIST)["Location"].endswith(f"view={view.pk}")
    own = _view(bob, "his own")
    _do(theirs, own, "default")
    assert theirs.get(LIST)["Location"].endswith(f"view={own.pk}")
    _do(client, view, "unshare")
    _do(theirs, own, "no-default")
    assert theirs.get(LIST).status_code == 200


def test_a_grant_on_some_groups_sets_nothing_for_all(client_of: Any) -> None:
    scoped = make_user(
        perms=["cmdb.view_host", "adminset.change_savedview"], groups=[make_group()]
    )
    view = _view(scoped, is_shared=True)
    assert _do(client_of(scoped), view, "default-for-all").status_code == 403


def test_a_private_view_cannot_be_everybodys_first(client_of: Any, admin: User) -> None:
    view = _view(admin)
    assert _do(client_of(admin), view, "default-for-all").status_code == 422
    assert not DefaultView.objects.exists()


def test_hostile_names_and_queries_are_only_text(
    client_of: Any, ann: User, bob: User
) -> None:
    name = "<script>alert(1)</script>{{ 7 }}"
    assert (
        _save(client_of(ann), name, "q=%3Cscript%3E&f.x=1", shared="1").status_code
        == 302
    )
    for page in (LIST, VIEWS, f"{LIST}?view={SavedView.objects.get().pk}"):
        text = client_of(bob).get(page).content.decode()
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_nobody_is_led_elsewhere(client_of: Any, ann: User) -> None:
    answer = _save(client_of(ann), query="//evil.example/?next=https://evil.example")
    assert answer["Location"].startswith(f"{LIST}?")


def test_anonymous_visitors_have_no_views(client: Client) -> None:
    assert client.get(VIEWS).status_code == 302
    assert _save(client).status_code == 302
    assert not SavedView.objects.exists()
