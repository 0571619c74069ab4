"""The cost report: sums by group and currency, only of costs that the reader may see, as page, picture and file."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from cmdb import costs
from cmdb.models import Cost, ProductLine
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client_of: Any, admin: User) -> Client:
    """A browser of the administrator."""
    client: Client = client_of(admin)
    return client


@pytest.fixture
def shop(db: None) -> ProductLine:
    """A product line with costs of two currencies; another, and none, have costs too."""
    shop = ProductLine.objects.create(name="=shop", code="shop")
    mail = ProductLine.objects.create(name="mail", code="mail")
    for line, amount, currency, month, kind in (
        (shop, "10.10", "EUR", 1, "cloud"),
        (shop, "20.20", "EUR", 2, "cloud"),
        (shop, "5", "CNY", 2, "space"),
        (mail, "7", "EUR", 2, "space"),
        (None, "1", "EUR", 3, "other"),
    ):
        day = date(2026, month, 5)
        Cost.objects.create(
            product_line=line, amount=amount, currency=currency, day=day, kind=kind
        )
    return shop


def _sums(report: costs.Report) -> dict[tuple[str, str], Decimal]:
    cent = Decimal("0.01")
    return {(r.name, r.currency): r.amount.quantize(cent) for r in report.rows}


def test_currencies_are_never_added_to_each_other(admin: User, shop: Any) -> None:
    report = costs.report(admin, "line", 2026)
    assert _sums(report) == {
        ("=shop", "CNY"): Decimal(5),
        ("=shop", "EUR"): Decimal("30.30"),
        ("mail", "EUR"): Decimal(7),
        ("none", "EUR"): Decimal(1),
    }
    totals = {name: round(amount, 2) for name, amount in report.totals.items()}
    assert totals == {"CNY": Decimal(5), "EUR": Decimal("38.30")}


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("kind", {"cloud", "space and power", "other"}),
        ("month", {"2026-01", "2026-02", "2026-03"}),
        ("supplier", {"none"}),
    ],
)
def test_costs_are_summed_up_in_other_ways(
    admin: User, shop: Any, by: str, names: set[str]
) -> None:
    assert {row.name for row in costs.report(admin, by, 2026).rows} == names
    assert costs.report(admin, by, 2025).rows == []
    assert costs.years_of(admin) == [2026]


def test_only_costs_that_the_reader_may_see_are_summed_up(
    client_of: Any, shop: ProductLine
) -> None:
    user = make_user(perms=["cmdb.view_cost", "cmdb.view_productline"])
    grant = user.grants.get()
    grant.everything = False
    grant.save()
    grant.scopes.create(kind="cmdb.productline", object_id=shop.pk)
    assert {row.name for row in costs.report(user, "line", 2026).rows} == {"=shop"}
    page = client_of(user).get("/cmdb/costs/report/?year=2026").content.decode()
    assert "30.30 EUR" in page
    assert "mail" not in page


def test_the_page_has_a_picture_for_each_currency(browser: Client, shop: Any) -> None:
    answer = browser.get("/cmdb/costs/report/", {"by": "month", "year": "2026"})
    charts = answer.context["charts"]
    assert [chart["title"] for chart in charts] == ["CNY", "EUR"]
    drawn = browser.get(charts[1]["url"]).json()
    assert drawn["unit"] == "EUR"
    assert [bar["name"] for bar in drawn["bars"]] == ["2026-01", "2026-02", "2026-03"]
    assert [round(bar["value"], 2) for bar in drawn["bars"]] == [10.1, 27.2, 1]


def test_the_greatest_stand_first_in_the_picture(browser: Client, shop: Any) -> None:
    query = {"by": "line", "year": "2026", "currency": "EUR"}
    drawn = browser.get("/cmdb/costs/report/chart/", query).json()
    assert [bar["name"] for bar in drawn["bars"]] == ["=shop", "mail", "none"]


def test_the_file_holds_what_the_page_shows_and_runs_nothing(
    browser: Client, shop: Any
) -> None:
    query = {"by": "line", "year": "2026", "export": "csv"}
    lines = browser.get("/cmdb/costs/report/", query).content.decode().splitlines()
    assert "'=shop,30.30,EUR,2" in lines
    assert len(lines) == 5
    entry = AuditEntry.objects.get(verb="cost.export")
    assert entry.changes[0]["new"] == 4


def test_an_address_that_makes_no_sense_shows_this_year(
    browser: Client, shop: Any
) -> None:
    query = {"by": "<b>", "year": "99999999999999999999", "currency": "'"}
    answer = browser.get("/cmdb/costs/report/", query)
    assert answer.status_code == 200
    assert answer.context["report"].year == timezone.localdate().year
    assert browser.get("/cmdb/costs/report/chart/", query).json()["bars"] == []
    every = browser.get("/cmdb/costs/report/", {"year": "all"})
    assert len(every.context["rows"]) == 4


def test_the_report_asks_for_the_permission_to_see_costs(client_of: Any) -> None:
    browser = client_of(make_user(perms=["cmdb.view_budget"]))
    assert browser.get("/cmdb/costs/report/").status_code == 403
    assert browser.get("/cmdb/costs/report/chart/").status_code == 403
