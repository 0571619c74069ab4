"""Subnets that do not overlap, and addresses that are given out once."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from adminset.audit import SystemActor
from adminset.errors import Conflict
from adminset.models import AuditEntry
from cmdb import addresses, utilisation
from cmdb.models import HostGroup, Idc, IpAddress, Subnet
from cmdb.services import network
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
SETUP = SystemActor("test")


@pytest.fixture
def api(client_of: Any, admin: User) -> Any:
    """Send JSON as the administrator; give (status, body)."""
    client = client_of(admin)

    def send(method: str, path: str, **values: Any) -> tuple[int, Any]:
        answer = getattr(client, method)(
            f"/api/v1/{path}", values, content_type="application/json"
        )
        return answer.status_code, answer.json() if answer.content else None

    return send


def a_subnet(cidr: str, **values: Any) -> Subnet:
    return Subnet.objects.create(cidr=cidr, **values)


def an_address(text: str, **values: Any) -> IpAddress:
    return IpAddress.objects.create(address=text, **values)


@pytest.mark.parametrize(
    ("texts", "versions"),
    [
        (["9.0.0.1", "10.0.0.0", "10.0.0.2", "10.0.0.10", "192.168.0.1"], 4),
        (["::1", "2001:db8::a", "2001:db8::10", "fd00::1"], 6),
    ],
)
def test_keys_sort_as_the_addresses_do(texts: list[str], versions: int) -> None:
    keys = [addresses.key_of(addresses.read(text)) for text in texts]
    assert keys == sorted(keys)
    assert {len(key) for key in keys} == {1 + addresses.HEX_DIGITS[versions]}
    again = [
        str(addresses.address_at(versions, addresses.number_of(key))) for key in keys
    ]
    assert again == texts


@pytest.mark.parametrize(
    ("cidr", "size"),
    [
        ("10.0.0.0/24", 254),
        ("10.0.0.0/30", 2),
        ("10.0.0.0/31", 2),
        ("10.0.0.1/32", 1),
        ("2001:db8::/64", 2**64 - 1),
        ("2001:db8::/127", 2),
    ],
)
def test_a_subnet_counts_the_addresses_that_machines_can_have(
    cidr: str, size: int
) -> None:
    assert a_subnet(cidr).total_addresses == size


@pytest.mark.parametrize(
    "cidr", ["10.0.0.1/24", "10.0.0.0/33", "office", "fe80::%eth0/64", "-1", "\x00"]
)
def test_what_is_no_network_is_refused(api: Any, cidr: str) -> None:
    status, body = api("post", "subnets/", cidr=cidr)
    assert status == 422
    assert "cidr" in body["error"]["fields"]
    assert not Subnet.objects.exists()


def test_a_gateway_outside_the_network_is_refused(api: Any) -> None:
    status, body = api("post", "subnets/", cidr="10.0.0.0/24", gateway="10.0.1.1")
    assert (status, list(body["error"]["fields"])) == (422, ["gateway"])


@pytest.mark.parametrize(
    ("held", "container", "asked", "as_container", "status"),
    [
        ("10.0.0.0/16", False, "10.0.3.0/24", False, 422),
        ("10.0.0.0/16", True, "10.0.3.0/24", False, 201),
        ("10.0.3.0/24", False, "10.0.0.0/16", False, 422),
        ("10.0.3.0/24", False, "10.0.0.0/16", True, 201),
        ("10.0.3.0/24", False, "10.0.3.0/24", True, 422),
        ("10.0.3.0/24", False, "10.0.4.0/24", False, 201),
        ("2001:db8::/32", False, "2001:db8:1::/48", False, 422),
        ("0.0.0.0/0", False, "2001:db8::/32", False, 201),
    ],
)
def test_only_a_container_may_hold_another_subnet(
    api: Any, held: str, container: bool, asked: str, as_container: bool, status: int
) -> None:
    a_subnet(held, is_container=container)
    got, body = api("post", "subnets/", cidr=asked, is_container=as_container)
    assert got == status, body
    assert Subnet.objects.count() == (2 if status == 201 else 1)
    # In an area of its own there is nothing in the way.
    assert (
        api("post", "subnets/", cidr=asked, area="lab", is_container=as_container)[0]
        == 201
    )


def test_a_container_with_subnets_stays_one(api: Any) -> None:
    outer = a_subnet("10.0.0.0/16", is_container=True)
    a_subnet("10.0.3.0/24")
    assert api("patch", f"subnets/{outer.pk}/", is_container=False)[0] == 422
    assert api("patch", f"subnets/{outer.pk}/", name="all")[0] == 200


def test_an_address_is_always_in_the_innermost_subnet(api: Any) -> None:
    row = an_address("10.0.3.7")
    other = an_address("10.0.9.9")
    assert row.subnet is None

    def subnet() -> str:
        row.refresh_from_db()
        return str(row.subnet)

    outer = api("post", "subnets/", cidr="10.0.0.0/16", is_container=True)[1]
    assert subnet() == "10.0.0.0/16"
    inner = api("post", "subnets/", cidr="10.0.3.0/24")[1]
    assert subnet() == "10.0.3.0/24"
    assert api("patch", f"subnets/{inner['id']}/", cidr="10.0.4.0/24")[0] == 200
    assert subnet() == "10.0.0.0/16"
    assert api("patch", f"subnets/{inner['id']}/", cidr="10.0.3.0/24")[0] == 200
    assert subnet() == "10.0.3.0/24"
    assert api("delete", f"subnets/{inner['id']}/")[0] == 204
    assert subnet() == "10.0.0.0/16"
    other.refresh_from_db()
    assert other.subnet_id == outer["id"]
    assert api("delete", f"subnets/{outer['id']}/")[0] == 204
    assert subnet() == "None"


def test_an_address_stands_once_in_an_area(api: Any) -> None:
    assert api("post", "ip-addresses/", address="10.0.0.1", status="in_use")[0] == 201
    for same in ("10.0.0.1", "::ffff:10.0.0.1"):
        status, body = api("post", "ip-addresses/", address=same, status="in_use")
        assert (status, list(body["error"]["fields"])) == (422, ["address"])
    sent = {"address": "10.0.0.1", "area": "lab", "status": "in_use"}
    assert api("post", "ip-addresses/", **sent)[0] == 201
    assert IpAddress.objects.count() == 2


def test_the_next_free_address_leaves_out_the_gateway_and_what_is_taken() -> None:
    subnet = a_subnet("10.0.0.0/29", gateway="10.0.0.1")
    for last in (2, 3, 5):
        an_address(f"10.0.0.{last}")
    an_address("10.0.0.4", status="free")
    given = []
    for _try in range(2):
        row = network.reserve_next(actor=SETUP, subnet=subnet, name="new")
        given.append(str(row.address))
        assert (row.status, row.subnet_id) == ("reserved", subnet.pk)
    assert given == ["10.0.0.4", "10.0.0.6"]
    with pytest.raises(Conflict) as full:
        network.reserve_next(actor=SETUP, subnet=subnet)
    assert full.value.code == "subnet_full"
    assert AuditEntry.objects.filter(verb="ipaddress.reserve").count() == 2


def test_the_first_gap_of_a_large_subnet_is_found_by_few_counts() -> None:
    subnet = a_subnet("10.8.0.0/20")
    rows = [
        IpAddress(
            address=str(addresses.address_at(4, number)),
            key=addresses.key_at(4, number),
            subnet=subnet,
        )
        for number in range(subnet.span.first, subnet.span.last + 1)
        if number != subnet.span.first + 3000
    ]
    IpAddress.objects.bulk_create(rows, batch_size=1000)
    with CaptureQueriesContext(connection) as queries:
        found = utilisation.next_free(subnet)
    assert str(found) == str(addresses.address_at(4, subnet.span.first + 3000))
    assert len(queries) <= 14


def test_a_large_ipv6_subnet_gives_its_first_free_address() -> None:
    subnet = a_subnet("2001:db8::/64")
    an_address("2001:db8::1")
    an_address("2001:db8::3")
    assert str(utilisation.next_free(subnet)) == "2001:db8::2"


def test_an_address_that_somebody_else_took_meanwhile_is_not_given_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subnet = a_subnet("10.0.0.0/24")
    real, asked = utilisation.next_free, []

    def too_late(which: Subnet) -> Any:
        found = real(which)
        if not asked:
            an_address(str(found), name="quicker")
        asked.append(found)
        return found

    monkeypatch.setattr(utilisation, "next_free", too_late)
    row = network.reserve_next(actor=SETUP, subnet=subnet)
    assert [str(each) for each in asked] == ["10.0.0.1", "10.0.0.2"]
    assert str(row.address) == "10.0.0.2"
    assert IpAddress.objects.get(name="quicker").status == "in_use"


@pytest.mark.django_db(transaction=True)
def test_those_who_ask_at_once_get_different_addresses(admin: User) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite in memory is one connection")
    subnet = a_subnet("10.0.0.0/24")

    def ask() -> None:
        network.reserve_next(actor=admin, subnet=subnet)
        connection.close()

    threads = [threading.Thread(target=ask) for _each in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert IpAddress.objects.values("key").distinct().count() == 8


def test_a_container_gives_out_no_addresses(api: Any) -> None:
    subnet = a_subnet("10.0.0.0/16", is_container=True)
    status, body = api("post", f"subnets/{subnet.pk}/next-free/")
    assert (status, body["error"]["code"]) == (422, "is_container")
    assert api("get", f"subnets/{subnet.pk}/next-free/")[1]["address"] is None


def test_the_api_says_and_reserves_the_next_free_address(api: Any) -> None:
    subnet, host = a_subnet("10.0.0.0/30"), make_host()
    path = f"subnets/{subnet.pk}/next-free/"
    assert api("get", path)[1] == {"address": "10.0.0.1", "used": 0, "total": 2}
    status, body = api("post", path, name="web", host=host.pk)
    assert (status, body["address"]) == (201, "10.0.0.1")
    row = IpAddress.objects.get()
    assert (row.name, row.host, row.status) == ("web", host, "reserved")
    assert api("post", path, colour="red")[0] == 422
    assert api("post", path, host=99999)[0] == 422
    assert api("post", path)[0] == 201
    assert api("post", path)[0] == 409


def test_the_page_reserves_and_says_so(client_of: Any, admin: User) -> None:
    subnet = a_subnet("10.0.0.0/24", gateway="10.0.0.1")
    client = client_of(admin)
    page = client.get(f"/cmdb/subnets/{subnet.pk}/").content.decode()
    assert f"/cmdb/subnets/{subnet.pk}/reserve/" in page
    assert client.get(f"/cmdb/subnets/{subnet.pk}/reserve/").status_code == 405
    answer = client.post(f"/cmdb/subnets/{subnet.pk}/reserve/", follow=True)
    assert "10.0.0.2 is reserved." in answer.content.decode()
    drawn = client.get(f"/cmdb/subnets/{subnet.pk}/?tab=addresses").content.decode()
    assert f"/cmdb/ip-addresses/{IpAddress.objects.get().pk}/" in drawn
    assert ".254</span>" in drawn
    assert "<code>10.0.0.3</code>" in drawn


def test_one_who_only_sees_reserves_nothing(client_of: Any, auditor: User) -> None:
    subnet = a_subnet("10.0.0.0/24")
    client = client_of(auditor)
    assert client.post(f"/cmdb/subnets/{subnet.pk}/reserve/").status_code == 403
    assert client.get(f"/api/v1/subnets/{subnet.pk}/next-free/").status_code == 200
    assert client.post(f"/api/v1/subnets/{subnet.pk}/next-free/").status_code == 403
    assert not IpAddress.objects.exists()


def test_an_operator_reserves_for_the_own_hosts_only(
    client_of: Any, group: HostGroup, other_group: HostGroup
) -> None:
    actions = [f"cmdb.{action}_ipaddress" for action in ("view", "add")]
    perms = ["cmdb.view_host", "cmdb.view_subnet", *actions]
    client = client_of(make_user(perms=perms, groups=[group]))
    subnet = a_subnet("10.0.0.0/24")
    own = make_host(groups=[group])
    foreign = make_host(groups=[other_group])
    an_address("10.0.0.1", host=foreign, name="secret-name")

    def ask(**values: Any) -> int:
        path = f"/api/v1/subnets/{subnet.pk}/next-free/"
        answer = client.post(path, values, content_type="application/json")
        return int(answer.status_code)

    assert (ask(), ask(host=foreign.pk), ask(host=own.pk)) == (403, 422, 201)
    assert IpAddress.objects.filter(status="reserved").get().host == own
    # What others hold is drawn as taken, without a word of whose it is.
    page = client.get(f"/cmdb/subnets/{subnet.pk}/?tab=addresses").content.decode()
    assert "10.0.0.1 taken" in page
    assert "secret-name" not in page


def test_utilisation_costs_one_query_for_all_subnets_and_one_for_containers() -> None:
    idc = Idc.objects.create(name="a", code="a")
    outer = a_subnet("10.0.0.0/16", is_container=True, idc=idc)
    full = a_subnet("10.0.0.0/30")
    for last in (1, 2):
        an_address(f"10.0.0.{last}")
    half = a_subnet("10.0.128.0/17")
    an_address("10.0.128.1", status="free")
    empty6 = a_subnet("2001:db8::/32", is_container=True)
    a_subnet("2001:db8:8000::/33")
    tiny = a_subnet("2001:db9::/126", is_container=True)
    a_subnet("2001:db9::1/128")
    subnets = list(Subnet.objects.all())
    with CaptureQueriesContext(connection) as queries:
        found = utilisation.usage_of(subnets)
    assert len(queries) == 2
    assert (found[full.pk].percent, found[full.pk].state) == (100.0, "danger")
    assert (found[half.pk].used, found[half.pk].text) == (0, "0 / 32766")
    assert found[outer.pk].percent == pytest.approx(50.006, abs=0.001)
    assert (found[empty6.pk].percent, found[tiny.pk].percent) == (50.0, 25.0)


def test_the_list_narrows_to_a_network_and_to_what_nobody_planned(api: Any) -> None:
    a_subnet("10.0.0.0/24")
    for text in ("10.0.0.9", "10.0.0.10", "10.1.0.1", "2001:db8::1"):
        an_address(text)

    def found(**query: str) -> list[str]:
        rows = api(
            "get", "ip-addresses/?" + "&".join(f"{k}={v}" for k, v in query.items())
        )
        return [row["address"] for row in rows[1]["results"]]

    assert found(within="10.0.0.0/8") == ["10.0.0.9", "10.0.0.10", "10.1.0.1"]
    assert found(within="2001:db8::/32") == ["2001:db8::1"]
    assert found(within="nonsense") == []
    assert found(no_subnet="true") == ["10.1.0.1", "2001:db8::1"]
