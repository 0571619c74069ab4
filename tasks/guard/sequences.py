"""What the control sequences of a terminal (CSI) do to the model of its screen."""

from collections.abc import Callable
from typing import Any


def _line(screen: Any, numbers: list[int]) -> None:
    how = numbers[0]
    begin = 0 if how else min(screen.x, screen.columns)
    screen.erase(begin, screen.x + 1 if how == 1 else screen.columns)


def _display(screen: Any, numbers: list[int]) -> None:
    how = numbers[0]
    if how in (0, 1):
        _line(screen, numbers)
    begin = screen.y + 1 if how == 0 else screen.top
    screen.erase_rows(begin, screen.y if how == 1 else len(screen.rows))


def _rows(screen: Any, numbers: list[int], sign: int) -> None:
    first, last = screen.margins()
    if first <= screen.y <= last:
        screen.scroll(screen.y, last, sign * max(numbers[0], 1))
        screen.x = 0


def _cells(screen: Any, numbers: list[int], final: str) -> None:
    count, row = min(max(numbers[0], 1), screen.columns), screen.rows[screen.y]
    if final == "@":
        row.put(screen.x, [" "] * count, insert=True)
        del row.cells[screen.columns :]
    elif final == "P":
        del row.cells[screen.x : screen.x + count]
    else:
        screen.erase(screen.x, screen.x + count)


def _place(screen: Any, numbers: list[int]) -> None:
    column = numbers[1] if len(numbers) > 1 else 1
    screen.go(screen.top + max(numbers[0], 1) - 1, max(column, 1) - 1)


def _set_region(screen: Any, numbers: list[int]) -> None:
    first, last = numbers[0], numbers[1] if len(numbers) > 1 else 0
    last = min(last or screen.height, screen.height)
    first = max(first, 1)
    whole = (first, last) == (1, screen.height)
    screen.region = None if whole or first >= last else (first - 1, last - 1)
    screen.go(screen.top, 0)


def _move(down: int, right: int) -> Callable[[Any, list[int]], None]:
    def go(screen: Any, numbers: list[int]) -> None:
        count = max(numbers[0], 1)
        screen.go(screen.y + down * count, screen.x + right * count)

    return go


SEQUENCES: dict[str, Callable[[Any, list[int]], None]] = {
    "A": _move(-1, 0),
    "B": _move(1, 0),
    "C": _move(0, 1),
    "D": _move(0, -1),
    "a": _move(0, 1),
    "e": _move(1, 0),
    "E": lambda s, n: s.go(s.y + max(n[0], 1), 0),
    "F": lambda s, n: s.go(s.y - max(n[0], 1), 0),
    "G": lambda s, n: s.go(s.y, max(n[0], 1) - 1),
    "`": lambda s, n: s.go(s.y, max(n[0], 1) - 1),
    "d": lambda s, n: s.go(s.top + max(n[0], 1) - 1, s.x),
    "H": _place,
    "f": _place,
    "J": _display,
    "K": _line,
    "L": lambda s, n: _rows(s, n, -1),
    "M": lambda s, n: _rows(s, n, 1),
    "@": lambda s, n: _cells(s, n, "@"),
    "P": lambda s, n: _cells(s, n, "P"),
    "X": lambda s, n: _cells(s, n, "X"),
    "S": lambda s, n: s.scroll(*s.margins(), min(n[0] or 1, s.height)),
    "T": lambda s, n: s.scroll(*s.margins(), -min(n[0] or 1, s.height)),
    "r": _set_region,
    "s": lambda s, n: s.escape("7"),
    "u": lambda s, n: s.escape("8"),
}
