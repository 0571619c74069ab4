"""Fields that a team adds: typed and checked on the page, in the API and in an import; statuses change as they may."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import AssetStatus, Contact, CustomField, Host
from tests.crud import ResourceTests
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
JSON = "application/json"


class TestCustomField(ResourceTests):
    model = CustomField
    edit = ("label", "renamed")

    def make(self, number: int = 0, *, outside: bool = False) -> CustomField:
        count = CustomField.objects.count()
        return CustomField.objects.create(
            kind="cmdb.host", key=f"field_{count}", label=f"field {count}", position=1
        )

    def valid(self) -> dict[str, Any]:
        return {
            "kind": "cmdb.host",
            "key": "rack_label",
            "label": "label on the rack",
            "type": "text",
            "position": 1,
        }


def _field(key: str, kind: str, **more: Any) -> CustomField:
    return CustomField.objects.create(
        kind="cmdb.host", key=key, label=key.title(), type=kind, **more
    )


@pytest.mark.parametrize(
    ("kind", "more", "given", "kept"),
    [
        ("text", {}, "七号", "七号"),
        ("text", {"minimum": 3}, "ab", None),
        ("text", {"maximum": 3}, "abcd", None),
        ("number", {}, "4", 4),
        ("number", {}, 2.5, 2.5),
        ("number", {"maximum": 3}, 4, None),
        ("number", {}, "four", None),
        ("date", {}, "2026-11-21", "2026-11-21"),
        ("date", {}, "21.11.", None),
        ("choice", {"choices": "gold\nsilver"}, "gold", "gold"),
        ("choice", {"choices": "gold\nsilver"}, "tin", None),
        ("boolean", {}, "true", True),
        ("boolean", {}, "false", False),
        ("boolean", {}, "perhaps", None),
        ("url", {}, "https://example.com/x", "https://example.com/x"),
        ("url", {}, "javascript:alert(1)", None),
        ("reference", {"reference": "cmdb.contact"}, "Li Lei", "the contact"),
        ("reference", {"reference": "cmdb.contact"}, "Nobody", None),
    ],
)
def test_a_value_is_kept_by_its_type_or_refused(
    client_of: Signed, admin: User, kind: str, more: Any, given: Any, kept: Any
) -> None:
    _field("extra", kind, **more)
    contact = Contact.objects.create(name="Li Lei")
    host = make_host()
    answer = client_of(admin).patch(
        f"/api/v1/hosts/{host.pk}/", {"custom_extra": given}, JSON
    )
    host.refresh_from_db()
    if kept is None:
        assert answer.status_code == 422
        assert "custom_extra" in answer.json()["error"]["fields"]
        assert host.custom == {}
    else:
        assert answer.status_code == 200, answer.content
        assert host.custom == {"extra": contact.pk if kept == "the contact" else kept}
        assert answer.json()["custom"] == host.custom


def test_the_page_asks_for_it_and_the_trail_has_it(
    client_of: Signed, admin: User
) -> None:
    _field("extra", "text", required=True)
    host = make_host("web")
    browser = client_of(admin)
    assert "Extra" in browser.get(f"/cmdb/hosts/{host.pk}/edit/").content.decode()
    sent = {"hostname": "web", "kind": "physical", "address": host.address or ""}
    assert browser.post(f"/cmdb/hosts/{host.pk}/edit/", sent).status_code == 422
    sent |= {"custom_extra": "<script>alert(1)</script>"}
    assert browser.post(f"/cmdb/hosts/{host.pk}/edit/", sent).status_code == 302
    page = browser.get(f"/cmdb/hosts/{host.pk}/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    line = AuditEntry.objects.get(verb="host.update")
    assert [change["field"] for change in line.changes] == ["custom"]


def test_a_value_of_a_field_that_is_gone_stays_with_the_host(
    client_of: Signed, admin: User
) -> None:
    host = make_host(custom={"old": "x"})
    address = f"/api/v1/hosts/{host.pk}/"
    assert client_of(admin).patch(address, {"notes": "n"}, JSON).status_code == 200
    host.refresh_from_db()
    assert host.custom == {"old": "x"}


@pytest.mark.parametrize(
    ("kind", "more", "kept"),
    [
        ("reference", {"reference": "cmdb.contact"}, 999),
        ("date", {}, "abc"),
        ("date", {}, 5),
        ("number", {}, "many"),
        ("choice", {"choices": "gold"}, "tin"),
        ("url", {}, ["x"]),
    ],
)
def test_a_value_that_its_box_cannot_show_stays_and_hinders_no_change(
    client_of: Signed, admin: User, kind: str, more: Any, kept: Any
) -> None:
    _field("extra", kind, required=True, **more)
    host = make_host(custom={"extra": kept})
    address = f"/api/v1/hosts/{host.pk}/"
    answer = client_of(admin).patch(address, {"owner": "Li"}, JSON)
    assert answer.status_code == 200, answer.content
    host.refresh_from_db()
    assert (host.owner, host.custom) == ("Li", {"extra": kept})


def test_an_object_out_of_sight_is_neither_dropped_nor_named(
    client_of: Signed, group: Any
) -> None:
    _field("parent", "reference", reference="cmdb.host")
    unseen = make_host("rogue-one")
    host = make_host("mine", groups=[group], custom={"parent": unseen.pk})
    editor = make_user(perms=["cmdb.view_host", "cmdb.change_host"], groups=[group])
    browser = client_of(editor)
    page = browser.get(f"/cmdb/hosts/{host.pk}/edit/").content.decode()
    assert "rogue-one" not in page
    sent = {"hostname": "mine", "kind": "physical", "owner": "Li", "custom_parent": ""}
    browser.post(f"/cmdb/hosts/{host.pk}/edit/", sent)
    host.refresh_from_db()
    assert (host.owner, host.custom) == ("Li", {"parent": unseen.pk})


@pytest.mark.parametrize("name", ["kind", "key", "type"])
def test_what_a_field_is_stays(client_of: Signed, admin: User, name: str) -> None:
    field = _field("extra", "text")
    values = {"kind": "cmdb.idc", "key": "other", "type": "number"}
    answer = client_of(admin).patch(
        f"/api/v1/custom-fields/{field.pk}/", {name: values[name]}, JSON
    )
    assert answer.status_code == 422


@pytest.mark.parametrize("reference", ["", "cmdb.nothing", "auth.permission"])
def test_an_object_field_refers_to_objects_with_pages(
    client_of: Signed, admin: User, reference: str
) -> None:
    sent = {"kind": "cmdb.host", "key": "x", "label": "x", "type": "reference"}
    answer = client_of(admin).post(
        "/api/v1/custom-fields/", sent | {"reference": reference}, JSON
    )
    assert answer.status_code == 422


def test_a_status_becomes_only_what_it_may_become(
    client_of: Signed, admin: User
) -> None:
    stock, used, gone = (
        AssetStatus.objects.create(name=name) for name in ("stock", "used", "gone")
    )
    stock.next_statuses.add(used)
    host = make_host(status=stock)
    browser, address = client_of(admin), f"/api/v1/hosts/{host.pk}/"
    refused = browser.patch(address, {"status": "gone"}, JSON)
    assert refused.status_code == 422
    assert "used" in refused.json()["error"]["fields"]["status"]
    assert browser.patch(address, {"status": "used"}, JSON).status_code == 200
    assert browser.patch(address, {"status": "gone"}, JSON).status_code == 200
    assert Host.objects.get().status == gone
