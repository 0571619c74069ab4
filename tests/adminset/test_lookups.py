"""Filters of plain fields: what each question gives, what is refused, and whose rows and names come to light."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from accounts.models import User
from adminset.crud import lookups
from adminset.errors import DomainError
from cmdb.models import Credential, Host, HostGroup
from tests.factories import make_cabinet, make_group, make_host, make_idc, make_user

pytestmark = pytest.mark.django_db
LIST = "/cmdb/hosts/"


def _names(query: str, user: Any = None) -> list[str]:
    rows = lookups.apply(Host, Host.objects.all(), QueryDict(query), user)
    return sorted(rows.values_list("hostname", flat=True))


@pytest.fixture
def three() -> list[Host]:
    """Two web hosts and a database."""
    return [
        make_host("web-1", owner="ann", cpu_threads=4, warranty_until="2020-01-31"),
        make_host("web-2", owner="", cpu_threads=16, kind="virtual"),
        make_host("db-1", owner="bob", warranty_until="2999-01-01"),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("f.hostname.is=web-1", ["web-1"]),
        ("f.hostname.is=web-1&f.hostname.is=db-1", ["db-1", "web-1"]),
        ("f.hostname.not=web-1", ["db-1", "web-2"]),
        ("f.hostname.not=web-1&f.hostname.not=db-1", ["web-2"]),
        ("f.hostname.has=EB-", ["web-1", "web-2"]),
        ("f.hostname.hasnot=web", ["db-1"]),
        ("f.owner.empty=1", ["web-2"]),
        ("f.owner.filled=1", ["db-1", "web-1"]),
        ("f.cpu_threads.lt=16", ["web-1"]),
        ("f.cpu_threads.gt=4", ["web-2"]),
        ("f.cpu_threads.not=4", ["db-1", "web-2"]),
        ("f.cpu_threads.empty=1", ["db-1"]),
        ("f.warranty_until.is=2020-01-31", ["web-1"]),
        ("f.warranty_until.lt=2020-01-31", []),
        ("f.warranty_until.gt=2020-01-31", ["db-1"]),
        ("f.warranty_until.older=100", ["web-1"]),
        ("f.kind.is=virtual", ["web-2"]),
        ("f.kind.not=virtual", ["db-1", "web-1"]),
        ("f.created_at.newer=1", ["db-1", "web-1", "web-2"]),
        ("f.created_at.older=1", []),
        ("f.hostname.has=web&f.owner.is=ann", ["web-1"]),
        ("page=2&q=nothing", ["db-1", "web-1", "web-2"]),
    ],
)
def test_each_question_gives_the_rows_that_fit(
    three: list[Host], query: str, found: list[str]
) -> None:
    assert _names(query) == found


def test_older_than_counts_days(three: list[Host]) -> None:
    Host.objects.filter(hostname="db-1").update(
        created_at=timezone.now() - timedelta(days=31)
    )
    assert _names("f.created_at.older=30") == ["db-1"]
    assert _names("f.created_at.newer=30") == ["web-1", "web-2"]


def test_a_day_is_a_day_of_the_readers_zone(three: list[Host]) -> None:
    Host.objects.filter(hostname="db-1").update(created_at="2026-03-01T23:30:00Z")
    with timezone.override("Asia/Shanghai"):
        assert _names("f.created_at.is=2026-03-02") == ["db-1"]
        assert _names("f.created_at.is=2026-03-01") == []


def test_related_objects_are_named_or_given_by_key() -> None:
    idc, group = make_idc("Frankfurt"), make_group("web")
    make_host("a", idc=idc, groups=[group, make_group("db")])
    make_host("b")
    assert _names("f.idc.is=Frankfurt") == _names(f"f.idc.is={idc.pk}") == ["a"]
    assert _names("f.idc.not=Frankfurt") == _names("f.idc.empty=1") == ["b"]
    assert _names("f.idc.has=frank") == ["a"]
    assert _names("f.groups.is=web&f.groups.has=d") == ["a"]
    assert _names("f.groups.not=web") == _names("f.groups.empty=1") == ["b"]


def test_cabinets_of_one_name_are_all_meant() -> None:
    for name in ("a", "b"):
        make_host(name, cabinet=make_cabinet(name="R1"))
    make_host("c")
    assert _names("f.cabinet.is=R1") == ["a", "b"]


@pytest.mark.parametrize(
    "query",
    [
        "f.hostname.regex=.*",
        "f.hostname__startswith.is=a",
        "f.password.is=x",
        "f.credential__password.has=a",
        "f.host_key.has=a",
        "f.facts.has=a",
        "f.id.is=1",
        "f.pk.is=1",
        "f.agent.is=1",
        "f.hostname=x",
        "f.=x",
        "f..=x",
        "f.hostname.=x",
        "f.hostname.lt=x",
        "f.cpu_threads.is=many",
        "f.cpu_threads.is=1e400",
        "f.cpu_threads.is=99999999999999999999",
        "f.cpu_threads.is=NaN",
        "f.cpu_threads.is=1.5",
        "f.warranty_until.is=yesterday",
        "f.warranty_until.is=2026-02-31",
        "f.warranty_until.older=-1",
        "f.warranty_until.older=99999999999",
        "f.kind.is=toaster",
        "f.idc.is=Atlantis",
        "f.address.is=10.0.0.256",
        "f.hostname.has=",
        "f.hostname.has=%00",
        f"f.hostname.has={'x' * 201}",
        "&".join(f"f.hostname.is={n}" for n in range(51)),
    ],
)
def test_what_is_not_on_the_list_is_refused_in_words(
    client_of: Any, admin: User, query: str
) -> None:
    make_host("web-1")
    with pytest.raises(DomainError) as refused:
        _names(query)
    assert all(refused.value.fields.values())
    answer = client_of(admin).get(f"{LIST}?{query}")
    assert answer.status_code == 200
    assert answer.context["total"] == 0
    assert "These filters cannot be used." in answer.content.decode()
    api = client_of(admin).get(f"/api/v1/hosts/?{query}")
    assert api.status_code == 422
    assert api.json()["error"]["fields"]


def test_twenty_one_filters_are_too_many() -> None:
    fields = [n for n in lookups.fields_of(Host) if "hostname" not in n][:21]
    wrong = lookups.problems(
        Host, QueryDict("&".join(f"f.{n}.filled=1&f.{n}.empty=1" for n in fields)), None
    )
    assert any("too many" in sentence for sentence in wrong.values())


@pytest.mark.parametrize("text", ["100%", "a_b", "\\", "' OR 1=1 --", "<script>"])
def test_hostile_text_is_only_text(client_of: Any, admin: User, text: str) -> None:
    make_host("web-1", owner=text)
    make_host("web-2", owner="100x a-b")
    query = QueryDict(mutable=True)
    query["f.owner.has"] = text
    answer = client_of(admin).get(f"{LIST}?{query.urlencode()}")
    assert answer.context["total"] == 1
    assert b"<script>" not in answer.content.replace(b"<script src", b"")


def test_secrets_are_no_filter() -> None:
    names = lookups.fields_of(Credential)
    assert "username" in names
    assert not {"password", "private_key", "passphrase", "become_password"} & set(names)
    assert not {"password", "external_id"} & set(lookups.fields_of(User))


def test_what_one_may_not_see_cannot_be_asked_for(
    operator: User, group: HostGroup, other_group: HostGroup
) -> None:
    hidden = Credential.objects.create(name="root of others", username="root")
    make_host("a", groups=[group, other_group], credential=hidden)
    make_host("b", groups=[other_group])
    for query in (
        f"f.credential.is={hidden.pk}",
        "f.credential.is=root of others",
        f"f.credential.not={hidden.pk}",
        f"f.groups.is={other_group.pk}",
        "f.groups.not=database",
    ):
        assert lookups.problems(Host, QueryDict(query), operator), query
    assert _names("f.credential.has=others", operator) == []
    assert _names("f.groups.has=data", operator) == []
    assert _names("f.groups.empty=1", operator) == ["b"]


def test_the_list_shows_chips_that_take_a_filter_away(
    client_of: Any, admin: User, three: list[Host]
) -> None:
    page = client_of(admin).get(f"{LIST}?f.owner.is=ann&f.kind.not=virtual&sort=owner")
    chips = page.context["lookup_chips"]
    assert [chip["value"] for chip in chips] == ["is ann", "is not virtual"]
    assert chips[0]["url"] == "?f.kind.not=virtual&sort=owner"
    assert page.context["total"] == 1
    assert 'name="f.owner.is" value="ann"' in page.content.decode()


def test_a_filter_is_added_step_by_step_without_scripts(
    client_of: Any, admin: User, three: list[Host]
) -> None:
    client = client_of(admin)
    page = client.get(f"{LIST}?add=kind&q=1").content.decode()
    assert '<option value="virtual">' in page
    answer = client.get(f"{LIST}?add=kind&lookup=is&value=physical&q=1&page=3")
    assert answer["Location"] == f"{LIST}?q=1&f.kind.is=physical"
    answer = client.get(f"{LIST}?add=owner&lookup=empty")
    assert answer["Location"] == f"{LIST}?f.owner.empty=1"


def test_the_control_alone_comes_for_htmx(client_of: Any, admin: User) -> None:
    page = client_of(admin).get(f"{LIST}?add=idc", headers={"HX-Request": "true"})
    assert b'data-names="/choices/idcs/"' in page.content
    assert b"<html" not in page.content


def test_the_api_filters_alike(
    client_of: Any, operator: User, group: HostGroup
) -> None:
    make_host("web-1", owner="ann", groups=[group])
    make_host("web-2", groups=[group])
    make_host("web-3", owner="ann")
    rows = client_of(operator).get("/api/v1/hosts/?f.owner.is=ann").json()["results"]
    assert [row["display"] for row in rows] == ["web-1"]


def test_an_export_of_a_query_that_is_not_understood_is_refused(
    client_of: Any, admin: User
) -> None:
    make_host("web-1")
    answer: Any = client_of(admin).get(f"{LIST}?f.nothing.is=1&export=csv")
    assert answer.status_code == 422


def test_a_stranger_learns_nothing(client: Client, client_of: Any) -> None:
    stranger = client_of(make_user("nobody"))
    assert stranger.get(f"{LIST}?f.owner.is=ann").status_code == 403
    assert client.get(f"{LIST}?add=owner").status_code == 302
