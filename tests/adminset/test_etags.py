"""REST answers bear an ETag: unchanged is 304, and a write against what is no more so is refused."""

from typing import Any

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import AssetStatus, Host, HostGroup
from tests.factories import make_host

pytestmark = pytest.mark.django_db


def _put(client: Any, host: Host, tag: str | None, **values: Any) -> Any:
    headers = {} if tag is None else {"If-Match": tag}
    return client.patch(
        f"/api/v1/hosts/{host.pk}/",
        values,
        content_type="application/json",
        headers=headers,
    )


@pytest.mark.parametrize("path", ["/api/v1/hosts/", "/api/v1/hosts/{pk}/"])
def test_what_did_not_change_is_304(client_of: Any, admin: User, path: str) -> None:
    host = make_host("web")
    client, address = client_of(admin), path.format(pk=host.pk)
    first = client.get(address)
    known = {"If-None-Match": first["ETag"]}
    assert "Authorization" in first["Vary"]
    assert "private" in first["Cache-Control"]
    again = client.get(address, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    host.owner = "somebody"
    host.save()
    changed = client.get(address, headers=known)
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_a_change_of_groups_changes_the_tag_too(
    client_of: Any, admin: User, group: HostGroup
) -> None:
    host, client = make_host("web"), client_of(admin)
    known = {"If-None-Match": client.get(f"/api/v1/hosts/{host.pk}/")["ETag"]}
    host.groups.add(group)
    assert client.get(f"/api/v1/hosts/{host.pk}/", headers=known).status_code == 200


def test_a_page_that_another_sees_is_another(
    client_of: Any, admin: User, operator: User
) -> None:
    make_host("theirs")
    known = {"If-None-Match": client_of(admin).get("/api/v1/hosts/")["ETag"]}
    assert client_of(operator).get("/api/v1/hosts/", headers=known).status_code == 200


def test_a_write_against_what_is_so_passes(client_of: Any, admin: User) -> None:
    host, client = make_host("web"), client_of(admin)
    tag = client.get(f"/api/v1/hosts/{host.pk}/")["ETag"]
    assert _put(client, host, tag, owner="me").status_code == 200
    host.refresh_from_db()
    assert host.owner == "me"


@pytest.mark.parametrize("verb", ["patch", "put", "delete"])
def test_a_write_against_what_was_so_is_412(
    client_of: Any, admin: User, verb: str
) -> None:
    host, client = make_host("web"), client_of(admin)
    address = f"/api/v1/hosts/{host.pk}/"
    tag = client.get(address)["ETag"]
    assert _put(client, host, None, owner="quicker").status_code == 200
    lines = AuditEntry.objects.count()
    answer = getattr(client, verb)(
        address,
        {"owner": "slower"},
        content_type="application/json",
        headers={"If-Match": tag},
    )
    assert answer.status_code == 412
    assert answer.json()["error"]["code"] == "stale"
    host.refresh_from_db()
    assert host.owner == "quicker"
    assert AuditEntry.objects.count() == lines


@pytest.mark.parametrize(
    ("tag", "status"),
    [("*", 200), ('"x", W/"y"', 412), ("nonsense", 412), ('W/"x"', 412)],
)
def test_tags_are_read_as_http_has_them(
    client_of: Any, admin: User, tag: str, status: int
) -> None:
    assert _put(client_of(admin), make_host(), tag, owner="x").status_code == status


def test_a_tag_opens_no_object_of_others(
    client_of: Any, admin: User, operator: User
) -> None:
    host = make_host("theirs")
    tag = client_of(admin).get(f"/api/v1/hosts/{host.pk}/")["ETag"]
    assert _put(client_of(operator), host, tag, owner="x").status_code == 404
    assert _put(client_of(operator), host, "*", owner="x").status_code == 404


def test_an_error_has_no_tag(client_of: Any, admin: User) -> None:
    assert "ETag" not in client_of(admin).get("/api/v1/hosts/999999/")


def test_other_resources_have_them_too(client_of: Any, admin: User) -> None:
    row = AssetStatus.objects.create(name="broken")
    client = client_of(admin)
    tag = client.get(f"/api/v1/asset-statuses/{row.pk}/")["ETag"]
    row.name = "mended"
    row.save()
    answer = client.put(
        f"/api/v1/asset-statuses/{row.pk}/",
        {"name": "mine"},
        content_type="application/json",
        headers={"If-Match": tag},
    )
    assert answer.status_code == 412
