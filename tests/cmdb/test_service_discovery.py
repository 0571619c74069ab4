"""The fleet for Prometheus: every target with all labels, the whole list or an error, an ETag."""

from typing import Any

import pytest

from accounts.models import User
from adminset.audit import SystemActor
from adminset.crud import services as crud
from adminset.models import AuditEntry
from cmdb import service_discovery
from cmdb.models import AssetStatus, Host, HostGroup, ProductLine, Tag
from cmdb.services import hosts
from tests.factories import make_cabinet, make_host, make_idc

pytestmark = pytest.mark.django_db
URL = "/api/v1/inventory/prometheus/"
PORTAL = SystemActor("test")
META = "__meta_adminset_"


@pytest.fixture
def host(group: HostGroup, other_group: HostGroup) -> Host:
    """A host with everything."""
    idc = make_idc("Beijing")
    made = make_host(
        "web-1",
        address="10.1.2.3",
        groups=[group, other_group],
        idc=idc,
        cabinet=make_cabinet(idc, name="R1"),
        status=AssetStatus.objects.create(name="in use"),
        product_line=ProductLine.objects.create(name="Shop", code="shop"),
        owner="Zhang Wei",
        os_name="Debian",
        os_version="12",
        custom={"cost-centre": "42", "critical": True},
    )
    made.tags.add(Tag.objects.create(name="edge"))
    return made


def test_a_target_has_every_label(client_of: Any, admin: User, host: Host) -> None:
    (found,) = client_of(admin).get(URL).json()
    assert found["targets"] == ["10.1.2.3:9100"]
    assert found["labels"] == {
        f"{META}id": str(host.pk),
        f"{META}hostname": "web-1",
        f"{META}address": "10.1.2.3",
        f"{META}kind": "physical",
        f"{META}status": "in use",
        f"{META}idc": "Beijing",
        f"{META}cabinet": "R1",
        f"{META}product_line": "Shop",
        f"{META}owner": "Zhang Wei",
        f"{META}os_name": "Debian",
        f"{META}os_version": "12",
        f"{META}groups": ",database,web,",
        f"{META}tags": ",edge,",
        f"{META}custom_cost_centre": "42",
        f"{META}custom_critical": "true",
    }


def test_an_empty_fleet_is_an_empty_list(client_of: Any, admin: User) -> None:
    answer = client_of(admin).get(URL)
    assert (answer.status_code, answer.json()) == (200, [])
    assert answer["Content-Type"] == "application/json"


def test_the_port_can_be_chosen_and_is_checked(client_of: Any, admin: User) -> None:
    make_host("v6", address="2001:db8::1")
    make_host("by-name", address=None)
    make_host("no name {{ x }}", address=None)
    client = client_of(admin)
    found = client.get(f"{URL}?port=9182").json()
    assert [each["targets"] for each in found] == [
        ["[2001:db8::1]:9182"],
        ["by-name:9182"],
    ]
    for bad in ("0", "65536", "x", "-1", "٣", "9" * 30):
        refused = client.get(URL, {"port": bad})
        assert refused.status_code == 422
        assert "port" in refused.json()["error"]["fields"]
    assert client.get(f"{URL}?prot=1").status_code == 422


def test_a_group_narrows_and_must_be_one_that_one_sees(
    client_of: Any,
    admin: User,
    operator: User,
    group: HostGroup,
    other_group: HostGroup,
) -> None:
    make_host("a", groups=[group], address="10.0.0.1")
    make_host("b", groups=[other_group], address="10.0.0.2")
    found = client_of(admin).get(f"{URL}?group=web").json()
    assert [each["targets"] for each in found] == [["10.0.0.1:9100"]]
    both = client_of(admin).get(f"{URL}?group=web&group=database").json()
    assert len(both) == 2
    assert client_of(admin).get(f"{URL}?group=none").status_code == 422
    assert client_of(operator).get(f"{URL}?group=database").status_code == 422


def test_it_tells_only_what_the_asker_sees(
    client_of: Any, operator: User, host: Host
) -> None:
    make_host("theirs")
    (found,) = client_of(operator).get(URL).json()
    # The host's other group is none of the operator's business.
    assert found["labels"][f"{META}groups"] == ",web,"


def test_it_is_refused_to_others(client: Any, client_of: Any, stranger: User) -> None:
    assert client.get(URL).status_code == 401
    assert client_of(stranger).get(URL).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        lambda host, group: make_host("new"),
        lambda host, group: host.save(),
        lambda host, group: hosts.delete_host(actor=PORTAL, instance=host),
        lambda host, group: group.hosts.add(make_host()),
        lambda host, group: crud.delete(actor=PORTAL, instance=group),
        lambda host, group: AssetStatus.objects.get().save(),
        lambda host, group: ProductLine.objects.get().save(),
    ],
)
def test_nothing_new_is_304_and_any_change_is_not(
    client_of: Any, admin: User, host: Host, group: HostGroup, change: Any
) -> None:
    client = client_of(admin)
    known = {"If-None-Match": client.get(URL)["ETag"]}
    same = client.get(URL, headers=known)
    assert (same.status_code, same.content) == (304, b"")
    assert client.get(f"{URL}?port=1", headers=known).status_code == 200
    change(host, group)
    assert client.get(URL, headers=known).status_code == 200


def test_what_another_sees_is_another_answer(
    client_of: Any, admin: User, operator: User, host: Host
) -> None:
    known = {"If-None-Match": client_of(admin).get(URL)["ETag"]}
    assert client_of(operator).get(URL, headers=known).status_code == 200


def test_a_failure_is_an_error_and_never_a_part(
    client_of: Any, admin: User, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(row: Any) -> Any:
        raise RuntimeError("in the middle")

    client = client_of(admin)
    client.raise_request_exception = False
    monkeypatch.setattr(service_discovery, "_labels", broken)
    assert client.get(URL).status_code == 500


def test_the_trail_is_told_once_an_hour(
    client_of: Any, admin: User, host: Host
) -> None:
    client = client_of(admin)
    client.get(URL), client.get(URL), client.get(f"{URL}?port=1")
    told = AuditEntry.objects.filter(verb="host.export")
    assert told.count() == 2
    assert told.first().changes[0]["new"] == 1


def test_who_leaves_a_group_on_its_page_is_noticed(
    client_of: Any, admin: User, host: Host
) -> None:
    client = client_of(admin)
    known = {"If-None-Match": client.get(URL)["ETag"]}
    page = f"/api/v1/hosts/{host.pk}/"
    sent = {"groups": [], "tags": []}
    assert client.patch(page, sent, content_type="application/json").status_code == 200
    assert client.get(URL, headers=known).status_code == 200
