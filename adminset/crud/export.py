"""Exactly what a list shows, as CSV or XLSX; nothing in it runs when a spreadsheet opens it."""

import csv
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, cast

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.crud.lists import Listing
from adminset.errors import DomainError

# A cell that begins so is a formula to a spreadsheet (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# XML 1.0, section 2.2: control characters that no document may hold.
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class _Line:
    """A file for csv.writer that gives back what it is told to write."""

    def write(self, line: str) -> str:
        return line


def download(kind: str, listing: Listing) -> HttpResponse | StreamingHttpResponse:
    """Give the list's rows (all pages, shown columns) as a file.

    Args:
        kind: "csv" or "xlsx".

    Raises:
        DomainError: another kind, or more rows than ADMINSET_EXPORT_MAX_ROWS.
    """
    if kind not in {"csv", "xlsx"}:
        raise DomainError(
            _("There is no export as %(kind)s.") % {"kind": kind[:20]},
            _("Use csv or xlsx."),
        )
    if listing.total > settings.EXPORT_MAX_ROWS:
        raise DomainError(
            _("%(total)s rows are too many for one export.") % {"total": listing.total},
            _("Filter the list, or raise ADMINSET_EXPORT_MAX_ROWS."),
        )
    _record(kind, listing)
    name = f"{listing.resource.path}-{timezone.localtime():%Y%m%d-%H%M}.{kind}"
    rows = listing.table.as_values(exclude_columns=listing.left_out())
    answer = _csv(rows) if kind == "csv" else _xlsx(rows)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _record(kind: str, listing: Listing) -> None:
    """Tell the trail who took how many rows of what out, by which filter."""
    query = listing.request.GET.copy()
    query.pop("export", None)
    audit.record_export(
        cast("audit.Actor", listing.request.user),
        listing.resource.model,
        rows=listing.total,
        kind=kind,
        query=query.urlencode(),
    )


def _csv(rows: Iterator[list[Any]]) -> StreamingHttpResponse:
    writer = csv.writer(_Line())
    lines = (writer.writerow([harmless(cell) for cell in row]) for row in rows)

    def with_mark() -> Iterator[str]:
        # Spreadsheets read UTF-8 only behind a byte order mark.
        yield "\ufeff"
        yield from lines

    return StreamingHttpResponse(with_mark(), content_type="text/csv; charset=utf-8")


def _xlsx(rows: Iterator[list[Any]]) -> HttpResponse:
    # Brings numpy along: half a second of every process's start, for the few that export.
    from openpyxl import Workbook  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(
            [cell if isinstance(cell, int | float) else _cell(cell) for cell in row]
        )
    file = BytesIO()
    book.save(file)
    return HttpResponse(
        file.getvalue(),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


def _cell(value: Any) -> str:
    return NOT_IN_XML.sub("", harmless(value))


def harmless(value: Any) -> str:
    """Write a cell so that no spreadsheet takes it for a formula; numbers stay numbers."""
    text = "" if value is None else str(value)
    if isinstance(value, int | float) or not text.startswith(FORMULA_STARTS):
        return text
    return f"'{text}"
