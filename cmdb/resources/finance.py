"""Contracts, purchases, budgets and costs: one declaration each, pages and REST endpoints follow from it."""

from collections.abc import Iterable
from typing import Any

import django_tables2 as tables
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter, plain_form, plain_table
from adminset.crud.resource import Panel, Resource, resource_of
from cmdb.columns import EndColumn, MoneyColumn
from cmdb.forms.finance import ContractForm, PurchaseForm
from cmdb.models import Budget, Contract, Cost, Host, Purchase
from cmdb.money import told

TABS = (
    "cmdb:expiry",
    "cmdb:contract_list",
    "cmdb:purchase_list",
    "cmdb:budget_list",
    "cmdb:cost_list",
    "cmdb:cost_report",
)
MOST_ON_A_PANEL = 200


def section(user: Any, title: Any, rows: Any, end: str = "") -> dict[str, Any]:
    """Give a part of a panel that lists related rows: those that the user may see, if he may see such rows at all.

    Args:
        rows: the related manager. end: name of what stands at the end of each line.
    """
    model = rows.model
    known = resource_of(model._meta.label_lower)
    seen = rows.visible_to(user)
    if known is not None:
        seen = known.list_queryset(seen)
    found = list(seen[: MOST_ON_A_PANEL + 1])
    listed = [{"row": row, "end": getattr(row, end, "")} for row in found]
    cut = len(found) > MOST_ON_A_PANEL
    return {"title": title, "rows": listed[:MOST_ON_A_PANEL], "cut": cut}


def _filled(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"parts": [part for part in parts if part["rows"]]}


def _hosts_of(request: HttpRequest, instance: Any) -> dict[str, Any]:
    rows = instance.hosts.visible_to(request.user)
    return {
        "hosts": rows.for_list().order_by("hostname", "pk")[:MOST_ON_A_PANEL],
        "host_total": rows.count(),
    }


def _of_contract(request: HttpRequest, contract: Contract) -> dict[str, Any]:
    user = request.user
    return _filled(
        [
            section(user, _("Purchases"), contract.purchases, "money"),
            section(user, _("Costs"), contract.costs, "text"),
            section(user, _("Licences"), contract.licences, "money"),
        ]
    )


def _of_host(request: HttpRequest, host: Host) -> dict[str, Any]:
    """Give the panel of a host: what covers it, how it was bought, what is installed."""
    user = request.user
    return _filled(
        [
            section(user, _("Contracts"), host.contracts, "ends_on"),
            section(user, _("Purchases"), host.purchases, "money"),
            section(user, _("Software"), host.installations, "since"),
        ]
    )


def _of_budget(request: HttpRequest, budget: Budget) -> dict[str, Any]:
    user = request.user
    others = [told(amount, currency) for currency, amount in budget.elsewhere()]
    parts = [
        section(user, _("Costs"), budget.costs, "text"),
        section(user, _("Purchases"), budget.purchases, "money"),
    ]
    return _filled(parts) | {"others": others}


