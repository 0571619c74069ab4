"""Dynamic groups: whoever matches now is a member behind every door, and nobody is put in by hand."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cmdb import group_rules, inventory, membership, selectors
from cmdb.models import Host, HostGroup
from monitor.fleet import FleetQuery, fleet
from tests.factories import make_dynamic, make_host, make_user

pytestmark = pytest.mark.django_db
ADD = "/cmdb/host-groups/add/"
API = "/api/v1/host-groups/"


def _names(rows: Any) -> list[str]:
    return sorted(str(row) for row in rows)


def _save(client: Any, rule: str, **further: Any) -> Any:
    sent = {"name": "made", "kind": "dynamic", "rule": rule} | further
    return client.post(ADD, sent)


def _refused(answer: Any, name: str = "rule") -> str:
    assert answer.status_code == 422
    assert not HostGroup.objects.filter(name="made").exists()
    return " ".join(answer.context["form"].errors[name])


# ---- behind every door


def test_whoever_matches_now_is_a_member_behind_every_door(
    client_of: Any, admin: User, ops: HostGroup, measurements: Any
) -> None:
    client, mine = client_of(admin), make_host("mine", owner="ops")
    other = make_host("other", owner="shop")

    def seen() -> list[list[str]]:
        page = client.get(f"/cmdb/host-groups/{ops.pk}/?tab=hosts").context["hosts"]
        listed = client.get(f"/cmdb/hosts/?groups={ops.pk}").context["table"]
        api = client.get(f"/api/v1/hosts/?groups={ops.pk}").json()["results"]
        told = json.loads(client.get("/api/v1/inventory/ansible/").getvalue())
        watched, _readings = fleet(admin, FleetQuery(group=str(ops.pk)))
        return [
            _names(selectors.hosts_for_run(admin, [], [ops.pk])),
            _names(page),
            sorted(row.record.hostname for row in listed.rows),
            sorted(row["hostname"] for row in api),
            sorted(told.get("ops", {"hosts": []})["hosts"]),
            _names(watched),
        ]

    assert seen() == [["mine"]] * 6
    Host.objects.filter(pk=mine.pk).update(owner="shop")
    Host.objects.filter(pk=other.pk).update(owner="ops")
    assert seen() == [["other"]] * 6


def test_a_host_of_a_static_and_a_dynamic_group_comes_once(
    group: HostGroup, ops: HostGroup
) -> None:
    both = make_host("both", owner="ops", groups=[group])
    rows = membership.in_groups(Host.objects.all(), [group.pk, ops.pk])
    assert list(rows) == [both]
    assert membership.names_of([both.pk]) == {both.pk: ["ops", "web"]}
    assert [g.name for g in membership.groups_of(both)] == ["ops", "web"]


def test_counts_are_of_the_hosts_that_the_reader_sees(
    client_of: Any, admin: User, group: HostGroup, ops: HostGroup
) -> None:
    make_host("a", owner="ops", groups=[group])
    make_host("b", owner="ops")

    def counts(user: User) -> dict[str, int]:
        rows = client_of(user).get(API).json()["results"]
        return {row["name"]: row["host_count"] for row in rows}

    assert counts(admin) == {"web": 1, "ops": 2}
    perms = ["cmdb.view_host", "cmdb.view_hostgroup"]
    assert counts(make_user(perms=perms, groups=[ops])) == {"ops": 2}
    looker = make_user(perms=perms[1:])
    role = make_user(perms=perms[:1]).grants.get().role
    scoped = looker.grants.create(role=role)
    scoped.scopes.create(kind="cmdb.hostgroup", object_id=group.pk)
    assert counts(looker) == {"web": 1, "ops": 1}
    other = make_user(perms=["cmdb.view_hostgroup"])
    assert counts(other) == {"web": 0, "ops": 0}
    page = client_of(admin).get("/cmdb/host-groups/?sort=-host_count")
    assert [row.record.name for row in page.context["table"].rows] == ["ops", "web"]


def test_lists_and_the_host_page_name_dynamic_groups_too(
    client_of: Any, admin: User, ops: HostGroup, operator: User, group: HostGroup
) -> None:
    host = make_host("a", owner="ops", groups=[group])
    link = f'href="/cmdb/host-groups/{ops.pk}/"'
    for address in ("/cmdb/hosts/", f"/cmdb/hosts/{host.pk}/"):
        assert link in client_of(admin).get(address).content.decode()
        # The operator may see one group only.
        assert link not in client_of(operator).get(address).content.decode()


def test_lookups_of_the_list_know_dynamic_groups_too(
    client_of: Any, admin: User, ops: HostGroup, group: HostGroup
) -> None:
    make_host("dynamic", owner="ops")
    make_host("static", groups=[group])
    make_host("none")
    expected = {
        "f.groups.is=ops": ["dynamic"],
        "f.groups.not=ops": ["none", "static"],
        "f.groups.is=ops&f.groups.is=web": ["dynamic", "static"],
        "f.groups.has=OP": ["dynamic"],
        "f.groups.hasnot=op": ["none", "static"],
        "f.groups.empty=1": ["none"],
        "f.groups.filled=1": ["dynamic", "static"],
    }
    for query, names in expected.items():
        table = client_of(admin).get(f"/cmdb/hosts/?{query}").context["table"]
        assert sorted(row.record.hostname for row in table.rows) == names, query


def test_more_groups_and_hosts_cost_the_list_no_more_queries(
    client_of: Any, admin: User
) -> None:
    client = client_of(admin)

    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    make_dynamic("g0")
    make_host(owner="ops")
    few = [queries(each) for each in ("/cmdb/hosts/", "/cmdb/host-groups/", API)]
    for number in range(1, 13):
        make_dynamic(f"g{number}")
        make_host(owner="ops")
    many = [queries(each) for each in ("/cmdb/hosts/", "/cmdb/host-groups/", API)]
    assert few == many


# ---- members are not written by hand


def test_members_of_a_dynamic_group_cannot_be_written(
    client_of: Any, admin: User, ops: HostGroup
) -> None:
    host, client = make_host("a"), client_of(admin)
    sent = {"name": "ops", "kind": "dynamic", "rule": "f.owner.is=ops"}
    answer = client.post(
        f"/cmdb/host-groups/{ops.pk}/edit/", {**sent, "hosts": [host.pk]}
    )
    assert "by its filter only" in str(answer.context["form"].errors)
    answer = _save(client, "f.owner.is=ops", hosts=[host.pk])
    assert "by its filter only" in _refused(answer, "hosts")
    body = json.dumps({"groups": [ops.pk]})
    url, kind = f"/api/v1/hosts/{host.pk}/", "application/json"
    assert client.patch(url, body, content_type=kind).status_code == 422
    assert not Host.groups.through.objects.exists()


def test_a_group_stays_what_it_is(
    client_of: Any, admin: User, ops: HostGroup, group: HostGroup
) -> None:
    client, kind = client_of(admin), "application/json"
    body = {"kind": "dynamic", "rule": {"f.owner.is": ["x"]}}
    answer = client.patch(f"{API}{group.pk}/", json.dumps(body), content_type=kind)
    assert "stays static or dynamic" in answer.json()["error"]["fields"]["kind"]
    body = {"kind": "static", "rule": {}}
    assert (
        client.patch(f"{API}{ops.pk}/", json.dumps(body), content_type=kind).status_code
        == 422
    )
    body = {"name": "made", "rule": {"f.owner.is": ["x"]}}
    answer = client.post(API, json.dumps(body), content_type=kind)
    assert "static group has no filter" in answer.json()["error"]["fields"]["rule"]


def test_the_api_takes_and_gives_the_filter(client_of: Any, admin: User) -> None:
    body = {"name": "made", "kind": "dynamic", "rule": {"f.owner.is": ["a", "b"]}}
    client, kind = client_of(admin), "application/json"
    made = client.post(API, json.dumps(body), content_type=kind)
    assert made.status_code == 201, made.json()
    assert made.json()["rule"] == {"f.owner.is": ["a", "b"]}
    answer = client.patch(
        f"{API}{made.json()['id']}/", json.dumps({"rule": "kind=virtual"}), kind
    )
    assert answer.json()["rule"] == {"f.kind.is": ["virtual"]}


# ---- the form


def test_the_list_offers_to_save_what_is_filtered(client_of: Any, admin: User) -> None:
    make_host("a", owner="ops")
    client = client_of(admin)
    assert "Save as group" not in client.get("/cmdb/hosts/").content.decode()
    page = client.get("/cmdb/hosts/?f.owner.is=ops").content.decode()
    assert "/host-groups/add/?kind=dynamic&amp;rule=f.owner.is%3Dops" in page
    form = client.get(f"{ADD}?kind=dynamic&rule=f.owner.is%3Dops").content.decode()
    assert "f.owner.is=ops</textarea>" in form
    # What the preview listens to.
    assert all(f'id="id_{name}"' in form for name in ("kind", "rule"))


def test_the_preview_counts_and_names_what_one_may_see(
    client_of: Any, admin: User, operator: User, group: HostGroup
) -> None:
    make_host("seen", owner="ops", groups=[group])
    make_host("hidden<script>", owner="ops")
    url = "/cmdb/host-groups/preview/?kind=dynamic&rule=f.owner.is%3Dops"
    text = client_of(admin).get(url).content.decode()
    assert "2 hosts" in text
    assert "hidden&lt;script&gt;" in text
    role = make_user(perms=["cmdb.add_hostgroup"]).grants.get().role
    operator.grants.create(role=role, everything=True)
    text = client_of(operator).get(url).content.decode()
    assert "1 host" in text
    assert "hidden" not in text
    wrong = client_of(admin).get(f"{url}%26f.x.is%3D1").content.decode()
    assert "There is no filter by x" in wrong


def test_agents_of_a_run_are_told_their_groups_as_the_filter_says_now(
    ops: HostGroup,
) -> None:
    host = make_host(owner="ops")
    assert inventory.members_of(None)["ops"] == [host.pk]
    assert membership.names_of([host.pk]) == {host.pk: ["ops"]}


def test_what_agents_may_write_counts_as_said_by_agents() -> None:
    from cmdb.services.provenance import SHARED_FIELDS  # noqa: PLC0415

    assert set(SHARED_FIELDS) <= group_rules.SAID_BY_AGENTS
