"""Columns of amounts and days: an amount stands with its currency, a day that is near or over in its colour."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cmdb.money import told

SOON_DAYS = 30


class MoneyColumn(tables.Column):
    """An amount with the currency of its row; an export has both too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(attrs={"td": {"class": "num"}}, **options)

    def render(self, value: Decimal, record: Any) -> str | SafeString:
        """Draw it; below nothing it is red."""
        said = told(value, record.currency)
        return (
            format_html('<span class="end-day danger">{}</span>', said)
            if value < 0
            else said
        )

    def value(self, value: Decimal | None, record: Any) -> str:
        """Give it to an export."""
        return "" if value is None else f"{value:.2f} {record.currency}"


class EndColumn(tables.Column):
    """A day on which something ends: marked when it is near or over."""

    def render(self, value: Any) -> SafeString:
        """Draw it."""
        return format_html(
            '<span class="end-day {}">{}</span>',
            state_of(value),
            formats.date_format(value, "DATE_FORMAT"),
        )

    def value(self, value: Any) -> str:
        """Give it to an export."""
        return value.isoformat() if value else ""


def state_of(day: Any) -> str:
    """Say how pressing an end is: danger (over), warning (within 30 days) or ok."""
    today = timezone.localdate()
    if day < today:
        return "danger"
    return "warning" if day <= today + timedelta(days=SOON_DAYS) else "ok"
