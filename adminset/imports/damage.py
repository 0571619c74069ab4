"""Names what a spreadsheet does to values when it opens and saves a file: shortened numbers, counted days, its own errors."""

import re
from datetime import date, timedelta

from django import forms
from django.utils.translation import gettext as _

ERROR_VALUES = frozenset(
    [
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#NAME?",
        "#DIV/0!",
        "#NUM!",
        "#NULL!",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
    ]
)
TOO_NARROW = re.compile(r"#{3,}")
SHORTENED = re.compile(r"[+-]?\d(?:[.,]\d+[eE][+-]?|[eE][+-])\d{1,3}")
COUNTED = re.compile(r"\d{1,7}(?:\.\d+)?")
YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
# Day 1 is 1 January 1900; that year was taken for a leap year, hence the start.
FIRST_DAY = date(1899, 12, 30)
LAST_DAY_COUNTED = 2_958_465
# The letter that stands where a letter was lost.
LOST = "\ufffd"


def mended(cell: str, field: forms.Field) -> str:
    """Write a day as the form takes it, where it can mean one day only: the year comes first."""
    if isinstance(field, forms.DateField) and (found := YEAR_FIRST.fullmatch(cell)):
        year, month, day = found.groups()
        return f"{year}-{month:0>2}-{day:0>2}"
    return cell


def damage(cell: str, field: forms.Field) -> str:
    """Say what is wrong with a cell and how to mend it; "" when nothing is."""
    if cell in ERROR_VALUES:
        return _(
            "A spreadsheet left its error here. Mend the formula, or type the value."
        )
    if TOO_NARROW.fullmatch(cell):
        return _(
            "A spreadsheet's column was too narrow for this value. Widen it and save again."
        )
    if LOST in cell:
        return _("Letters were lost here when the file was saved. Type them again.")
    if isinstance(field, forms.DateField):
        return _wrong_day(cell)
    if SHORTENED.fullmatch(cell) and not isinstance(field.widget, forms.Textarea):
        return _(
            "A spreadsheet has shortened this number, so that digits are lost. Format the column as text, type the value again, save again."
        )
    return ""


def _wrong_day(cell: str) -> str:
    if COUNTED.fullmatch(cell) and 0 < float(cell) <= LAST_DAY_COUNTED:
        day = FIRST_DAY + timedelta(days=int(float(cell)))
        said = _(
            "This is a day as a spreadsheet counts it, probably %(day)s. Write days as 2024-01-31."
        )
        return said % {"day": day.isoformat()}
    if cell and not YEAR_FIRST.fullmatch(cell):
        return _("It is not certain which day this is. Write days as 2024-01-31.")
    return ""
