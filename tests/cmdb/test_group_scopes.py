"""Grants on dynamic groups: they open what matches now, close what no longer does, and nobody lets himself in."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from adminset.models import AuditEntry
from adminset.querysets import may
from cmdb.models import (
    Agent,
    Credential,
    Host,
    HostGroup,
    IdentityConflict,
    Nic,
    ProductLine,
)
from tests.factories import grant, make_dynamic, make_group, make_host, make_user

pytestmark = pytest.mark.django_db
ACTIONS = ("view", "add", "change", "delete", "run")
HOLDS = [*(f"cmdb.{action}_host" for action in ACTIONS), "cmdb.view_hostgroup"]


@pytest.fixture
def keeper(ops: HostGroup) -> User:
    """May do everything with what ops own."""
    return make_user("keeper", perms=HOLDS, groups=[ops])


def _fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def _patch(client: Any, host: Host, **values: Any) -> Any:
    url, kind = f"/api/v1/hosts/{host.pk}/", "application/json"
    return client.patch(url, json.dumps(values), content_type=kind)


def test_a_grant_opens_what_matches_now_and_closes_it_at_once(
    client_of: Any, keeper: User
) -> None:
    mine, other = make_host("mine", owner="ops"), make_host("other", owner="shop")
    client = client_of(keeper)

    def reached() -> list[bool]:
        urls = [f"/cmdb/hosts/{host.pk}/" for host in (mine, other)]
        return [client.get(url).status_code == 200 for url in urls]

    assert reached() == [True, False]
    assert [may(keeper, "run", host) for host in (mine, other)] == [True, False]
    Host.objects.filter(pk=mine.pk).update(owner="shop")
    Host.objects.filter(pk=other.pk).update(owner="ops")
    assert reached() == [False, True]
    assert [
        row["hostname"] for row in client.get("/api/v1/hosts/").json()["results"]
    ] == ["other"]
    told = json.loads(client.get("/api/v1/inventory/ansible/").getvalue())
    assert list(told["_meta"]["hostvars"]) == ["other"]


def test_a_changed_filter_counts_from_the_next_request_on(
    client_of: Any, keeper: User, ops: HostGroup
) -> None:
    host, client = make_host(owner="shop"), client_of(keeper)
    assert client.get(f"/cmdb/hosts/{host.pk}/").status_code == 404
    HostGroup.objects.filter(pk=ops.pk).update(rule={"f.owner.is": ["shop"]})
    assert client.get(f"/cmdb/hosts/{host.pk}/").status_code == 200


def test_what_belongs_to_a_host_is_opened_with_it(ops: HostGroup) -> None:
    perms = ["cmdb.view_agent", "cmdb.view_nic", "cmdb.view_identityconflict"]
    user = make_user(perms=perms, groups=[ops])
    for owner in ("ops", "shop"):
        host = make_host(f"of-{owner}", owner=owner)
        Agent.objects.create(host=host, secret_hash=owner)
        Nic.objects.create(host=host, name=f"eth-{owner}")
        IdentityConflict.objects.create().hosts.add(host)
    assert [str(a.host) for a in Agent.objects.visible_to(user)] == ["of-ops"]
    assert [n.name for n in Nic.objects.visible_to(user)] == ["eth-ops"]
    seen = IdentityConflict.objects.visible_to(user)
    assert [c.hosts.get().owner for c in seen] == ["ops"]


def test_credentials_open_by_what_people_set_not_by_what_machines_say() -> None:
    debian = make_dynamic("debian", os__name_is=["Debian"])
    debian.rule = {"f.os_name.is": ["Debian"]}
    debian.save()
    ops = make_dynamic()
    by_people, by_agent = (Credential.objects.create(name=n) for n in ("a", "b"))
    make_host(owner="ops", credential=by_people)
    spoofed = make_host(os_name="Debian", credential=by_agent)
    user = make_user(
        perms=["cmdb.view_host", "cmdb.use_credential"], groups=[ops, debian]
    )
    assert spoofed in Host.objects.visible_to(user)
    assert list(Credential.objects.visible_to(user, "use")) == [by_people]


# ---- nobody lets himself in


@pytest.fixture
def climber(ops: HostGroup) -> tuple[User, Host]:
    """Somebody who may change hosts of his product line, and run work on what ops own; and a host of his line."""
    shop = ProductLine.objects.create(name="shop", code="shop")
    user = make_user("climber")
    made = grant(user, [*HOLDS[:3], "cmdb.view_productline"])
    made.everything = False
    made.save()
    made.scopes.create(kind="cmdb.productline", object_id=shop.pk)
    grant(user, ["cmdb.run_host"], [ops])
    return user, make_host("victim", owner="shop", product_line=shop)


def test_a_host_cannot_be_saved_into_ones_own_reach(
    client_of: Any, climber: tuple[User, Host]
) -> None:
    user, host = climber
    client = client_of(user)
    answer = _patch(client, host, owner="ops")
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "enters_own_scope"
    _bulk(client, host, "ops")
    _import(client, host, "ops")
    host.refresh_from_db()
    assert host.owner == "shop"
    assert not may(_fresh(user), "run", host)
    assert not AuditEntry.objects.filter(verb="host.update").exists()
    # The same ways are open to what stays outside.
    for way, owner in ((_bulk, "shop-1"), (_import, "shop-2")):
        way(client, host, owner)
        host.refresh_from_db()
        assert host.owner == owner


def _bulk(client: Any, host: Host, owner: str) -> None:
    sent = {"pk": [host.pk], "change_owner": "on", "owner": owner, "apply": "1"}
    client.post("/cmdb/hosts/bulk-edit/", sent)


def _import(client: Any, host: Host, owner: str) -> None:
    rows = f"hostname,owner\n{host},{owner}\n".encode()
    file = SimpleUploadedFile("rows.csv", rows, "text/csv")
    sent = {"file": file, "mode": "update", "key": "hostname"}
    answer = client.post("/cmdb/hosts/import/", sent)
    assert answer.status_code == 302, answer.content
    client.post(answer["Location"], {"do": "apply"})


def test_what_lies_in_reach_already_may_be_saved(
    client_of: Any, keeper: User, climber: tuple[User, Host], admin: User
) -> None:
    user, host = climber
    assert _patch(client_of(admin), host, owner="ops").status_code == 200
    assert _patch(client_of(user), host, asset_number="7").status_code == 200
    assert _patch(client_of(keeper), host, asset_number="8").status_code == 200


def test_a_host_cannot_be_saved_out_of_ones_reach(client_of: Any, keeper: User) -> None:
    host = make_host(owner="ops")
    answer = _patch(client_of(keeper), host, owner="shop")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "out_of_scope")


def test_a_new_host_must_match(client_of: Any, keeper: User) -> None:
    client, kind = client_of(keeper), "application/json"
    for owner, status in (("shop", 403), ("ops", 201)):
        body = json.dumps({"hostname": f"new-{owner}", "owner": owner})
        assert client.post("/api/v1/hosts/", body, kind).status_code == status
    assert [str(host) for host in Host.objects.all()] == ["new-ops"]


def test_the_way_round_by_a_static_group_is_closed(
    client_of: Any, climber: tuple[User, Host], ops: HostGroup
) -> None:
    user, host = climber
    static = make_group("static")
    HostGroup.objects.filter(pk=ops.pk).update(rule={"groups": [str(static.pk)]})
    grant(user, ["cmdb.view_hostgroup", "cmdb.change_hostgroup"])
    client = client_of(user)
    answer = client.post(
        f"/cmdb/host-groups/{static.pk}/edit/",
        {"name": "static", "kind": "static", "hosts": [host.pk]},
    )
    assert "into your own reach" in str(answer.context["form"].errors)
    assert _patch(client, host, groups=[static.pk]).status_code == 403
    assert not static.hosts.exists()


# ---- what it costs


def test_permissions_cost_as_many_queries_with_dynamic_groups(
    client_of: Any, group: HostGroup
) -> None:
    def queries(user: User) -> int:
        client = client_of(user)
        client.get("/cmdb/hosts/")
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/cmdb/hosts/").status_code == 200
        return len(asked)

    many = [make_dynamic(f"g{n}", owner_is=[f"o{n}"]) for n in range(30)]
    for number in range(30):
        make_host(owner=f"o{number}", groups=[group])
    static = queries(make_user(perms=["cmdb.view_host"], groups=[group]))
    dynamic = queries(make_user(perms=["cmdb.view_host"], groups=many))
    assert dynamic == static
    user = _fresh(make_user(perms=["cmdb.view_host"], groups=many))
    with CaptureQueriesContext(connection) as asked:
        assert user.has_perm("cmdb.view_host")
    assert len(asked) <= 2
