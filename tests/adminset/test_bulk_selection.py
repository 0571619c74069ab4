"""All that match as a frozen selection: what it holds, when it is refused, and that nothing is changed then."""

from typing import Any

import pytest
from django.core import signing
from django.test import Client

from accounts.models import User
from adminset.crud import selection
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
LIST = "/cmdb/hosts/"
EDIT, DELETE = f"{LIST}bulk-edit/", f"{LIST}bulk-delete/"


def _freeze(client: Client, query: str = "f.owner.is=ann") -> str:
    page = client.get(f"{LIST}?{query}&freeze=1", headers={"HX-Request": "true"})
    assert page.status_code == 200, page.content
    token: str = page.context["selection"]
    return token


def _edit(client: Client, token: str, owner: str = "bob") -> Any:
    sent = {"change_owner": "on", "owner": owner, "apply": "1", "selection": token}
    return client.post(EDIT, sent)


def _owners() -> list[str]:
    return sorted(Host.objects.values_list("owner", flat=True))


@pytest.fixture
def hosts() -> list[Host]:
    """Three of Ann's, one of Carl's."""
    return [make_host(owner=owner) for owner in ("ann", "ann", "ann", "carl")]


def test_all_that_match_are_changed_and_no_other(
    client_of: Any, admin: User, hosts: list[Host]
) -> None:
    client = client_of(admin)
    token = _freeze(client)
    assert _edit(client, token).status_code == 302
    assert _owners() == ["bob", "bob", "bob", "carl"]
    lines = AuditEntry.objects.filter(verb="host.update")
    assert lines.count() == 3
    assert len({line.request_id for line in lines}) == 1
    assert lines[0].changes[0]["old"] == "ann"


def test_the_page_between_keeps_the_selection(
    client_of: Any, admin: User, hosts: list[Host]
) -> None:
    client = client_of(admin)
    token = _freeze(client)
    page = client.post(EDIT, {"selection": token}).content.decode()
    assert f'name="selection" value="{token}"' in page
    assert 'name="pk"' not in page
    assert "3 rows are selected" in page


def _come(host: Host) -> None:
    make_host(owner="ann")


def _go(host: Host) -> None:
    host.delete()


def _change(host: Host) -> None:
    host.notes = "changed meanwhile"
    host.save()


def _leave(host: Host) -> None:
    Host.objects.filter(pk=host.pk).update(owner="carl")
    Host.objects.filter(owner="carl").exclude(pk=host.pk).update(owner="ann")


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (_come, "1 row more than you saw"),
        (_go, "1 row fewer than you saw"),
        (_change, "were changed since you saw them"),
        (_leave, "were changed since you saw them"),
    ],
)
@pytest.mark.parametrize("page", [EDIT, DELETE])
def test_a_selection_that_drifted_is_refused_and_nothing_is_changed(
    client_of: Any,
    admin: User,
    hosts: list[Host],
    meanwhile: Any,
    words: str,
    page: str,
) -> None:
    client = client_of(admin)
    token = _freeze(client)
    meanwhile(hosts[0])
    before = list(Host.objects.order_by("pk").values())
    AuditEntry.objects.all()._raw_delete("default")
    sent = {"change_owner": "on", "owner": "x", "apply": "1", "selection": token}
    answer = client.post(page, {**sent, "confirm": "1", "count": "3"})
    assert answer.status_code == 409
    assert words in answer.content.decode()
    assert list(Host.objects.order_by("pk").values()) == before
    assert not AuditEntry.objects.filter(verb__startswith="host.").exists()


def test_a_row_in_sight_but_out_of_reach_stops_all(
    client_of: Any, group: HostGroup
) -> None:
    reader = make_user(perms=["cmdb.view_host"])
    from tests.factories import grant  # noqa: PLC0415

    grant(reader, ["cmdb.change_host"], [group])
    make_host(owner="ann", groups=[group])
    make_host(owner="ann")
    client = client_of(reader)
    assert _edit(client, _freeze(client)).status_code == 403
    assert _owners() == ["ann", "ann"]


def test_only_what_one_sees_is_frozen(
    client_of: Any, operator: User, group: HostGroup
) -> None:
    make_host(owner="ann", groups=[group])
    make_host(owner="ann")
    client = client_of(operator)
    assert _edit(client, _freeze(client)).status_code == 302
    assert _owners() == ["ann", "bob"]


def test_a_selection_is_its_makers_of_its_list_and_of_this_hour(
    client_of: Any, admin: User, hosts: list[Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(admin)
    token = _freeze(client)
    other = client_of(make_user(is_superuser=True))
    assert _edit(other, token).status_code == 422
    assert _edit(client, token + "x").status_code == 422
    forged = signing.dumps({"user": admin.pk, "list": "hosts"}, salt="another")
    assert _edit(client, forged).status_code == 422
    idcs = client.post("/cmdb/idcs/bulk-delete/", {"selection": token, "confirm": "1"})
    assert idcs.status_code == 422
    monkeypatch.setattr(selection, "LIFETIME_SECONDS", -1)
    assert _edit(client, token).status_code == 422
    assert _owners() == ["ann", "ann", "ann", "carl"]


@pytest.mark.parametrize("query", ["f.owner.is=nobody", "f.nothing.is=1", "idc=x"])
def test_nothing_and_nonsense_cannot_be_frozen(
    client_of: Any, admin: User, hosts: list[Host], query: str
) -> None:
    assert client_of(admin).get(f"{LIST}?{query}&freeze=1").status_code == 422


def test_more_than_may_be_done_at_once_cannot_be_frozen(
    client_of: Any, admin: User, hosts: list[Host], settings: Any
) -> None:
    settings.BULK_MAX_MATCHING = 2
    answer = client_of(admin).get(f"{LIST}?f.owner.is=ann&freeze=1")
    assert answer.status_code == 422
    assert "3 rows are too many" in answer.content.decode()


def test_the_list_offers_it_where_there_is_more_than_a_page(
    client_of: Any, admin: User, hosts: list[Host], settings: Any
) -> None:
    client = client_of(admin)
    assert b"data-freeze" not in client.get(LIST).content
    settings.LIST_PAGE_SIZES = [2, 2]
    assert b"Select all 4 matching" in client.get(LIST).content
