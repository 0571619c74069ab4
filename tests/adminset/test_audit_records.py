"""What the audit trail is told besides writes: refusals, exports, imports; and that telling never costs the answer."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import AsyncClient, Client
from django.urls import reverse
from redis import RedisError

from accounts.models import User
from adminset import audit
from adminset.models import AuditEntry
from adminset.streams import stream
from tests.factories import make_host, make_user

Signed = Callable[[User], Client]
pytestmark = pytest.mark.django_db


def refusals() -> list[tuple[str, str]]:
    """Give (who, what) of the recorded refusals, oldest first."""
    rows = AuditEntry.objects.filter(verb="access.refused").order_by("pk")
    return list(rows.values_list("actor_name", "reason"))


def test_a_refused_page_is_told_once_in_ten_minutes(
    client_of: Signed, stranger: User
) -> None:
    client = client_of(stranger)
    for _number in range(3):
        assert client.get(reverse("cmdb:host_list")).status_code == 403
    assert client.get(reverse("accounts:user_list")).status_code == 403
    assert refusals() == [
        ("stranger", "cmdb.view_host"),
        ("stranger", "accounts.view_user"),
    ]
    cache.clear()
    client.get(reverse("cmdb:host_list"))
    assert len(refusals()) == 3


def test_a_refused_object_is_told(
    client_of: Signed, operator: User, group: Any
) -> None:
    host = make_host(groups=[group])
    operator.grants.all().delete()
    reader = make_user("reader", perms=["cmdb.view_host"], groups=[group])
    answer = client_of(reader).get(reverse("cmdb:host_edit", args=[host.pk]))
    assert answer.status_code == 403
    assert refusals() == [("reader", "cmdb.change_host")]


def test_a_refusal_by_the_api_is_told(client_of: Signed, stranger: User) -> None:
    client = client_of(stranger)
    assert client.get("/api/v1/hosts/").status_code == 403
    assert client.post("/api/v1/hosts/", {}).status_code == 403
    assert client.get("/api/v1/inventory/ansible/").status_code == 403
    assert refusals() == [
        ("stranger", "cmdb.view_host"),
        ("stranger", "cmdb.add_host"),
    ]


def test_anonymous_visitors_are_not_told_of(client: Client) -> None:
    client.get(reverse("cmdb:host_list"))
    client.get("/api/v1/hosts/")
    audit.note_refusal(AnonymousUser(), "cmdb.view_host")
    audit.note_refusal(None, "cmdb.view_host")
    assert refusals() == []


def test_telling_a_refusal_never_costs_the_answer(
    client_of: Signed, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: Any) -> bool:
        raise ConnectionError("the cache is away")

    client = client_of(stranger)
    monkeypatch.setattr("django.core.cache.cache.add", away)
    assert client.get(reverse("cmdb:host_list")).status_code == 403
    assert refusals() == []


def test_news_is_told_once_in_a_while_for_each_thing() -> None:
    assert audit.is_news("look", 1, b"/\xff")
    assert not audit.is_news("look", 1, b"/\xff")
    assert audit.is_news("look", 1, b"/\xfe")
    assert audit.is_news("look", 11, b"/\xff")
    # What is not the same is never taken for the same, however it is written.
    assert audit.is_news("a", "b c")
    assert audit.is_news("a b", "c")
    assert audit.is_news("\ud800 is no letter" * 100)


@pytest.mark.parametrize("error", [RedisError, ConnectionError])
def test_without_the_cache_news_is_told_unless_it_could_flood_the_trail(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def away(*_arguments: Any) -> bool:
        raise error("the cache is away")

    monkeypatch.setattr("django.core.cache.cache.add", away)
    assert audit.is_news("look", 1)
    assert audit.is_news("look", 1)
    assert not audit.is_news("look", 1, without_cache=False)


def test_an_export_is_told_with_its_filter_and_size(
    client_of: Signed, admin: User
) -> None:
    make_host("web1"), make_host("web2"), make_host("db1")
    client = client_of(admin)
    client.get("/cmdb/hosts/", {"export": "csv", "q": "web"})
    entry = AuditEntry.objects.get(verb="host.export")
    assert (entry.actor, entry.target_type, entry.target_id) == (
        admin,
        "cmdb.host",
        "",
    )
    assert {each["field"]: each["new"] for each in entry.changes} == {
        "rows": 2,
        "format": "csv",
        "filter": "q=web",
    }
    client.get("/cmdb/hosts/", {"export": "exe"})
    assert AuditEntry.objects.filter(verb="host.export").count() == 1


def test_the_inventory_is_told_when_it_is_given_and_not_when_it_is_known(
    client_of: Signed, admin: User
) -> None:
    make_host(), make_host()
    client = client_of(admin)
    answer = client.get("/api/v1/inventory/ansible/")
    known = {"If-None-Match": answer["ETag"]}
    assert client.get("/api/v1/inventory/ansible/", headers=known).status_code == 304
    entry = AuditEntry.objects.get(verb="host.export")
    assert entry.changes[0] == {"field": "rows", "old": None, "new": 2}


@pytest.mark.parametrize(("text", "told"), [("B,b", 1), (",b", 0)])
def test_an_import_is_told_when_it_is_kept(
    client_of: Signed, admin: User, text: str, told: int
) -> None:
    content = f"name,code\nA,a\n{text}\n".encode()
    file = SimpleUploadedFile("idcs.csv", content)
    client = client_of(admin)
    plan = client.post(reverse("cmdb:idc_import"), {"file": file})["Location"]
    assert not AuditEntry.objects.filter(verb="idc.import").exists()
    client.post(plan, {"do": "apply"})
    found = AuditEntry.objects.filter(verb="idc.import")
    assert [entry.changes[0]["new"] for entry in found] == [2] * told
    assert AuditEntry.objects.filter(verb="idc.create").count() == 2 * told


@pytest.mark.django_db(transaction=True)
def test_a_file_is_made_while_it_is_sent_under_asgi(admin: User) -> None:
    async def download() -> list[bytes]:
        client = AsyncClient()
        await client.aforce_login(admin)
        answer = await client.get(reverse("accounts:audit_list"), {"export": "jsonl"})
        assert answer.is_async
        return [part async for part in answer.streaming_content]

    assert b"auditentry.export" in async_to_sync(download)()[0]


def test_a_file_is_made_while_it_is_sent_without_asgi() -> None:
    parts = iter(["a", "b"])
    answer = stream(HttpRequest(), parts, content_type="text/plain", file_name="x")
    assert not answer.is_async
    assert answer.getvalue() == b"ab"
