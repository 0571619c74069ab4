"""What a file holds once it is read: named columns and the rows below them, each with its line in the file."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.imports.problems import Problem, Unreadable, whole

# Column of the file of bad rows: it may come back with the mended rows, and is no data.
ERROR_COLUMN = "import_error"
# Before a sign that starts a formula our exports put this one, so that it comes back as it was.
GUARDED = ("'=", "'+", "'-", "'@", "'\t", "'\r")

# A header may name so many columns more than twice those that there are: enough to name what is too much.
SPARE_COLUMNS = 20
MOST_PROBLEMS = 100


@dataclass
class Row:
    """One row: its line, its cells in the order of the header, and what is wrong with the row itself."""

    line: int
    cells: list[str]
    faults: list[Problem] = field(default_factory=list)


@dataclass
class Sheet:
    """A table that came in.

    Attributes:
        header: the first line as it stands. names: the field that each of its columns means; "" is left out.
        encoding, separator: how the text was read, in words; empty for a workbook. title: name of the sheet read.
    """

    header: list[str]
    names: list[str]
    rows: list[Row]
    encoding: str = ""
    separator: str = ""
    title: str = ""

    def values(self, row: Row) -> dict[str, str]:
        """Give field -> cell of a row."""
        pairs = zip(self.names, row.cells, strict=False)
        return {name: cell for name, cell in pairs if name}


class Header:
    """Which columns a file may have: by the name of the field, or by what the pages call it."""

    def __init__(self, labels: dict[str, str]) -> None:
        """Take field -> label."""
        self.labels = labels
        called: dict[str, list[str]] = {}
        for name, label in labels.items():
            called.setdefault(label.casefold(), []).append(name)
        self._by_label = {
            label: names[0] for label, names in called.items() if len(names) == 1
        }

    def read(self, line: int, cells: Sequence[str]) -> list[str]:
        """Name the field of each column.

        Raises:
            Unreadable: a column is unknown, or stands there twice.
        """
        if not any(cells):
            raise whole(_("The first line must name the columns."), line or 1)
        most = 2 * len(self.labels) + SPARE_COLUMNS
        if len(cells) > most:
            said = _("The first line names %(count)s columns; there are %(known)s.")
            shown = {"count": len(cells), "known": len(self.labels)}
            raise whole(said % shown, line or 1)
        names = [self._name_of(cell) for cell in cells]
        told = chain(self._unknown(line, cells, names), _doubled(line, cells, names))
        if problems := list(islice(told, MOST_PROBLEMS)):
            raise Unreadable(*problems)
        return [name if name != ERROR_COLUMN else "" for name in names]

    def _name_of(self, cell: str) -> str:
        if cell in self.labels or cell == ERROR_COLUMN:
            return cell
        return self._by_label.get(cell.casefold(), "")

    def _unknown(
        self, line: int, cells: Sequence[str], names: Sequence[str]
    ) -> Iterator[Problem]:
        known = ", ".join(self.labels)
        for number, (cell, name) in enumerate(zip(cells, names, strict=True), 1):
            if name:
                continue
            if cell:
                said = _("There is no such column. Known: %(known)s.")
                yield Problem(line, cell[:100], cell[:100], said % {"known": known})
            else:
                said = _("Column %(number)s has no name in the first line.")
                yield Problem(line, "", "", said % {"number": number})


def _doubled(
    line: int, cells: Sequence[str], names: Sequence[str]
) -> Iterator[Problem]:
    doubled = (name for name, count in Counter(names).items() if name and count > 1)
    for name in sorted(doubled):
        places = [n for n, each in enumerate(names, 1) if each == name]
        said = _(
            "This column stands in the header more than once (columns %(places)s): keep one."
        )
        shown = {"places": ", ".join(map(str, places))}
        yield Problem(line, name, cells[places[0] - 1][:100], said % shown)


def collect(
    lines: Iterable[tuple[int, list[str]]], header: Header
) -> tuple[list[str], list[str], list[Row]]:
    """Make rows of numbered lines: the first that is not blank is the header, blank ones are left out.

    Returns:
        the header as it stands, the field of each column, the rows.

    Raises:
        Unreadable: the header is not right, there is no row or too many.
    """
    found = ((line, [clean(cell) for cell in cells]) for line, cells in lines)
    filled = ((line, cells) for line, cells in found if any(cells))
    first, top = next(filled, (1, []))
    while top and not top[-1]:
        top.pop()
    names = header.read(first, top)
    rows: list[Row] = []
    for line, cells in filled:
        rows.append(_row(line, cells, names))
        if len(rows) > settings.IMPORT_MAX_ROWS:
            said = _("More than %(most)s rows: split the file.")
            raise whole(said % {"most": settings.IMPORT_MAX_ROWS}, line)
    if not rows:
        raise whole(_("The file has no rows below its header."), first)
    return top, names, rows


def clean(cell: str) -> str:
    """Take the space around a cell away, and what our own export put before a formula."""
    plain = cell.strip().strip("\ufeff")
    return plain[1:] if plain.startswith(GUARDED) else plain


def _row(line: int, cells: list[str], names: list[str]) -> Row:
    while len(cells) > len(names) and not cells[-1]:
        cells.pop()
    row = Row(line, cells)
    if len(cells) != len(names):
        said = _(
            "This row has %(got)s cells, the header %(want)s. A separator or a line break in a text needs quotes around it."
        )
        wanted = {"got": len(cells), "want": len(names)}
        row.faults.append(Problem(line, "", "", said % wanted))
    most = settings.IMPORT_MAX_CELL_CHARACTERS
    for name, cell in zip(names, cells, strict=False):
        if len(cell) > most:
            said = _("This cell has %(got)s characters; at most %(most)s are read.")
            wanted = {"got": len(cell), "most": most}
            row.faults.append(Problem(line, name, cell[:80], said % wanted))
    row.cells = [cell[:most] for cell in cells[: len(names)]]
    return row
