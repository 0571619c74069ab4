"""Costs summed up: by product line, kind, month or supplier, and always by currency too."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Max, Min, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from cmdb.models import Cost

WAYS = {
    "line": _lazy("Product line"),
    "kind": _lazy("Kind"),
    "month": _lazy("Month"),
    "supplier": _lazy("Supplier"),
}
GROUPS: dict[str, Any] = {
    "line": F("product_line__name"),
    "kind": F("kind"),
    "month": TruncMonth("day"),
    "supplier": F("supplier__name"),
}
# A picture with more bars says less than the table below it.
MOST_BARS = 24
MOST_YEARS = 50


@dataclass(frozen=True)
class Row:
    """The costs of one group in one currency."""

    name: str
    currency: str
    amount: Decimal
    number: int


@dataclass(frozen=True)
class Report:
    """What was spent: rows by group and currency, sums and years to choose from."""

    by: str
    year: int | None
    rows: list[Row]

    @property
    def totals(self) -> dict[str, Decimal]:
        """Sum of each currency; they are never added to each other."""
        sums: dict[str, Decimal] = {}
        for row in self.rows:
            sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.amount
        return dict(sorted(sums.items()))

    def bars(self, currency: str) -> dict[str, Any]:
        """Give {unit, bars: [{name, value}]} of one currency, as static/js/bars.js draws it: months in order, else the greatest first."""
        rows = [row for row in self.rows if row.currency == currency]
        if self.by != "month":
            rows.sort(key=lambda row: -row.amount)
        shown = rows[-MOST_BARS:] if self.by == "month" else rows[:MOST_BARS]
        bars = [{"name": row.name, "value": float(row.amount)} for row in shown]
        return {"unit": currency, "bars": bars, "left_out": len(rows) - len(shown)}


def years_of(user: Any) -> list[int]:
    """List the years from the first cost that the user may see to the last, the newest first."""
    seen = Cost.objects.visible_to(user).order_by()
    ends = seen.aggregate(first=Min("day"), last=Max("day"))
    if ends["first"] is None:
        return []
    years = range(ends["first"].year, ends["last"].year + 1)
    return list(reversed(years))[:MOST_YEARS]


def report(user: Any, by: str, year: int | None) -> Report:
    """Sum up the costs that a user may see.

    Args:
        by: one of WAYS. year: None: of all years.
    """
    rows: QuerySet = Cost.objects.visible_to(user).order_by()
    if year is not None:
        rows = rows.filter(day__gte=date(year, 1, 1), day__lte=date(year, 12, 31))
    found = (
        rows.annotate(group=GROUPS[by])
        .values_list("group", "currency")
        .annotate(Sum("amount"), Count("pk"))
    )
    listed = sorted(found, key=lambda row: (row[0] is None, str(row[0]), row[1]))
    return Report(by, year, [Row(_name(by, each[0]), *each[1:]) for each in listed])


def _name(by: str, group: Any) -> str:
    if group in (None, ""):
        return _("none")
    if by == "month":
        return f"{group:%Y-%m}"
    return str(Cost.Kind(group).label) if by == "kind" else str(group)
