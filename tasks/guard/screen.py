"""A small model of a terminal's screen: where the cursor stands and what the rows show; colours do not matter here."""

import codecs
import re
import unicodedata
from functools import lru_cache

from tasks.guard.sequences import SEQUENCES

TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<private>[<=>?]?)(?P<params>[0-9:;]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"
    r"|\x1b[ -/]+[0-~]"
    r"|\x1b(?P<escape>[0-~])"
    r"|(?P<control>[\x00-\x1f\x7f-\x9f])"
)
# A sequence whose end has not come yet.
UNFINISHED = re.compile(
    r"\x1b(?:\[[<=>?]?[0-9:;]*[ -/]*|\][^\x07\x1b]*\x1b?|[PX^_][^\x1b]*\x1b?|[ -/]*)?\Z"
)
LONGEST_SEQUENCE = 4096
# Rows above the screen that are kept: as many as the longest paste needs, and not more.
MOST_ROWS = 3000
TAB = 8


@lru_cache(maxsize=4096)
def width(char: str) -> int:
    """Say how many columns a character takes."""
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


class Row:
    """One row: a text a column ("" behind a wide one), and whether it goes on in the next row by itself."""

    __slots__ = ("cells", "wrapped")

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.wrapped = False

    def text(self, begin: int = 0, end: int | None = None) -> str:
        """Give what stands in some columns."""
        return "".join(self.cells[begin:end])

    def put(self, column: int, cells: list[str], *, insert: bool = False) -> None:
        """Write cells at a column."""
        short = column - len(self.cells)
        if short > 0:
            self.cells.extend(" " * short)
        end = column if insert else column + len(cells)
        # Half of a wide character is none: the other half becomes a space.
        if self.cells[end : end + 1] == [""] and (end > column or insert):
            self.cells[end] = " "
        if self.cells[column : column + 1] == [""] and column:
            self.cells[column - 1] = " "
        self.cells[column:end] = cells


