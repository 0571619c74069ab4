"""Reads CSV: comma, semicolon or tab; quoted line breaks; lines that end in CR, LF or both."""

import csv
import io
import re
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.imports.encoding import decode
from adminset.imports.problems import whole
from adminset.imports.sheet import Header, Sheet, collect

SEPARATORS = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
}
QUOTED = re.compile(r'"[^"]*"')
LINE_END = re.compile(r"\r\n|\r|\n")


def read_csv(content: bytes, header: Header, encoding: str = "") -> Sheet:
    """Read a file.

    Args:
        encoding: a key of encoding.ENCODINGS; "" finds out.

    Raises:
        Unreadable: this is no such file; says where.
    """
    text, spoken = decode(content, encoding)
    if (place := text.find("\0")) >= 0:
        line = len(LINE_END.findall(text[:place])) + 1
        said = _("This line holds a zero byte: this is no text file. Send CSV or XLSX.")
        raise whole(said, line)
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        top, names, rows = collect(_numbered(reader), header)
    except csv.Error as error:
        said = _(
            "This is not CSV: %(error)s. Look for a quote that is not closed or stands in the middle of a text."
        )
        raise whole(said % {"error": error}, reader.line_num) from error
    return Sheet(top, names, rows, spoken, str(SEPARATORS[separator]))


def _separator(text: str) -> str:
    """Take the one that the first line holds most of, quotes aside."""
    lines = (line for line in LINE_END.split(text[:100_000]) if line.strip())
    plain = QUOTED.sub("", next(lines, ""))
    return max(SEPARATORS, key=plain.count)


def _numbered(reader: "csv._reader") -> Iterator[tuple[int, list[str]]]:  # type: ignore[name-defined]
    """Give each record with the line in which it begins: a quoted line break makes it longer than one line."""
    while True:
        line = reader.line_num + 1
        cells = next(reader, None)
        if cells is None:
            return
        yield line, cells
