"""Contracts, purchases, budgets and costs: money has a currency, sums never mix two of them, product lines are scopes."""

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from django.db import models
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Budget, Contract, Cost, ProductLine, Purchase
from tests.cmdb.test_organisation import NamedTests
from tests.crud import ResourceTests
from tests.factories import make_group, make_host, make_user


class NumberedTests(ResourceTests):
    """Base of what has a number of its own."""

    edit: ClassVar[tuple[str, Any]] = ("notes", "changed")

    def _values(self, number: str) -> dict[str, Any]:
        return {
            "number": number,
            "name": "racks",
            "amount": "120.50",
            "currency": "EUR",
        }

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        manager: Any = self.model._default_manager
        return manager.create(**self._values(f"N-{manager.count()}"))

    def valid(self) -> dict[str, Any]:
        return self._values("sent")


class TestContract(NumberedTests):
    model: ClassVar[type[models.Model]] = Contract

    def _values(self, number: str) -> dict[str, Any]:
        return super()._values(number) | {"kind": "lease"}


class TestPurchase(NumberedTests):
    model = Purchase


class TestBudget(NamedTests):
    model = Budget
    further: ClassVar[dict[str, Any]] = {
        "year": 2026,
        "amount": "1000.00",
        "currency": "CNY",
    }


class TestCost(ResourceTests):
    model: ClassVar[type[models.Model]] = Cost
    edit = ("text", "changed")

    def make(self, number: int = 0, *, outside: bool = False) -> Cost:
        return Cost.objects.create(
            day=date(2026, 1, 1), amount=5, currency="CNY", text=f"{number}"
        )

    def valid(self) -> dict[str, Any]:
        return {
            "day": "2026-02-03",
            "kind": "cloud",
            "amount": "7.25",
            "currency": "USD",
        }


pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client_of: Any, admin: User) -> Client:
    """A browser of the administrator."""
    client: Client = client_of(admin)
    return client


def _line(name: str) -> ProductLine:
    return ProductLine.objects.create(name=name, code=name)


def _cost(amount: str, currency: str = "EUR", **values: Any) -> Cost:
    values.setdefault("day", date(2026, 3, 4))
    return Cost.objects.create(amount=Decimal(amount), currency=currency, **values)


def _scoped(line: ProductLine, *perms: str) -> User:
    user = make_user(perms=[*perms, "cmdb.view_productline"])
    grant = user.grants.get()
    grant.everything = False
    grant.save()
    grant.scopes.create(kind="cmdb.productline", object_id=line.pk)
    return user


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"amount": "-1"}, "amount"),
        ({"amount": "1e30"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"currency": ""}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"amount": "", "paid": "3", "currency": ""}, "currency"),
        ({"starts_on": "2026-02-01", "ends_on": "2026-01-31"}, "ends_on"),
        ({"notice_days": "99999"}, "notice_days"),
    ],
)
def test_a_contract_that_makes_no_sense_is_refused_by_the_field(
    browser: Client, changed: dict[str, str], field: str
) -> None:
    sent = TestContract().valid() | changed
    answer = browser.post("/api/v1/contracts/", sent, content_type="application/json")
    assert answer.status_code == 422
    assert field in answer.json()["error"]["fields"]
    assert not Contract.objects.exists()
    assert not AuditEntry.objects.filter(verb="contract.create").exists()


def test_notice_is_due_so_many_days_before_the_end(browser: Client) -> None:
    sent = TestContract().valid() | {"ends_on": "2026-12-31", "notice_days": "90"}
    assert browser.post("/cmdb/contracts/add/", sent).status_code == 302
    contract = Contract.objects.get()
    assert contract.notice_by == date(2026, 10, 2)
    contract.notice_days = None
    contract.save()
    assert contract.notice_by is None


def test_what_adminset_called_a_resource_has_a_home() -> None:
    names = {field.name for field in Contract._meta.get_fields()}
    assert {
        *("serial", "name", "spec", "budgeted", "paid", "number", "starts_on"),
        *("ends_on", "supplier", "service_phone", "branch", "owner", "notes"),
    } <= names


def test_money_stands_with_its_currency(browser: Client) -> None:
    contract = TestContract().make()
    Contract.objects.update(amount=Decimal("1200.50"))
    for address in ("/cmdb/contracts/", f"/cmdb/contracts/{contract.pk}/"):
        assert "1,200.50 EUR" in browser.get(address).content.decode()
    export = browser.get("/cmdb/contracts/", {"export": "csv"}).getvalue().decode()
    assert "1200.50 EUR" in export


