"""Data quality: each check finds what it is about, counts only what the reader may see, and leads to just these hosts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from cmdb import quality
from cmdb.models import (
    Agent,
    AssetStatus,
    Host,
    HostIdentifier,
    IdentityConflict,
    IpAddress,
    ProductLine,
    Subnet,
)
from cmdb.placeholders import is_no_serial
from tests.factories import make_cabinet, make_group, make_host, make_user

pytestmark = pytest.mark.django_db
Make = Callable[[], Any]


@pytest.fixture
def browser(client_of: Any, admin: User) -> Client:
    client: Client = client_of(admin)
    return client


def _good() -> Host:
    """Make a host of which nothing is wrong."""
    line, _new = ProductLine.objects.get_or_create(name="shop", code="shop")
    status, _new = AssetStatus.objects.get_or_create(name="in use")
    cabinet = make_cabinet()
    number = Host.objects.count()
    host = make_host(
        groups=[make_group()],
        owner="anna",
        product_line=line,
        status=status,
        cabinet=cabinet,
        idc=cabinet.idc,
        serial=f"GOOD{number}XYZ",
        asset_number=f"A{number}",
    )
    now = timezone.now()
    Agent.objects.create(host=host, approved_at=now, last_seen_at=now)
    return host


def _changed(**values: Any) -> Make:
    def make() -> Host:
        host = _good()
        Host.objects.filter(pk=host.pk).update(**values)
        return host

    return make


def _twice(name: str, value: str) -> Make:
    def make() -> list[Host]:
        hosts = [_good(), _good()]
        Host.objects.filter(pk__in=[h.pk for h in hosts]).update(**{name: value})
        return hosts

    return make


def _warranty(days: int) -> Make:
    return _changed(warranty_until=timezone.localdate() + timedelta(days=days))


def _stale() -> Host:
    host = _good()
    long_ago = timezone.now() - timedelta(days=8)
    Agent.objects.filter(host=host).update(last_seen_at=long_ago)
    return host


def _never() -> Host:
    host = _good()
    Agent.objects.filter(host=host).delete()
    return host


def _outside() -> Host:
    host = _good()
    IpAddress.objects.create(address="203.0.113.9", host=host)
    return host


def _shared() -> Host:
    host = _good()
    shared = HostIdentifier.Quality.SHARED
    HostIdentifier.objects.create(host=host, kind="mac", value="m", quality=shared)
    return host


def _conflict() -> Host:
    host = _good()
    IdentityConflict.objects.create(kind="clone_suspected").hosts.add(host)
    return host


def _no_group() -> Host:
    host = _good()
    host.groups.clear()
    return host


WRONG: dict[str, Make] = {
    "same_address": _twice("address", "192.0.2.1"),
    "same_hostname": _twice("hostname", "web1"),
    "same_serial": _twice("serial", "REAL12345"),
    "same_asset_number": _twice("asset_number", "A-77"),
    "conflict": _conflict,
    "disputed": _changed(disputed=True),
    "shared_identifier": _shared,
    "placeholder": _changed(serial="To be filled by O.E.M."),
    "stale": _stale,
    "never_reported": _never,
    "outside_subnet": _outside,
    "warranty_over": _warranty(-1),
    "warranty_soon": _warranty(90),
    "no_owner": _changed(owner=""),
    "no_product_line": _changed(product_line=None),
    "no_group": _no_group,
    "no_status": _changed(status=None),
    "no_idc": _changed(idc=None),
    "no_cabinet": _changed(cabinet=None),
}
# A good host needs no credential to be made: it is what all of them lack.
ALWAYS = {"no_credential"}


def _found(user: User) -> dict[str, int]:
    return {each.check.key: each.number for each in quality.findings(user)}


def test_every_check_has_its_test() -> None:
    assert set(quality.BY_KEY) == set(WRONG) | ALWAYS


@pytest.mark.parametrize("key", WRONG)
def test_a_check_finds_what_it_is_about_and_leads_to_it(
    key: str, admin: User, browser: Client
) -> None:
    _good()
    made = WRONG[key]()
    hosts = made if isinstance(made, list) else [made]
    told = {name: n for name, n in _found(admin).items() if n and name not in ALWAYS}
    assert told == {key: len(hosts)}
    page = browser.get("/cmdb/quality/").content.decode()
    assert f"/cmdb/hosts/?quality={key}" in page
    answer = browser.get(f"/api/v1/hosts/?quality={key}").json()
    assert {row["id"] for row in answer["results"]} == {host.pk for host in hosts}


@pytest.mark.parametrize(
    "serial",
    ["0", "N/A", "00000000", "0000-0000", "xxxxxxx", "Default string", " none ", "..."],
)
def test_a_serial_that_says_nothing_is_one_here_too(serial: str, admin: User) -> None:
    assert is_no_serial(serial.strip().lower())
    make_host(serial=serial)
    assert _found(admin)["placeholder"] == 1


@pytest.mark.parametrize("serial", ["", "CZ3521XY", "VMware-56 4d", "1234abcd"])
def test_another_serial_is_none(serial: str, admin: User) -> None:
    make_host(serial=serial)
    assert _found(admin)["placeholder"] == 0


def test_placeholders_are_no_doubles(admin: User) -> None:
    make_host(serial="None")
    make_host(serial="None")
    assert _found(admin)["same_serial"] == 0


def test_a_retired_host_is_no_double_and_not_silent(admin: User) -> None:
    retired = AssetStatus.objects.create(name="retired", monitored=False)
    for _each in range(2):
        host = _stale()
        rest = {"status": retired, "hostname": "gone", "address": "192.0.2.1"}
        Host.objects.filter(pk=host.pk).update(**rest)
    found = _found(admin)
    assert (found["stale"], found["same_hostname"], found["same_address"]) == (0, 0, 0)


def test_an_address_within_a_subnet_is_planned(admin: User) -> None:
    Subnet.objects.create(cidr="203.0.113.0/24")
    _outside()
    assert _found(admin)["outside_subnet"] == 0


def test_a_dynamic_group_is_a_group(admin: User) -> None:
    host = _no_group()
    make_group("by owner").__class__.objects.create(
        name="dynamic", kind="dynamic", rule={"f.owner.is": [host.owner]}
    )
    assert _found(admin)["no_group"] == 0


def test_nobody_learns_of_a_host_that_he_may_not_see(client_of: Any) -> None:
    group = make_group()
    make_host(serial="REAL12345", groups=[group])
    make_host(serial="REAL12345")
    user = make_user(perms=["cmdb.view_host"], groups=[group])
    found = _found(user)
    assert (found["same_serial"], found["no_owner"]) == (0, 1)
    assert not {"no_credential", "conflict"} & found.keys()
    answer = client_of(user).get("/api/v1/hosts/?quality=no_credential")
    assert answer.json()["results"] == []


def test_the_page_asks_one_question_a_check(
    admin: User, django_assert_max_num_queries: Any
) -> None:
    for _each in range(3):
        _good()
    # One more for the list of dynamic groups.
    with django_assert_max_num_queries(len(quality.CHECKS) + 1):
        quality.findings(admin)


def test_a_clean_fleet_is_said_to_be(browser: Client) -> None:
    assert "Nothing is wrong" in browser.get("/cmdb/quality/").content.decode()
    card = browser.get("/cmdb/quality/card/").content.decode()
    assert "Nothing is wrong with what is known of your hosts." in card


def test_the_card_shows_the_worst_first(browser: Client) -> None:
    WRONG["same_address"]()
    card = browser.get("/cmdb/quality/card/").content.decode()
    assert card.index("quality=same_address") < card.index("quality=no_credential")


def test_a_check_that_does_not_exist_is_said(browser: Client) -> None:
    assert browser.get("/cmdb/hosts/?quality=nonsense").status_code == 200
    assert browser.get("/api/v1/hosts/?quality=nonsense").status_code == 422
