"""Grants become permissions: where they hold, what they cost, what is left when an object goes."""

import pytest
from django.urls import reverse

from accounts import access, selectors
from accounts.models import Grant, GrantScope, Role, User
from accounts.services import grants, tokens
from adminset import scopes
from adminset.audit import SystemActor
from adminset.models import AuditEntry
from adminset.querysets import Scope
from tests.factories import grant, make_group, make_host, make_user

pytestmark = pytest.mark.django_db
KIND = "cmdb.hostgroup"


def test_permissions_cost_two_queries_whatever_the_number_of_grants(
    django_assert_num_queries,
) -> None:
    user = make_user("busy")
    for _number in range(30):
        grant(user, ["cmdb.view_host", "cmdb.run_host"], [make_group(), make_group()])
    grant(user, ["cmdb.view_idc"])
    fresh = User.objects.get(pk=user.pk)
    with django_assert_num_queries(2):
        assert len(fresh.scope_of("cmdb.view_host").of(KIND)) == 60
        assert fresh.scope_of("cmdb.view_idc").everything
        assert not fresh.has_perm("cmdb.delete_host")
        assert fresh.has_module_perms("cmdb")


def test_an_administrator_costs_no_query(
    admin: User, django_assert_num_queries
) -> None:
    with django_assert_num_queries(0):
        assert admin.has_perm("cmdb.delete_host")


def test_an_empty_grant_gives_nothing() -> None:
    user = make_user()
    role = grant(make_user(), ["cmdb.view_host"]).role
    Grant.objects.create(user=user, role=role)
    make_host()
    assert not user.has_perm("cmdb.view_host")
    assert access.permissions_of(user) == {}


def test_a_stopped_user_holds_nothing() -> None:
    assert not make_user(is_superuser=True, is_active=False).has_perm("cmdb.view_host")


def test_one_scope_covers_another() -> None:
    one, two = (Scope(ids={KIND: frozenset(ids)}) for ids in ([1], [1, 2]))
    everywhere = Scope(everything=True)
    assert access.covers(two, one)
    assert not access.covers(one, two)
    assert access.covers(everywhere, two)
    assert not access.covers(two, everywhere)
    assert access.covers(Scope(), Scope())
    assert not access.covers(Scope(), one)


def test_a_grant_on_a_group_shows_that_groups_hosts(client_of, admin: User) -> None:
    web, database = make_group("web"), make_group("database")
    mine, other = make_host(groups=[web]), make_host(groups=[database])
    user, role = make_user("ann"), grant(make_user(), ["cmdb.view_host"]).role
    data = {"user": user.pk, "role": role.pk, "cmdb_hostgroup": [web.pk]}
    client = client_of(admin)
    assert client.post(reverse("accounts:grant_add"), data).status_code == 302
    made = Grant.objects.get(user=user)
    assert type(mine).objects.visible_to(user).get() == mine
    entry = AuditEntry.objects.get(verb="grant.create")
    assert {
        "field": "scopes",
        "old": None,
        "new": [f"{KIND}:{web.pk}"],
    } in entry.changes
    page = reverse("accounts:grant_edit", args=[made.pk])
    assert (
        client.post(page, data | {"cmdb_hostgroup": [database.pk]}).status_code == 302
    )
    assert type(mine).objects.visible_to(User.objects.get(pk=user.pk)).get() == other
    for name in ("grant_list", "user_list"):
        assert "ann" in client.get(reverse(f"accounts:{name}")).content.decode()
    assert "database" in client.get(reverse("accounts:grant_list")).content.decode()


def test_a_grant_that_would_hold_nowhere_is_refused(client_of, admin: User) -> None:
    data = {"user": admin.pk, "role": Role.objects.create(name="watcher").pk}
    answer = client_of(admin).post(reverse("accounts:grant_add"), data)
    assert answer.status_code == 422
    assert "Choose where it holds" in answer.content.decode()


