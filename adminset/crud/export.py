"""Exactly what a list shows, as CSV or XLSX; nothing in it runs when a spreadsheet opens it."""

import csv
import re
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django_tables2 import RequestConfig

from adminset import audit
from adminset.crud.drawing import PlainCells
from adminset.crud.lists import Listing
from adminset.crud.paging import in_order, keys_of_page
from adminset.errors import DomainError
from adminset.streams import stream

# A cell that begins so is a formula to a spreadsheet (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# XML 1.0, section 2.2: control characters that no document may hold.
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


# Rows that are read, drawn and sent together: what an export takes of the memory, however long it is.
CHUNK = 1000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Line:
    """A file for csv.writer that gives back what it is told to write."""

    def write(self, line: str) -> str:
        """Give it back."""
        return line


def download(kind: str, listing: Listing) -> StreamingHttpResponse:
    """Give the list's rows (all pages, shown columns, in its order) as a file, made while it is sent.

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
    rows = _rows(listing)
    if kind == "csv":
        text = "text/csv; charset=utf-8"
        return stream(listing.request, _csv(rows), content_type=text, file_name=name)
    return stream(listing.request, _xlsx(rows), content_type=XLSX, file_name=name)


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


def _rows(listing: Listing) -> Iterator[list[list[Any]]]:
    """Give the header, then the rows in chunks.

    The keys of all rows are read first, in the order of the list, and then the rows of some at a time: nothing stays open
    in the database while a slow reader takes the file, and no row comes twice because another was changed meanwhile.
    """
    table, resource = listing.table, listing.resource
    RequestConfig(listing.request, paginate=False).configure(table)
    out = listing.left_out()
    columns = [
        column
        for column in table.columns.iterall()
        if not (column.column.exclude_from_export or column.name in out)
    ]
    yield [[str(column.header) for column in columns]]
    total = listing.total
    ordered = table.data.data
    keys = keys_of_page(listing.rows, ordered, start=0, size=total, total=total)
    cells = [PlainCells(table, column, "") for column in columns]
    every = _light(
        resource.for_list(resource.model._default_manager.all(), listing.user)
    )
    every = every.defer(*resource.wide_fields)
    for start in range(0, len(keys), CHUNK):
        found = in_order(every.all(), keys[start : start + CHUNK])
        yield [[_plain(cell.say(record)) for cell in cells] for record in found]


def _light(rows: QuerySet) -> QuerySet:
    """Fetch related objects by themselves: a thousand hosts of one IDC then need that IDC once and not a thousand times."""
    joined = rows.query.select_related
    if not isinstance(joined, dict) or rows.query.combinator:
        return rows
    return rows.select_related(None).prefetch_related(*_paths(joined))


def _paths(joined: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, below in joined.items():
        yield before + name
        yield from _paths(below, f"{before}{name}__")


def _plain(value: Any) -> Any:
    return force_str(value, strings_only=True)


def _csv(chunks: Iterable[list[list[Any]]]) -> Iterator[str]:
    writer = csv.writer(Line())
    # Spreadsheets read UTF-8 only behind a byte order mark.
    yield "\ufeff"
    for rows in chunks:
        lines = [writer.writerow([harmless(cell) for cell in row]) for row in rows]
        yield "".join(lines)


def _xlsx(chunks: Iterable[list[list[Any]]]) -> Iterator[bytes]:
    # Brings numpy along: half a second of every process's start, for the few that export.
    from openpyxl import Workbook  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for rows in chunks:
        for row in rows:
            sheet.append(
                [cell if isinstance(cell, int | float) else _cell(cell) for cell in row]
            )
    with TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while piece := file.read(2**16):
            yield piece


def _cell(value: Any) -> str:
    return NOT_IN_XML.sub("", harmless(value))


def harmless(value: Any) -> str:
    """Write a cell so that no spreadsheet takes it for a formula; numbers stay numbers."""
    text = "" if value is None else str(value)
    if isinstance(value, int | float) or not text.startswith(FORMULA_STARTS):
        return text
    return f"'{text}"