RELATED = "cmdb/_related.html"
HOST_PANEL = Panel(
    "money", _("Contracts and software"), RELATED, _of_host, "cmdb.view_contract"
)
HOSTS = Panel("hosts", _("Hosts"), "cmdb/_hosts.html", _hosts_of, "cmdb.view_host")
CONTRACT = Resource(
    model=Contract,
    table=plain_table(
        Contract,
        "number",
        "name",
        "kind",
        "supplier",
        "ends_on",
        "notice_by",
        "amount",
        "owner",
        "starts_on",
        "budgeted",
        "paid",
        "branch",
        "service_phone",
        "serial",
        default=(
            "number",
            "name",
            "kind",
            "supplier",
            "ends_on",
            "notice_by",
            "amount",
            "owner",
        ),
        ends_on=EndColumn(),
        notice_by=EndColumn(),
        amount=MoneyColumn(),
        budgeted=MoneyColumn(),
        paid=MoneyColumn(),
    ),
    form=ContractForm,
    filterset=plain_filter(Contract, "kind", "supplier", "branch"),
    path="contracts",
    icon="file-signature",
    search=("number", "name", "owner", "serial", "supplier__name"),
    tabs=TABS,
    panels=(
        HOSTS,
        Panel("money", _("Purchases and costs"), RELATED, _of_contract),
    ),
    detail_fields=(
        "number",
        "name",
        "kind",
        "supplier",
        "starts_on",
        "ends_on",
        "notice_days",
        "notice_by",
        "money",
        "budgeted_money",
        "paid_money",
        "branch",
        "owner",
        "service_phone",
        "serial",
        "spec",
        "notes",
    ),
    bulk_fields=("kind", "supplier", "ends_on", "notice_days", "branch", "owner"),
    api_fields=(*ContractForm.base_fields, "notice_by"),
    list_queryset=lambda rows: rows.select_related("supplier", "branch"),
)
PURCHASE = Resource(
    model=Purchase,
    table=plain_table(
        Purchase,
        "number",
        "name",
        "supplier",
        "contract",
        "ordered_on",
        "delivered_on",
        "amount",
        amount=MoneyColumn(),
    ),
    form=PurchaseForm,
    filterset=plain_filter(Purchase, "supplier", "budget"),
    path="purchases",
    icon="cart-shopping",
    search=("number", "name", "supplier__name", "contract__number"),
    tabs=TABS,
    panels=(HOSTS,),
    detail_fields=(
        "number",
        "name",
        "supplier",
        "contract",
        "budget",
        "ordered_on",
        "delivered_on",
        "money",
        "notes",
    ),
    bulk_fields=("supplier", "contract", "budget", "delivered_on"),
    list_queryset=lambda rows: rows.select_related("supplier", "contract"),
)
BUDGET_FIELDS = (
    "name",
    "year",
    "product_line",
    "amount",
    "currency",
    "owner",
    "notes",
)
BUDGET = Resource(
    model=Budget,
    table=plain_table(
        Budget,
        "name",
        "year",
        "product_line",
        "amount",
        "owner",
        # A year is a name, not a number: no point between its digits.
        year=tables.TemplateColumn("{{ value|stringformat:'d' }}"),
        amount=MoneyColumn(),
        spent=MoneyColumn(verbose_name=_("spent"), order_by="spent_sum"),
        left=MoneyColumn(verbose_name=_("left"), order_by="left_sum"),
    ),
    form=plain_form(Budget, *BUDGET_FIELDS),
    filterset=plain_filter(Budget, "product_line"),
    path="budgets",
    icon="piggy-bank",
    search=("name", "owner", "product_line__name"),
    tabs=TABS,
    panels=(Panel("costs", _("Costs"), RELATED, _of_budget),),
    detail_fields=(
        "name",
        "year",
        "product_line",
        "money",
        "spent_money",
        "left_money",
        "owner",
        "notes",
    ),
    bulk_fields=("product_line", "owner"),
    api_fields=(*BUDGET_FIELDS, "spent", "left"),
    list_queryset=lambda rows: rows.select_related("product_line").with_spent(),  # type: ignore[attr-defined]
)
COST_FIELDS = (
    "day",
    "kind",
    "amount",
    "currency",
    "budget",
    "product_line",
    "supplier",
    "contract",
    "text",
)
COST = Resource(
    model=Cost,
    table=plain_table(
        Cost,
        "day",
        "kind",
        "text",
        "amount",
        "product_line",
        "budget",
        "supplier",
        "contract",
        amount=MoneyColumn(),
    ),
    form=plain_form(Cost, *COST_FIELDS),
    filterset=plain_filter(Cost, "kind", "budget", "product_line", "supplier"),
    path="costs",
    icon="money-bill-wave",
    search=("text", "supplier__name", "contract__number"),
    tabs=TABS,
    detail_fields=(
        "day",
        "kind",
        "money",
        "budget",
        "product_line",
        "supplier",
        "contract",
        "text",
    ),
    bulk_fields=("kind", "budget", "product_line", "supplier", "contract"),
    list_queryset=lambda rows: rows.select_related(
        "budget", "product_line", "supplier", "contract"
    ),
)
ALL = (CONTRACT, PURCHASE, BUDGET, COST)
