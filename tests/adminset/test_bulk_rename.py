"""Renaming many rows: plain text and a counter, first shown, then done as a whole."""

from typing import Any

import pytest

from accounts.models import User
from adminset.crud.renaming import Renaming
from adminset.models import AuditEntry
from cmdb.models import Contact, Host, HostGroup
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
EDIT, RENAME, DELETE = (
    f"/cmdb/hosts/bulk-{act}/" for act in ("edit", "rename", "delete")
)


def _names() -> list[str]:
    return sorted(Host.objects.values_list("hostname", flat=True))


@pytest.mark.parametrize(
    ("find", "replace", "new"),
    [
        ("web", "www", ["www-a", "www-b"]),
        ("web-", "node{n}-", ["node1-a", "node2-b"]),
        ("", "host{n:3}", ["host001", "host002"]),
        (".*", "x", ["web-a", "web-b"]),
        ("b", "{x}{n", ["we{x}{n-a", "we{x}{n-{x}{n"]),
    ],
)
def test_names_are_found_and_replaced_as_plain_text(
    find: str, replace: str, new: list[str]
) -> None:
    for name in ("web-a", "web-b"):
        make_host(name)
    told = dict(Renaming(find, replace).changes(Host.objects.all(), "hostname"))
    names = [told.get(h.pk, h.hostname) for h in Host.objects.order_by("hostname")]
    assert names == new


def test_a_rename_shows_what_it_would_do_and_then_does_it(
    client_of: Any, admin: User
) -> None:
    hosts = [make_host(name) for name in ("web-1", "web-2", "db-1")]
    make_host("www-2")
    sent = {"pk": [h.pk for h in hosts], "find": "web", "replace": "www"}
    client = client_of(admin)
    page = client.post(RENAME, {**sent, "preview": "1"})
    preview = page.context["preview"]
    assert (preview.changing, preview.staying, preview.clashes) == (2, 1, 1)
    assert preview.shown == [
        ("web-1", "www-1", ""),
        ("web-2", "www-2", "taken already"),
    ]
    assert _names() == ["db-1", "web-1", "web-2", "www-2"]
    assert client.post(RENAME, {**sent, "apply": "1"}).status_code == 302
    assert _names() == ["db-1", "www-1", "www-2", "www-2"]
    lines = AuditEntry.objects.filter(verb="host.update").order_by("pk")
    assert [line.changes[0]["new"] for line in lines] == ["www-1", "www-2"]


def test_a_name_that_the_form_refuses_stops_all(client_of: Any, admin: User) -> None:
    people = [Contact.objects.create(name=name) for name in ("ann", "bob")]
    sent = {"pk": [p.pk for p in people], "find": "", "replace": "x", "apply": "1"}
    answer = client_of(admin).post("/cmdb/contacts/bulk-rename/", sent)
    assert answer.status_code == 422
    assert "Nothing was changed." in answer.content.decode()
    assert sorted(Contact.objects.values_list("name", flat=True)) == ["ann", "bob"]
    assert not AuditEntry.objects.filter(verb="contact.update").exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"find": "", "replace": ""},
        {"find": "x" * 201, "replace": "y"},
        {"find": "a\x00", "replace": "y"},
        {"find": "a", "replace": "b", "start": "-1"},
        {"find": "a", "replace": "b", "start": "9" * 30},
    ],
)
def test_a_rename_that_makes_no_sense_is_refused(
    client_of: Any, admin: User, sent: dict[str, str]
) -> None:
    host = make_host("web-1")
    answer = client_of(admin).post(RENAME, {"pk": [host.pk], "apply": "1", **sent})
    assert answer.status_code == 422
    assert _names() == ["web-1"]


def test_hostile_names_are_only_text(client_of: Any, admin: User) -> None:
    host = make_host("<script>alert(1)</script>")
    sent = {"pk": [host.pk], "find": "alert", "replace": "<img src=x>", "preview": "1"}
    for page, values in ((RENAME, sent), (EDIT, sent), (DELETE, sent)):
        text = client_of(admin).post(page, values).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_renaming_asks_for_the_permission_on_every_row(
    client_of: Any, operator: User, group: HostGroup
) -> None:
    mine, other = make_host("a1", groups=[group]), make_host("a2")
    sent = {"pk": [mine.pk, other.pk], "find": "a", "replace": "b", "apply": "1"}
    assert client_of(operator).post(RENAME, sent).status_code == 403
    reader = client_of(make_user(perms=["cmdb.view_host"]))
    assert reader.post(RENAME, sent).status_code == 403
    assert _names() == ["a1", "a2"]