def test_groups_that_the_editor_does_not_see_stay_in_the_grant(client_of) -> None:
    hidden, role = make_group("unseen-group"), Role.objects.create(name="watcher")
    given = Grant.objects.create(user=make_user("ann"), role=role)
    given.scopes.create(kind=KIND, object_id=hidden.pk)
    actions = ("view", "add", "change")
    perms = [f"accounts.{action}_grant" for action in actions]
    editor = make_user(perms=[*perms, "accounts.view_user", "accounts.view_role"])
    page = reverse("accounts:grant_edit", args=[given.pk])
    client = client_of(editor)
    assert "unseen-group" not in client.get(page).content.decode()
    other = make_user("other")
    data = {"user": other.pk, "role": role.pk}
    assert client.post(page, data).status_code == 302
    given.refresh_from_db()
    assert given.user == other
    assert given.scope_ids == {KIND: [hidden.pk]}


def test_a_deleted_group_leaves_no_trace_in_grants() -> None:
    group, kept = make_group(), make_group()
    user = make_user(perms=["cmdb.view_host"], groups=[group, kept])
    grants.forget_scope(actor=SystemActor("test"), kind=KIND, object_id=group.pk)
    assert list(GrantScope.objects.values_list("object_id", flat=True)) == [kept.pk]
    assert AuditEntry.objects.get().verb == "grant.update"
    assert User.objects.get(pk=user.pk).has_perm("cmdb.view_host")


@pytest.mark.parametrize("noun", ["role", "user"])
def test_who_loses_a_grant_by_a_deletion_is_in_the_trail(
    client_of, admin: User, noun: str
) -> None:
    given = grant(make_user("ann"), ["cmdb.view_host"])
    gone = given.role if noun == "role" else given.user
    client_of(admin).post(reverse(f"accounts:{noun}_delete", args=[gone.pk]))
    assert not Grant.objects.exists()
    entry = AuditEntry.objects.get(verb="grant.delete")
    assert entry.target_name.startswith("ann / ")
    assert AuditEntry.objects.filter(verb=f"{noun}.delete").count() == 1


def test_the_api_gives_a_grant_with_the_ids_of_its_scope(
    client_of, admin: User
) -> None:
    group, role = make_group("web"), Role.objects.create(name="watcher")
    body = {"user": "admin", "role": "watcher", "cmdb_hostgroup": ["web"]}
    answer = client_of(admin).post(
        "/api/v1/grants/", body, content_type="application/json"
    )
    assert answer.status_code == 201, answer.json()
    assert answer.json()["scope_ids"] == {KIND: [group.pk]}
    assert answer.json()["role"] == role.pk


def test_host_groups_are_a_kind_of_scope() -> None:
    assert KIND in {kind.kind for kind in scopes.all_kinds()}


def test_a_role_offers_our_permissions_and_no_other(client_of, admin: User) -> None:
    names = selectors.names_of(selectors.room_permissions())
    assert {"cmdb.view_host", "cmdb.run_host", "adminset.view_auditentry"} <= names
    assert not {"auth.add_permission", "adminset.delete_auditentry"} & names
    page = client_of(admin).get(reverse("accounts:role_add")).content.decode()
    assert "Assets: host" in page
    body = {"name": "odd", "permissions": ["auth.add_permission"]}
    answer = client_of(admin).post(
        "/api/v1/roles/", body, content_type="application/json"
    )
    assert answer.status_code == 422
    assert "permissions" in answer.json()["error"]["fields"]


@pytest.mark.parametrize("who", ["admin", "auditor"])
def test_the_pages_of_the_room_open(
    client_of, request: pytest.FixtureRequest, who: str
) -> None:
    user = request.getfixturevalue(who)
    role = grant(make_user("ann"), ["cmdb.view_host"], [make_group("web")]).role
    tokens.create_token(actor=user, user=user, name="script")
    client = client_of(user)
    pages = [
        reverse(f"accounts:{name}_list")
        for name in ("user", "role", "grant", "apitoken")
    ]
    pages += [
        reverse("accounts:user_detail", args=[user.pk]) + f"?tab={t}"
        for t in ("grants", "tokens")
    ]
    pages += [
        role.get_absolute_url() + f"?tab={tab}" for tab in ("permissions", "grants")
    ]
    pages += [
        reverse("accounts:grant_detail", args=[role.grants.get().pk]) + "?tab=where"
    ]
    pages += [
        reverse(f"accounts:{name}")
        for name in ("profile", "my_tokens", "my_token_add", "password_change")
    ]
    for page in pages:
        assert client.get(page).status_code == 200, page
