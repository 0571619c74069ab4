"""Reads an uploaded CSV file into rows of named fields, and names what is wrong by line and column."""

import csv
import io
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _


@dataclass(frozen=True)
class CellError:
    """What is wrong in one cell (column "" = the whole row, row 0 = the whole file)."""

    row: int
    column: str
    value: str
    message: str


Rows = list[tuple[int, dict[str, str]]]


def read_csv(
    content: bytes, names: tuple[str, ...], most: int
) -> tuple[Rows, list[CellError]]:
    """Read (line number in the file, field -> text) for each row that is not blank.

    Args:
        content: the file, UTF-8 with or without byte order mark; comma, semicolon or tab.
        names: columns that exist; others and doubled ones are errors.
        most: largest number of rows.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return [], [
            CellError(
                line, "", "", _("This line is not UTF-8. Save the file as UTF-8 CSV.")
            )
        ]
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(
        io.StringIO(text.replace("\x00", ""), newline=""),
        delimiter=delimiter,
        strict=True,
    )
    try:
        return _read(reader, names, most)
    except csv.Error as error:
        message = _("This is not CSV: %(error)s.") % {"error": error}
        return [], [CellError(reader.line_num, "", "", message)]


def _read(
    reader: Any, names: tuple[str, ...], most: int
) -> tuple[Rows, list[CellError]]:
    header = [cell.strip() for cell in next(reader, [])]
    errors = _header_errors(header, names)
    rows: Rows = []
    while not errors:
        line = reader.line_num + 1
        cells = next(reader, None)
        if cells is None:
            break
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            wanted = {"got": len(cells), "want": len(header)}
            errors.append(
                CellError(
                    line,
                    "",
                    "",
                    _("This row has %(got)s cells, the header %(want)s.") % wanted,
                )
            )
        rows.append(
            (line, dict(zip(header, (cell.strip() for cell in cells), strict=False)))
        )
        if len(rows) > most:
            errors.append(
                CellError(
                    line,
                    "",
                    "",
                    _("More than %(most)s rows: split the file.") % {"most": most},
                )
            )
    if not rows and not errors:
        errors.append(CellError(1, "", "", _("The file has no rows below its header.")))
    return rows, errors


def _header_errors(header: list[str], names: tuple[str, ...]) -> list[CellError]:
    if not any(header):
        return [CellError(1, "", "", _("The first line must name the columns."))]
    known = ", ".join(names)
    unknown = [
        CellError(
            1,
            name,
            name,
            _("There is no such column. Known: %(known)s.") % {"known": known},
        )
        for name in header
        if name not in names
    ]
    doubled = [
        CellError(1, name, name, _("This column stands in the header twice."))
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    return unknown + doubled


def form_errors(line: int, row: dict[str, str], form: Any) -> list[CellError]:
    """Turn a form's errors into cells of a file."""
    return [
        CellError(
            line, "" if field == "__all__" else field, row.get(field, ""), str(text)
        )
        for field, texts in form.errors.items()
        for text in texts
    ]
