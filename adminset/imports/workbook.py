"""Reads XLSX: the first sheet that is shown, value by value; a file that would swell beyond its limits is refused unread."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.imports.problems import whole
from adminset.imports.sheet import Header, Sheet, collect

MAGIC = b"PK\x03\x04"
# Excel before 2007, and a workbook with a password.
OLD_MAGIC = b"\xd0\xcf\x11\xe0"
MOST_PARTS = 500
# What a cell takes in XML, generously; shared texts of whole columns come on top.
PIECE = 2**16
# A number keeps fifteen digits in a spreadsheet: beyond that the others are lost.
MOST_BLANK = 5000
EXACT = 10**15
DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY")


def read_xlsx(content: bytes, header: Header) -> Sheet:
    """Read a workbook.

    Raises:
        Unreadable: this is no workbook, or one that is too large; says where.
    """
    _look_inside(content)
    # Brings numpy along: half a second of every process's start, for the few that import.
    from openpyxl import load_workbook  # noqa: PLC0415

    try:
        book = load_workbook(
            io.BytesIO(content), read_only=True, data_only=True, keep_links=False
        )
        shown = [each for each in book.worksheets if each.sheet_state == "visible"]
        sheet = (shown or book.worksheets)[0]
        # The size that the file claims for itself may be anything.
        sheet.reset_dimensions()
        top, names, rows = collect(_lines(sheet, len(header.labels)), header)
    except (KeyError, ValueError, IndexError, TypeError, SyntaxError) as error:
        raise whole(
            _(
                "This workbook cannot be read. Open it in a spreadsheet and save it anew as XLSX, or as CSV UTF-8."
            )
        ) from error
    return Sheet(top, names, rows, title=sheet.title[:100])


def _lines(sheet: Any, known: int) -> Iterator[tuple[int, list[str]]]:
    # Twice as many columns as there are: enough to name those that are too many.
    wide = sheet.iter_rows(max_col=2 * known + 10, values_only=True)
    blank = 0
    for line, cells in enumerate(wide, 1):
        if any(cell is not None for cell in cells):
            blank = 0
            yield line, [as_text(cell) for cell in cells]
            continue
        # A file of a few bytes may claim that its second row is the millionth.
        blank += 1
        if blank > MOST_BLANK:
            said = _("More than %(count)s blank lines follow each other: delete them.")
            raise whole(said % {"count": MOST_BLANK}, line)


def as_text(value: Any) -> str:
    """Write a value as somebody would type it: whole numbers without a point, days as 2024-01-31."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    if isinstance(value, int | float) and abs(value) >= EXACT:
        return f"{value:.15E}"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _look_inside(content: bytes) -> None:
    """Inflate every part once without keeping it, and count: what the archive says of its sizes may be a lie."""
    left = settings.IMPORT_MAX_INFLATED_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS:
                raise whole(_("This workbook has too many parts."))
            for part in parts:
                left = _inflated(archive, part, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise whole(
            _("This workbook is damaged. Save it anew as XLSX, or as CSV UTF-8.")
        ) from error
    except RuntimeError as error:
        raise whole(_("This workbook has a password. Save it without one.")) from error


def _inflated(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """Count one part; XML that declares anything is refused: entities are how small files grow large."""
    before = b""
    with archive.open(part) as file:
        while piece := file.read(PIECE):
            left -= len(piece)
            if left < 0:
                most = settings.IMPORT_MAX_INFLATED_BYTES // 2**20
                said = _(
                    "Unpacked this workbook is larger than %(most)s MiB. Delete empty rows, pictures and other sheets, or save it as CSV."
                )
                raise whole(said % {"most": most})
            # UTF-16 has a zero byte between the letters.
            seen = (before + piece).replace(b"\0", b"")
            if any(word in seen for word in DECLARATIONS):
                raise whole(_("This workbook declares entities, as none should."))
            before = piece[-32:]
    return left
