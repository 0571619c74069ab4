"""Filters of dynamic groups: what can be asked, what is refused and in which words, who may set one."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from cmdb import group_rules, membership
from cmdb.models import Agent, Host, HostGroup, Idc, Supplier, Tag
from tests.factories import make_group, make_host, make_idc, make_user

pytestmark = pytest.mark.django_db
ADD = "/cmdb/host-groups/add/"


def _save(client: Any, rule: str, **further: Any) -> Any:
    sent = {"name": "made", "kind": "dynamic", "rule": rule} | further
    return client.post(ADD, sent)


def _refused(answer: Any, name: str = "rule") -> str:
    assert answer.status_code == 422
    assert not HostGroup.objects.filter(name="made").exists()
    return " ".join(answer.context["form"].errors[name])


def test_every_kind_of_filter_can_be_asked(client_of: Any, admin: User) -> None:
    web, idc, tag = make_group("web"), make_idc(), Tag.objects.create(name="gold")
    vendor = Supplier.objects.create(name="Dell & Söhne")
    mine = make_host(
        "x-1",
        groups=[web],
        idc=idc,
        supplier=vendor,
        kind="virtual",
        memory_bytes=2**34,
        warranty_until=timezone.localdate() + timedelta(days=3),
    )
    mine.tags.add(tag)
    Agent.objects.create(host=mine, secret_hash="x", last_seen_at=timezone.now())
    make_host("y-1", memory_bytes=2**30)
    for number, rule in enumerate(
        [
            "q=x-1",
            f"idc={idc.pk}",
            "kind=virtual&kind=container",
            f"groups={web.pk}",
            "f.groups.is=web",
            "agent=reporting",
            "f.tags.is=gold",
            "f.tags.filled=1",
            "f.supplier.is=Dell+%26+S%C3%B6hne",
            "f.memory_bytes.gt=2000000000",
            "f.warranty_until.gt=2020-01-01&f.hostname.has=X-",
            "f.idc.filled=1",
            "https://portal.example/cmdb/hosts/?page=3&sort=-idc&f.kind.is=virtual#top",
        ]
    ):
        answer = _save(client_of(admin), rule, name=f"g{number}")
        assert answer.status_code == 302, (rule, answer.context["form"].errors)
        made = HostGroup.objects.get(name=f"g{number}")
        assert list(membership.in_groups(Host.objects.all(), [made.pk])) == [mine], rule
        shown = client_of(admin).get(
            f"/cmdb/hosts/?{group_rules.list_query(made.rule)}"
        )
        assert [row.record for row in shown.context["table"].rows] == [mine], rule


def test_a_filter_keeps_objects_by_key_so_that_names_may_change(
    client_of: Any, admin: User
) -> None:
    idc = Idc.objects.create(name="Bonn", code="bonn")
    host = make_host(idc=idc)
    assert _save(client_of(admin), "f.idc.is=Bonn").status_code == 302
    made = HostGroup.objects.get(name="made")
    assert made.rule == {"f.idc.is": [str(idc.pk)]}
    idc.name = "Köln"
    idc.save()
    assert list(membership.in_groups(Host.objects.all(), [made.pk])) == [host]
    page = client_of(admin).get(f"/cmdb/host-groups/{made.pk}/").content.decode()
    assert "Köln" in page
    entry = AuditEntry.objects.get(verb="hostgroup.create")
    assert {"field": "rule", "old": None, "new": made.rule} in entry.changes


# ---- what is refused


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "Set at least one filter"),
        ("page=2", "Set at least one filter"),
        ("no-such=1", "cannot be made by no-such"),
        ("f.agent__secret_hash.is=x", "There is no filter by agent__secret_hash"),
        ("f.credential__password.has=x", "There is no filter"),
        ("f.credential.is=root", "cannot be made by Credential"),
        ("f.credential.empty=1", "cannot be made by Credential"),
        ("f.host_key.filled=1", "cannot be made by"),
        ("f.idc.has=secret", "part of a name is not enough"),
        ("f.groups.empty=1", "cannot be made by"),
        ("f.owner.regex=.*", "cannot be asked for regex"),
        ("f.owner.is__startswith=a", "cannot be asked"),
        ("f.pk.is=1", "There is no filter by pk"),
        ("f.idc.is=nowhere", "There is no IDC nowhere"),
        ("idc=99999999999999999999", "There is no IDC"),
        ("kind=spaceship", "There is no spaceship"),
        ("agent=__class__", "no such state of an agent"),
        ("groups=99", "There is no host group 99"),
        ("f.owner.is=%00", "Give a value"),
        ("f.memory_bytes.gt=1e999999", "no number that fits"),
        ("q=" + "x" * 201, "at most 200 characters"),
        ("x" * 5000, "address of the host list"),
        ("{not json", "Enter a valid JSON"),
        ('{"f.owner.is": {"a": 1}}', "address of the host list"),
        ('[["f.owner.is", "ops"]]', "address of the host list"),
        ('{"f.owner.is": [null]}', "address of the host list"),
        ("f.owner.is=a&" * 150, "too many filters"),
    ],
)
def test_a_filter_that_cannot_be_asked_is_refused_in_words(
    client_of: Any, admin: User, rule: str, said: str
) -> None:
    assert said in _refused(_save(client_of(admin), rule))


def test_a_filter_names_static_groups_only(
    client_of: Any, admin: User, ops: HostGroup
) -> None:
    for rule in (f"groups={ops.pk}", "f.groups.is=ops"):
        assert "dynamic itself" in _refused(_save(client_of(admin), rule))


def test_a_rule_that_is_not_understood_any_more_matches_nothing() -> None:
    make_host(owner="ops")
    rules: list[Any] = [
        {},
        {"f.gone.is": ["1"]},
        {"f.owner.gone": ["1"]},
        {"f.owner.is": []},
        {"f.credential.filled": ["1"]},
        {"f.idc.is": ["Bonn"]},
        {"f.idc.has": ["B"]},
        {"groups": ["x"]},
        {"agent": ["x"]},
        {"q": 7},
        {"f.owner.is": ["ops"], "__class__": ["x"]},
    ]
    for rule in rules:
        assert not Host.objects.filter(group_rules.condition(rule)).exists(), rule


def test_only_who_may_change_every_host_sets_a_filter(
    client_of: Any, group: HostGroup, ops: HostGroup
) -> None:
    perms = ["cmdb.view_hostgroup", "cmdb.change_hostgroup", "cmdb.add_hostgroup"]
    scoped = make_user(perms=perms)
    scoped.grants.create(role=make_user(perms=["cmdb.change_host"]).grants.get().role)
    client = client_of(scoped)
    assert "every host" in _refused(_save(client, "f.owner.is=a"))
    edit = {"name": "ops", "kind": "dynamic", "rule": "f.owner.filled=1"}
    answer = client.post(f"/cmdb/host-groups/{ops.pk}/edit/", edit)
    assert "every host" in str(answer.context["form"].errors)
    ops.refresh_from_db()
    assert ops.rule == {"f.owner.is": ["ops"]}
    # The rest of the form is not the filter.
    edit |= {"rule": "f.owner.is=ops", "description": "all of them"}
    assert client.post(f"/cmdb/host-groups/{ops.pk}/edit/", edit).status_code == 302


def test_nobody_names_objects_that_he_may_not_see(client_of: Any) -> None:
    Supplier.objects.create(name="secret")
    perms = ["cmdb.change_host", "cmdb.add_hostgroup", "cmdb.view_hostgroup"]
    answer = _save(client_of(make_user(perms=perms)), "f.supplier.is=secret")
    assert "There is no supplier secret" in _refused(answer)


@pytest.mark.parametrize("times", [600, 660, 30000])
def test_a_rule_that_is_nested_without_end_is_refused_in_words(
    client_of: Any, admin: User, times: int
) -> None:
    client, deep = client_of(admin), '{"a":' * times
    for rule in (deep, deep + "1" + "}" * times):
        _refused(_save(client, rule))
        sent = {"name": "made", "kind": "dynamic", "rule": rule}
        answer = client.post(
            "/api/v1/host-groups/", sent, content_type="application/json"
        )
        assert list(answer.json()["error"]["fields"]) == ["rule"]
    assert not HostGroup.objects.filter(name="made").exists()


@pytest.mark.parametrize("odd", ["\\u0000", "\\ud800", "1" + "0" * 3900])
def test_a_rule_of_odd_texts_is_refused_in_words(
    client_of: Any, admin: User, odd: str
) -> None:
    quoted = odd if odd.isdigit() else f'"{odd}"'
    for rule in (f'{{"f.owner.is": {quoted}}}', f'{{"{odd}": "x"}}'):
        assert _refused(_save(client_of(admin), rule))
