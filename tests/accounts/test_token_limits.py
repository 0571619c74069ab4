"""What a token may less than its user: permissions, objects; and that narrowing never widens."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, Grant, Role, User
from accounts.services import tokens as services
from adminset.audit import SystemActor
from adminset.crud.resource import all_resources
from adminset.crud.search import find_everywhere
from cmdb.models import HOST_GROUP_SCOPE, Host, HostGroup
from tests.factories import grant, make_group, make_host, make_user

pytestmark = pytest.mark.django_db
ADD = "accounts:my_token_add"
SYSTEM = SystemActor("test")


def speaking(user: User, **limits: Any) -> Any:
    """Give a way to ask the API with a token that has these limits."""
    _token, text = services.create_token(actor=SYSTEM, user=user, name="t", **limits)
    client = Client(headers={"Authorization": f"Bearer {text}"})

    def ask(path: str, body: object = None, method: str = "") -> Any:
        if body is None:
            return client.get(path)
        call = getattr(client, method or "post")
        return call(path, body, content_type="application/json")

    return ask


def only(group: HostGroup) -> dict[str, list[int]]:
    """Hold to one group."""
    return {HOST_GROUP_SCOPE: [group.pk]}


def test_a_token_for_one_permission_in_one_group_sees_exactly_those_hosts(
    admin: User, group: HostGroup, other_group: HostGroup
) -> None:
    make_host("web-1", groups=[group])
    make_host("web-2", groups=[group, other_group])
    make_host("db-1", groups=[other_group])
    make_host("lonely")
    ask = speaking(admin, permissions=["cmdb.view_host"], scope_ids=only(group))
    listed = ask("/api/v1/hosts/").json()
    assert {row["hostname"] for row in listed["results"]} == {"web-1", "web-2"}
    assert listed["count"] == 2
    admin.token = ApiToken.objects.get()
    found = find_everywhere(admin, "-1", all_resources())
    assert [str(row) for each in found for row, *_rest in each["rows"]] == ["web-1"]
    foreign = ask(f"/api/v1/hosts/?groups={other_group.pk}")
    assert foreign.status_code == 422  # a token that sees no groups filters by none
    told = ask("/api/v1/inventory/ansible/").getvalue()
    inventory = json.loads(told)["_meta"]["hostvars"]
    names = {row["adminset_hostname"] for row in inventory.values()}
    assert names == {"web-1", "web-2"}
    for host in Host.objects.all():
        status = ask(f"/api/v1/hosts/{host.pk}/").status_code
        assert status == (200 if host.hostname.startswith("web") else 404)


@pytest.mark.parametrize(
    "path", ["users", "api-tokens", "grants", "idcs", "credentials", "host-groups"]
)
def test_what_is_not_named_is_closed(admin: User, path: str) -> None:
    ask = speaking(admin, permissions=["cmdb.view_host"], can_write=True)
    assert ask(f"/api/v1/{path}/").status_code == 403


def test_a_token_that_reads_writes_nothing_whatever_permission_it_names(
    admin: User, group: HostGroup
) -> None:
    names = ["cmdb.view_host", "cmdb.add_host", "cmdb.change_host", "cmdb.delete_host"]
    host = make_host("web-1", groups=[group])
    ask = speaking(admin, permissions=names)
    path = f"/api/v1/hosts/{host.pk}/"
    assert ask("/api/v1/hosts/", {"hostname": "new"}).status_code == 403
    assert ask(path, {"hostname": "x"}, "patch").status_code == 403
    assert ask(path, {}, "delete").status_code == 403
    assert [row.hostname for row in Host.objects.all()] == ["web-1"]


def test_a_token_writes_within_its_objects_only(
    admin: User, group: HostGroup, other_group: HostGroup
) -> None:
    mine = make_host("web-1", groups=[group])
    other = make_host("db-1", groups=[other_group])
    ask = speaking(admin, can_write=True, scope_ids=only(group))
    body = {"hostname": "changed"}
    assert ask(f"/api/v1/hosts/{mine.pk}/", body, "patch").status_code == 200
    assert ask(f"/api/v1/hosts/{other.pk}/", body, "patch").status_code == 404
    other.refresh_from_db()
    assert other.hostname == "db-1"


def test_narrowing_never_widens(
    operator: User, group: HostGroup, other_group: HostGroup
) -> None:
    make_host("web-1", groups=[group])
    make_host("db-1", groups=[other_group])
    ask = speaking(operator, scope_ids=only(other_group), can_write=True)
    assert ask("/api/v1/hosts/").json()["count"] == 0
    ask = speaking(operator, permissions=["accounts.view_user", "cmdb.view_host"])
    assert ask("/api/v1/users/").status_code == 403
    assert ask("/api/v1/hosts/").json()["count"] == 1


def test_a_token_follows_what_its_user_loses(operator: User, group: HostGroup) -> None:
    make_host("web-1", groups=[group])
    ask = speaking(operator, permissions=["cmdb.view_host"], scope_ids=only(group))
    assert ask("/api/v1/hosts/").json()["count"] == 1
    Grant.objects.filter(user=operator).delete()
    assert ask("/api/v1/hosts/").status_code == 403


def test_a_group_that_is_gone_does_not_free_the_token(
    client_of: Any, admin: User, group: HostGroup
) -> None:
    make_host("lonely")
    ask = speaking(admin, scope_ids=only(group))
    path = f"/api/v1/host-groups/{group.pk}/"
    assert client_of(admin).delete(path).status_code == 204
    assert ask("/api/v1/hosts/").json()["count"] == 0


@pytest.mark.parametrize("limit", ["permissions", "objects"])
def test_an_administrators_limited_token_makes_no_administrator_and_no_grant(
    admin: User, group: HostGroup, limit: str
) -> None:
    named = [
        f"accounts.{action}_{noun}"
        for action in ("view", "add", "change")
        for noun in ("user", "role", "grant")
    ]
    limits = {
        "permissions": {"permissions": named},
        "objects": {"scope_ids": only(group)},
    }
    ask = speaking(admin, can_write=True, **limits[limit])
    bob = make_user("bob")
    strong = grant(make_user("strong"), ["cmdb.delete_host"]).role
    made = {"username": "mallory", "is_superuser": True}
    assert ask("/api/v1/users/", made).status_code == 403
    raised = {"is_superuser": True}
    assert ask(f"/api/v1/users/{bob.pk}/", raised, "patch").status_code in (403, 404)
    given = {"user": "bob", "role": strong.name, "everything": True}
    assert ask("/api/v1/grants/", given).status_code in (403, 422)
    taken = {"password": "quite another long secret"}
    path = f"/api/v1/users/{admin.pk}/"
    assert ask(path, taken, "patch").status_code in (403, 404, 422)
    assert User.objects.filter(is_superuser=True).get() == admin
    assert not Grant.objects.filter(user=bob).exists()
    admin.refresh_from_db()
    assert not admin.check_password(taken["password"])


def test_a_role_is_not_filled_beyond_the_token(admin: User) -> None:
    names = ["accounts.view_role", "accounts.add_role", "cmdb.view_host"]
    ask = speaking(admin, can_write=True, permissions=names)
    body = {"name": "strong", "permissions": ["cmdb.delete_host"]}
    assert ask("/api/v1/roles/", body).status_code == 403
    assert not Role.objects.filter(name="strong").exists()


def test_the_form_takes_the_limits(
    client_of: Any, operator: User, group: HostGroup
) -> None:
    page = client_of(operator).get(reverse(ADD)).content.decode()
    assert 'name="permissions"' in page
    data = {
        "name": "inventory",
        "days": "30",
        "permissions": ["cmdb.view_host"],
        "cmdb_hostgroup": [group.pk],
        "networks": "10.1.0.0/16\n192.0.2.7",
    }
    answer = client_of(operator).post(reverse(ADD), data)
    assert answer.status_code == 200
    token = ApiToken.objects.get()
    assert token.permissions == ["cmdb.view_host"]
    assert token.scope_ids == only(group)
    assert token.networks == ["10.1.0.0/16", "192.0.2.7"]
    listed = client_of(operator).get(reverse("accounts:my_tokens")).content.decode()
    for limit in ("1 permission", "only on web", "only from 10.1.0.0/16, 192.0.2.7"):
        assert f"<div>{limit}</div>" in listed


def test_the_form_refuses_what_the_owner_does_not_hold(
    client_of: Any, operator: User, other_group: HostGroup
) -> None:
    for wrong in (
        {"permissions": ["accounts.add_user"]},
        {"permissions": ["cmdb.no_such"]},
        {"cmdb_hostgroup": [other_group.pk]},
        {"networks": "10.1.2.3/16"},
        {"networks": "<script>"},
    ):
        data = {"name": "x", "days": "30", **wrong}
        assert client_of(operator).post(reverse(ADD), data).status_code == 422, wrong
    assert not ApiToken.objects.exists()


def test_objects_that_the_reader_may_not_see_have_no_name(
    client_of: Any, other_group: HostGroup
) -> None:
    secret = make_group("secret project")
    scoped = make_user(perms=["accounts.view_apitoken"])
    owner = make_user("owner")
    limits = {"scope_ids": only(secret), "permissions": ["cmdb.view_host"]}
    token, _text = services.create_token(actor=SYSTEM, user=owner, name="t", **limits)
    for path in (
        "/accounts/api-tokens/",
        f"/accounts/api-tokens/{token.pk}/?tab=limits",
    ):
        page = client_of(scoped).get(path)
        assert page.status_code == 200
        assert "secret project" not in page.content.decode()
        assert f"Host groups {secret.pk}" in page.content.decode()