class Screen:
    """Rows with stable numbers: what scrolls off the top stays for a while, so that long lines can be read whole."""

    def __init__(self, columns: int, height: int) -> None:
        self.columns, self.height = max(columns, 2), max(height, 1)
        self.reset()

    def reset(self) -> None:
        """Begin with an empty screen."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        # How many rows were forgotten: a row's number among all of them is its place plus this.
        self.gone = 0
        self.rows = [Row()]
        self.top = self.y = self.x = 0
        self._saved = (0, 0)
        self._insert = False
        self.region: tuple[int, int] | None = None

    def resize(self, columns: int, height: int) -> None:
        """Take another size; the program redraws its line by itself."""
        self.columns, self.height = max(columns, 2), max(height, 1)
        self.top = max(self.top, len(self.rows) - self.height)
        self.region = None

    def feed(self, data: bytes) -> None:
        """Take output; the end of a sequence may come later."""
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        cut = UNFINISHED.search(text, max(0, len(text) - LONGEST_SEQUENCE))
        if cut:
            text, self._rest = text[: cut.start()], cut.group()
        for found in TOKEN.finditer(text):
            kind = found.lastgroup
            if kind == "text":
                self._write(found.group())
            elif kind == "final":
                self._sequence(found)
            elif kind == "control":
                self._control(found.group())
            elif kind == "escape":
                self.escape(found.group(kind))

    def trim(self) -> None:
        """Forget rows that are long gone; their numbers change."""
        gone = min(self.top, len(self.rows) - self.height)
        if gone > 0:
            del self.rows[:gone]
            self.gone += gone
            self.top, self.y = self.top - gone, max(self.y - gone, 0)

    def begin_of(self, number: int) -> int:
        """Give the first row of the line to which a row belongs."""
        while number > 0 and self.rows[number - 1].wrapped:
            number -= 1
        return number

    def end_of(self, number: int) -> int:
        """Give the last row of the line to which a row belongs."""
        while number + 1 < len(self.rows) and self.rows[number].wrapped:
            number += 1
        return number

    def between(
        self, begin: tuple[int, int], last: int, column: int | None = None
    ) -> str:
        """Give the text from (row, column) to the end of row `last`, or to its column."""
        parts = []
        for number in range(begin[0], min(last, len(self.rows) - 1) + 1):
            row = self.rows[number]
            first = begin[1] if number == begin[0] else 0
            end = column if number == last else None
            text = row.text(first, end)
            whole = number == last or row.wrapped
            parts.append(text if whole else text.rstrip() + "\n")
        return "".join(parts)

    def line(self) -> str:
        """Give the whole line in which the cursor stands."""
        return self.between((self.begin_of(self.y), 0), self.end_of(self.y))

    def _write(self, text: str) -> None:
        if not text.isascii():
            self._write_wide(text)
            return
        while text:
            if self.x >= self.columns:
                self._wrap()
            part = text[: self.columns - self.x]
            self.rows[self.y].put(self.x, list(part), insert=self._insert)
            self.x += len(part)
            text = text[len(part) :]

    def _write_wide(self, text: str) -> None:
        for char in text:
            wide = width(char)
            row = self.rows[self.y]
            if wide == 0:
                if 0 < self.x <= len(row.cells):
                    row.cells[self.x - 1] += char
                continue
            if self.x + wide > self.columns:
                self._wrap()
                row = self.rows[self.y]
            row.put(self.x, [char, ""][:wide], insert=self._insert)
            self.x += wide

    def _wrap(self) -> None:
        self.rows[self.y].wrapped = True
        self.x = 0
        self._down()

    def _down(self) -> None:
        """Go to the next row; at the end of the screen everything moves up."""
        first, last = self.margins()
        if self.y == last and self.region:
            self.scroll(first, last, 1)
        elif self.y - self.top + 1 < self.height or not self.region:
            self.y += 1
            if self.y == len(self.rows):
                self.rows.append(Row())
            self.top = max(self.top, self.y - self.height + 1)
            if len(self.rows) > MOST_ROWS + self.height:
                self.trim()

    def margins(self) -> tuple[int, int]:
        """Give the first and the last row that scroll."""
        first, last = self.region or (0, self.height - 1)
        return self.top + first, self.top + last

    def scroll(self, first: int, last: int, count: int) -> None:
        """Move rows of a part of the screen up, or down for a negative count."""
        self._reach(last)
        for _each in range(min(abs(count), last - first + 1)):
            gone, new = (first, last) if count > 0 else (last, first)
            del self.rows[gone]
            self.rows.insert(new, Row())

    def _reach(self, number: int) -> None:
        while len(self.rows) <= number:
            self.rows.append(Row())

    def go(self, y: int, x: int) -> None:
        """Place the cursor, within the screen."""
        self.y = min(max(y, self.top), self.top + self.height - 1)
        self.x = min(max(x, 0), self.columns - 1)
        self._reach(self.y)

    def _control(self, char: str) -> None:
        if char == "\r":
            self.x = 0
        elif char in "\n\v\f":
            self._down()
        elif char == "\b":
            self.go(self.y, min(self.x, self.columns - 1) - 1)
        elif char == "\t":
            self.go(self.y, (self.x // TAB + 1) * TAB)

    def escape(self, char: str) -> None:
        """Follow a short sequence (ESC and one character)."""
        if char == "7":
            self._saved = (self.y - self.top, self.x)
        elif char == "8":
            self.go(self.top + self._saved[0], self._saved[1])
        elif char in "DE":
            self.x = 0 if char == "E" else self.x
            self._down()
        elif char == "M":
            first, last = self.margins()
            if self.y == first:
                self.scroll(first, last, -1)
            else:
                self.go(self.y - 1, self.x)
        elif char == "c":
            self.reset()

    def _sequence(self, found: re.Match[str]) -> None:
        final = found.group("final")
        if found.group("private") and final not in "JK":
            return
        numbers = [
            int(part[:5]) if part.isdigit() else 0
            for part in found.group("params").split(";")
        ]
        if final in "hl":
            self._insert = final == "h" if 4 in numbers else self._insert
            return
        act = SEQUENCES.get(final)
        if act:
            self.x = min(self.x, self.columns - 1) if final in "ABCDPX@" else self.x
            act(self, numbers)

    def erase(self, begin: int, end: int) -> None:
        """Empty some columns of the cursor's row."""
        row = self.rows[self.y]
        if end >= self.columns:
            del row.cells[begin:]
            row.wrapped = False
        elif begin < len(row.cells):
            row.put(begin, [" "] * (min(end, len(row.cells)) - begin))

    def erase_rows(self, begin: int, end: int) -> None:
        """Empty whole rows."""
        for number in range(begin, min(end, len(self.rows))):
            self.rows[number] = Row()