def test_a_contract_covers_hosts_and_hosts_out_of_scope_stay_hidden(
    browser: Client, client_of: Any
) -> None:
    group = make_group()
    mine, other = make_host("mine", groups=[group]), make_host("not-mine")
    sent = TestContract().valid() | {"hosts": [mine.pk, other.pk]}
    browser.post("/cmdb/contracts/add/", sent)
    contract = Contract.objects.get()
    page = f"/cmdb/contracts/{contract.pk}/?tab=hosts"
    assert "not-mine" in browser.get(page).content.decode()
    perms = ["cmdb.view_host", "cmdb.view_contract", "cmdb.view_hostgroup"]
    reader = client_of(make_user(perms=perms, groups=[group]))
    seen = reader.get(page).content.decode()
    assert "mine" in seen
    assert "not-mine" not in seen
    assert reader.get(f"/api/v1/contracts/{contract.pk}/").json()["hosts"] == [mine.pk]
    tab = browser.get(f"/cmdb/hosts/{mine.pk}/?tab=money").content.decode()
    assert str(contract) in tab


def test_what_is_left_of_a_budget_counts_its_own_currency_only(browser: Client) -> None:
    budget = Budget.objects.create(
        name="cloud", year=2026, amount=Decimal("100.00"), currency="EUR"
    )
    for amount, currency in (("30.10", "EUR"), ("20.20", "EUR"), ("999", "CNY")):
        _cost(amount, currency, budget=budget)
    _cost("50")
    row = Budget.objects.with_spent().get()
    assert (row.spent, row.left) == (Decimal("50.30"), Decimal("49.70"))
    assert budget.left == Decimal("49.70")
    page = browser.get(f"/cmdb/budgets/{budget.pk}/").content.decode()
    assert "49.70 EUR" in page
    assert "overspent" not in page
    costs = browser.get(f"/cmdb/budgets/{budget.pk}/?tab=costs").content.decode()
    assert "999.00 CNY" in costs
    assert "other currencies" in costs
    shown = browser.get(f"/api/v1/budgets/{budget.pk}/").json()
    assert (shown["spent"], shown["left"]) == ("50.30", "49.70")
    _cost("60", budget=budget)
    page = browser.get(f"/cmdb/budgets/{budget.pk}/").content.decode()
    assert "overspent" in page
    assert "-10.30 EUR" in page


def test_a_cost_takes_the_product_line_of_its_budget_and_no_other(
    browser: Client,
) -> None:
    shop, mail = _line("shop"), _line("mail")
    budget = Budget.objects.create(
        name="b", year=2026, amount=1, currency="EUR", product_line=shop
    )
    sent = TestCost().valid() | {"budget": budget.pk}
    assert browser.post("/cmdb/costs/add/", sent).status_code == 302
    assert Cost.objects.get().product_line == shop
    answer = browser.post("/cmdb/costs/add/", sent | {"product_line": mail.pk})
    assert answer.status_code == 422
    assert "product_line" in answer.context["form"].errors
    form = {"name": "b", "year": 2026, "amount": "1", "currency": "EUR"}
    moved = browser.post(
        f"/cmdb/budgets/{budget.pk}/edit/", form | {"product_line": mail.pk}
    )
    assert moved.status_code == 422
    assert "product_line" in moved.context["form"].errors


def test_budgets_and_costs_follow_the_scope_of_their_product_line(
    client_of: Any,
) -> None:
    shop, mail = _line("shop"), _line("mail")
    perms = [
        f"cmdb.{do}_{what}" for do in ("view", "add") for what in ("cost", "budget")
    ]
    user = _scoped(shop, *perms)
    mine = _cost("1", product_line=shop)
    others = [_cost("2", product_line=mail), _cost("3")]
    browser = client_of(user)
    assert list(Cost.objects.visible_to(user)) == [mine]
    for other in others:
        assert browser.get(f"/cmdb/costs/{other.pk}/").status_code == 404
        assert browser.get(f"/api/v1/costs/{other.pk}/").status_code == 404
    before = Cost.objects.count()
    sent = TestCost().valid()
    assert browser.post("/cmdb/costs/add/", sent).status_code == 422
    foreign = browser.post("/cmdb/costs/add/", sent | {"product_line": mail.pk})
    assert foreign.status_code == 422
    assert Cost.objects.count() == before
    own = browser.post("/cmdb/costs/add/", sent | {"product_line": shop.pk})
    assert own.status_code == 302
    group_only = make_user(perms=["cmdb.view_cost"], groups=[make_group()])
    assert not Cost.objects.visible_to(group_only).exists()
