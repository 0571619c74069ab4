"""Nobody raises anybody above himself, and the last administrator stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Grant, Role, User
from tests.factories import grant, make_group, make_user

pytestmark = pytest.mark.django_db
MANAGER = [
    f"accounts.{action}_{noun}"
    for action in ("view", "add", "change", "delete")
    for noun in ("user", "role", "grant", "apitoken")
]
Signed = Callable[[User], Client]


@pytest.fixture
def manager() -> User:
    """Manages users, and holds nothing else but seeing hosts."""
    return make_user(
        "manager", perms=[*MANAGER, "cmdb.view_host", "cmdb.view_hostgroup"]
    )


def add(client: Client, noun: str, **values: Any):
    """Send the form of a new object."""
    return client.post(reverse(f"accounts:{noun}_add"), values)


def role_of(*perms: str) -> Role:
    """Make a role that holds these."""
    return grant(make_user(), perms).role


def test_a_manager_makes_no_administrator(client_of: Signed, manager: User) -> None:
    answer = add(
        client_of(manager), "user", username="boss", is_active="on", is_superuser="on"
    )
    assert answer.status_code == 422
    assert not User.objects.filter(username="boss").exists()


def test_a_manager_does_not_raise_himself(client_of: Signed, manager: User) -> None:
    data = {"username": "manager", "is_active": "on", "is_superuser": "on"}
    client_of(manager).post(reverse("accounts:user_edit", args=[manager.pk]), data)
    manager.refresh_from_db()
    assert not manager.is_superuser


def test_a_manager_changes_neither_an_administrator_nor_one_who_may_do_more(
    client_of: Signed, manager: User, admin: User
) -> None:
    above = make_user("above", perms=["cmdb.run_host"])
    scoped = make_user("scoped", perms=["cmdb.run_host"], groups=[make_group()])
    client = client_of(manager)
    new = {
        "password": "quite another long secret",
        "repeat": "quite another long secret",
    }
    for user in (admin, above, scoped):
        hash_before = user.password
        client.post(reverse("accounts:user_password", args=[user.pk]), new)
        data = {"username": user.username + "x", "password": new["password"]}
        assert (
            client.post(reverse("accounts:user_edit", args=[user.pk]), data).status_code
            == 422
        )
        client.post(reverse("accounts:user_delete", args=[user.pk]))
        client.post(
            reverse("accounts:user_bulk_delete"),
            {"pk": [user.pk], "confirm": "1", "count": "1"},
        )
        kept = User.objects.get(pk=user.pk)
        assert (kept.password, kept.username) == (hash_before, user.username)


def test_one_who_may_not_sign_in_now_still_stands_above(
    client_of: Signed, manager: User
) -> None:
    above = make_user("above", perms=["cmdb.run_host"], is_active=False)
    data = {
        "username": "above",
        "is_active": "on",
        "password": "quite another long secret",
    }
    page = reverse("accounts:user_edit", args=[above.pk])
    assert client_of(manager).post(page, data).status_code == 422


def test_a_manager_changes_those_below(
    client_of: Signed, manager: User, admin: User
) -> None:
    below = make_user("below", perms=["cmdb.view_host"], groups=[make_group()])
    page = reverse("accounts:user_edit", args=[below.pk])
    data = {"username": "below", "display_name": "Below"}
    assert client_of(manager).post(page, data).status_code == 302
    below.refresh_from_db()
    assert not below.is_active


def test_a_manager_gives_no_role_that_holds_more(
    client_of: Signed, manager: User
) -> None:
    client, strong, weak = (
        client_of(manager),
        role_of("cmdb.run_host"),
        role_of("cmdb.view_host"),
    )
    before = Grant.objects.count()
    for user in (manager, make_user()):
        answer = add(client, "grant", user=user.pk, role=strong.pk, everything="on")
        assert answer.status_code == 422
        assert "cmdb.run_host" in answer.content.decode()
        group = make_group()
        scoped = add(
            client, "grant", user=user.pk, role=strong.pk, cmdb_hostgroup=group.pk
        )
        assert scoped.status_code == 422
    assert Grant.objects.count() == before
    assert (
        add(
            client, "grant", user=make_user().pk, role=weak.pk, everything="on"
        ).status_code
        == 302
    )


def test_a_manager_swaps_no_grant_for_a_stronger_one(
    client_of: Signed, manager: User
) -> None:
    weak, strong = role_of("cmdb.view_host"), role_of("cmdb.run_host")
    mine = Grant.objects.create(user=manager, role=weak, everything=True)
    data = {"user": manager.pk, "role": strong.pk, "everything": "on"}
    client_of(manager).post(reverse("accounts:grant_edit", args=[mine.pk]), data)
    mine.refresh_from_db()
    assert mine.role == weak


def test_a_manager_takes_no_grant_or_role_from_those_above(
    client_of: Signed, manager: User
) -> None:
    strong = role_of("cmdb.run_host")
    client = client_of(manager)
    given = strong.grants.get()
    client.post(reverse("accounts:grant_delete", args=[given.pk]))
    client.post(reverse("accounts:role_delete", args=[strong.pk]))
    client.post(
        reverse("accounts:role_bulk_delete"),
        {"pk": [strong.pk], "confirm": "1", "count": "1"},
    )
    assert Grant.objects.filter(pk=given.pk, role=strong).exists()


def test_a_manager_puts_nothing_into_a_role_that_he_lacks(
    client_of: Signed, manager: User
) -> None:
    client, own = client_of(manager), manager.grants.get().role
    names = own.permission_names
    answer = add(client, "role", name="strong", permissions=["cmdb.run_host"])
    assert answer.status_code == 422
    page = reverse("accounts:role_edit", args=[own.pk])
    more = {"name": own.name, "permissions": [*names, "cmdb.run_host"]}
    assert client.post(page, more).status_code == 422
    assert Role.objects.get(pk=own.pk).permission_names == names
    assert (
        add(client, "role", name="weak", permissions=["cmdb.view_host"]).status_code
        == 302
    )


def test_the_api_and_the_import_refuse_the_same(
    client_of: Signed, manager: User
) -> None:
    client, strong = client_of(manager), role_of("cmdb.run_host")
    for path, body in [
        ("users", {"username": "boss", "is_superuser": True}),
        ("roles", {"name": "strong", "permissions": ["cmdb.run_host"]}),
        ("grants", {"user": "manager", "role": strong.name, "everything": True}),
    ]:
        answer = client.post(f"/api/v1/{path}/", body, content_type="application/json")
        assert answer.status_code == 403, path
        assert answer.json()["error"]["code"] == "above_yourself"
    page = f"/api/v1/users/{manager.pk}/"
    answer = client.patch(page, {"is_superuser": True}, content_type="application/json")
    assert answer.status_code == 403


def test_a_scoped_grant_lets_nobody_make_users_or_grants(client_of: Signed) -> None:
    group = make_group()
    scoped = make_user(
        "scoped", perms=[*MANAGER, "cmdb.view_hostgroup"], groups=[group]
    )
    client, role = client_of(scoped), role_of("cmdb.view_hostgroup")
    assert add(client, "user", username="extra", is_active="on").status_code == 422
    answer = add(client, "grant", user=scoped.pk, role=role.pk, cmdb_hostgroup=group.pk)
    assert answer.status_code == 422
    assert not User.objects.filter(username="extra").exists()


def test_nobody_deletes_or_stops_himself(client_of: Signed, admin: User) -> None:
    make_user("second", is_superuser=True)
    client = client_of(admin)
    client.post(reverse("accounts:user_delete", args=[admin.pk]))
    data = {"username": "admin", "is_superuser": "on"}
    answer = client.post(reverse("accounts:user_edit", args=[admin.pk]), data)
    assert answer.status_code == 422
    assert User.objects.get(pk=admin.pk).is_active


def test_the_last_administrator_stays_one(client_of: Signed, admin: User) -> None:
    make_user("asleep", is_superuser=True, is_active=False)
    client = client_of(admin)
    data = {"username": "admin", "is_active": "on"}
    answer = client.post(reverse("accounts:user_edit", args=[admin.pk]), data)
    assert answer.status_code == 422
    assert "last administrator" in answer.content.decode()
    second = make_user("second", is_superuser=True)
    assert (
        client.post(reverse("accounts:user_edit", args=[admin.pk]), data).status_code
        == 302
    )
    last = client_of(second)
    last.post(
        reverse("accounts:user_bulk_delete"),
        {"pk": [second.pk], "confirm": "1", "count": "1"},
    )
    assert User.objects.filter(pk=second.pk, is_superuser=True, is_active=True).exists()
