"""Amounts of money: each has a currency, is never below nothing, and is said with its currency."""

from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cmdb.organisation import currency_code
from cmdb.reference import Linked

AMOUNT = _("amount")


def amount_field(label: Any = AMOUNT, **options: Any) -> models.DecimalField:
    """Make a column for an amount of money: two digits behind the point, never below nothing."""
    return models.DecimalField(
        label,
        max_digits=14,
        decimal_places=2,
        validators=[MinValueValidator(0)],
        **options,
    )


def currency_field(**options: Any) -> models.CharField:
    """Make a column for the currency of the amounts beside it."""
    return models.CharField(
        _("currency"), max_length=3, validators=[currency_code], **options
    )


def told(amount: Decimal | None, currency: str) -> str:
    """Say an amount with its currency ("1,200.50 EUR"); "" where there is none."""
    if amount is None:
        return ""
    number = formats.number_format(
        amount, decimal_pos=2, use_l10n=True, force_grouping=True
    )
    return f"{number} {currency}".strip()


def with_currency(name: str, label: Any) -> property:
    """Make a property that says an amount of the row with the row's currency; pages call it `label`."""

    def said(row: Any) -> str:
        return told(getattr(row, name), row.currency)

    said.short_description = label  # type: ignore[attr-defined]
    return property(said)


class Priced(Linked):
    """A row with an amount that may be unknown; `amounts` names every column that the currency is of."""

    amounts: ClassVar[tuple[str, ...]] = ("amount",)

    amount = amount_field(null=True, blank=True)
    currency = currency_field(blank=True)

    class Meta:
        abstract = True

    money = with_currency("amount", _("amount"))

    def clean(self) -> None:
        """Refuse an amount of nobody knows what.

        Raises:
            ValidationError: names the currency.
        """
        known = any(getattr(self, name) is not None for name in self.amounts)
        if known and not self.currency:
            raise ValidationError(
                {"currency": gettext("Say the currency of the amount, such as CNY.")}
            )


class Counted(Priced):
    """A row whose amount is summed up: it is never unknown."""

    amount = amount_field()
    currency = currency_field()

    class Meta:
        abstract = True


def in_order(first: Any, second: Any, field: str) -> None:
    """Refuse a span of days that ends before it starts.

    Raises:
        ValidationError: names `field`, the later of the two.
    """
    if first and second and second < first:
        raise ValidationError({field: gettext("It ends before it starts.")})
