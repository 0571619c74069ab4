"""Cabinets: no two machines fill the same half unit of a side; the drawing shows both sides and hides what is out of scope."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from accounts.models import User
from adminset.search_models import SearchTerm
from cmdb.models import Cabinet, CabinetReservation, CabinetSlot, Host
from cmdb.services.racks import refill
from cmdb.services.setup import catch_up
from tests.crud import ResourceTests
from tests.factories import make_cabinet, make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
JSON = "application/json"


class TestCabinetReservation(ResourceTests):
    model = CabinetReservation

    def make(self, number: int = 0, *, outside: bool = False) -> CabinetReservation:
        return CabinetReservation.objects.create(
            cabinet=make_cabinet(),
            name=f"kept {number}",
            cabinet_unit=Decimal("3.0"),
            unit_height=Decimal("1.0"),
        )

    def valid(self) -> dict[str, Any]:
        return {
            "cabinet": make_cabinet().pk,
            "name": "new switch",
            "cabinet_unit": "40",
            "unit_height": "1",
            "cabinet_face": "both",
        }


@pytest.fixture
def cabinet() -> Cabinet:
    return make_cabinet()


def _put(browser: Client, cabinet: Cabinet, name: str, unit: Any, **more: Any) -> Any:
    sent = {"hostname": name, "cabinet": cabinet.pk, "cabinet_unit": unit}
    return browser.post("/api/v1/hosts/", sent | more, JSON)


@pytest.mark.parametrize(
    ("first", "second", "fits"),
    [
        ({"unit": 10, "unit_height": 2}, {"unit": 11}, False),
        ({"unit": 10, "unit_height": 2}, {"unit": 9}, True),
        ({"unit": 10, "unit_height": 2}, {"unit": 12}, True),
        ({"unit": 10, "unit_height": 2}, {"unit": 9, "unit_height": 4}, False),
        ({"unit": 10, "cabinet_face": "front"}, {"unit": 10}, False),
        (
            {"unit": 10, "cabinet_face": "front"},
            {"unit": 10, "cabinet_face": "rear"},
            True,
        ),
        (
            {"unit": 10, "unit_height": "0.5"},
            {"unit": "10.5", "unit_height": "0.5"},
            True,
        ),
        ({"unit": 10}, {"unit": "10.5", "unit_height": "0.5"}, False),
        ({"unit": 10}, {"unit": 10, "unit_height": 0}, True),
    ],
)
def test_two_machines_do_not_fill_the_same_unit(
    client_of: Signed,
    admin: User,
    cabinet: Cabinet,
    first: Any,
    second: Any,
    fits: bool,
) -> None:
    browser = client_of(admin)
    assert _put(browser, cabinet, "one", **first).status_code == 201
    answer = _put(browser, cabinet, "two", **second)
    assert answer.status_code == (201 if fits else 409), answer.content
    assert Host.objects.filter(hostname="two").exists() == fits


def test_what_is_reserved_is_not_filled(
    client_of: Signed, admin: User, cabinet: Cabinet
) -> None:
    browser = client_of(admin)
    sent = {"cabinet": cabinet.pk, "name": "new switch", "cabinet_unit": 5}
    assert browser.post("/api/v1/cabinet-reservations/", sent, JSON).status_code == 201
    answer = _put(browser, cabinet, "one", 5)
    assert answer.status_code == 409
    assert "new switch" in answer.content.decode()
    assert not Host.objects.exists()


def test_a_machine_that_moves_or_goes_frees_its_units(
    client_of: Signed, admin: User, cabinet: Cabinet
) -> None:
    browser = client_of(admin)
    _put(browser, cabinet, "one", 5, unit_height=3)
    host = Host.objects.get()
    assert CabinetSlot.objects.count() == 12
    address = f"/api/v1/hosts/{host.pk}/"
    browser.patch(address, {"cabinet_unit": 20}, JSON)
    assert _put(browser, cabinet, "two", 5).status_code == 201
    browser.delete(address)
    assert set(CabinetSlot.objects.values_list("host__hostname", flat=True)) == {"two"}


@pytest.mark.parametrize(
    ("unit", "height"),
    [("42", "2"), ("0.5", "1"), ("43", "1"), ("3.3", "1"), ("3", "0.7")],
)
def test_a_place_outside_the_cabinet_or_between_halves_is_refused(
    client_of: Signed, admin: User, cabinet: Cabinet, unit: str, height: str
) -> None:
    answer = _put(client_of(admin), cabinet, "one", unit, unit_height=height)
    assert answer.status_code == 422
    assert not Host.objects.exists()


def test_the_database_itself_lets_nothing_fill_a_unit_twice(cabinet: Cabinet) -> None:
    one, two = make_host("one"), make_host("two")
    CabinetSlot.objects.create(cabinet=cabinet, half=8, side="front", host=one)
    with pytest.raises(IntegrityError):
        CabinetSlot.objects.create(cabinet=cabinet, half=8, side="front", host=two)


def test_a_cabinet_does_not_become_lower_than_what_stands_in_it(
    client_of: Signed, admin: User, cabinet: Cabinet
) -> None:
    browser = client_of(admin)
    _put(browser, cabinet, "high", 41, unit_height=2)
    answer = browser.patch(f"/api/v1/cabinets/{cabinet.pk}/", {"units": 41}, JSON)
    assert answer.status_code == 422
    cabinet.refresh_from_db()
    assert cabinet.units == 42


def test_the_drawing_shows_both_sides_and_no_name_out_of_scope(
    client_of: Signed, group: Any, cabinet: Cabinet
) -> None:
    operator = make_user(perms=["cmdb.view_host", "cmdb.view_cabinet"], groups=[group])
    place = {"cabinet": cabinet, "unit_height": Decimal(2)}
    make_host("mine", groups=[group], cabinet_unit=Decimal(3), **place)
    make_host("rogue-one", cabinet_unit=Decimal(9), **place)
    make_host("side", groups=[group], cabinet=cabinet, unit_height=Decimal(0))
    refill()
    page = client_of(operator).get(f"{cabinet.get_absolute_url()}?tab=elevation")
    text = page.content.decode()
    assert text.count("<svg") >= 2
    assert text.count(">mine</text>") == 2
    assert "rogue-one" not in text
    assert "not for you to see" in text
    assert "side" in text
    assert "4 of 42 U" in text


def test_filling_anew_leaves_out_what_overlaps(cabinet: Cabinet) -> None:
    make_host("one", cabinet=cabinet, cabinet_unit=Decimal(3))
    make_host("two", cabinet=cabinet, cabinet_unit=Decimal(3))
    assert refill() == 1
    assert CabinetSlot.objects.count() == 4


def test_an_upgrade_fills_units_and_search_of_hosts_that_were_there(
    cabinet: Cabinet,
) -> None:
    make_host("old-one", cabinet=cabinet, cabinet_unit=Decimal(3))
    SearchTerm.objects.all().delete()
    catch_up()
    assert CabinetSlot.objects.count() == 4
    assert SearchTerm.objects.filter(term="old-one").exists()
    catch_up()
    assert CabinetSlot.objects.count() == 4
