"""The model of the screen shows what a terminal would, and survives whatever a host prints."""

from __future__ import annotations

import random
import time

import pytest

from tasks.guard.screen import MOST_ROWS, Screen
from tasks.guard.tape import Tape
from tests.tasks.guard.things import PROMPT, Desk, EchoShell

WIDEST, HIGHEST = 90, 30


def drawn(data: bytes, columns: int = 10, rows: int = 4) -> Screen:
    """Draw some output."""
    screen = Screen(columns, rows)
    screen.feed(data)
    return screen


def shown(screen: Screen) -> list[str]:
    """Give the rows that show."""
    rows = screen.rows[screen.top : screen.top + screen.height]
    return [row.text().rstrip() for row in rows]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"ab\r\ncd", ["ab", "cd"]),
        (b"abc\rX", ["Xbc"]),
        (b"abc\b\bX", ["aXc"]),
        (b"a\tb", ["a       b"]),
        (b"0123456789ab", ["0123456789", "ab"]),
        (b"0123456789\rX", ["X123456789"]),
        (b"abc\x1b[2DX", ["aXc"]),
        (b"abc\x1b[1GX", ["Xbc"]),
        (b"abcd\r\x1b[2P", ["cd"]),
        (b"abcd\r\x1b[2@", ["  abcd"]),
        (b"abcd\r\x1b[4hX\x1b[4lY", ["XYbcd"]),
        (b"abcd\x1b[2D\x1b[K", ["ab"]),
        (b"abcd\x1b[2D\x1b[1K", ["   d"]),
        (b"abcd\x1b[2K", [""]),
        (b"abcd\r\x1b[2X", ["  cd"]),
        (b"a\r\nb\r\nc\x1b[H\x1b[2J", ["", "", ""]),
        (b"a\r\nb\r\nc\x1b[2;1H\x1b[J", ["a", "", ""]),
        (b"a\r\nb\r\nc\r\nd\r\ne", ["b", "c", "d", "e"]),
        (b"a\r\nb\r\nc\x1b[2A\x1b[L", ["", "a", "b", "c"][:4]),
        (b"a\r\nb\r\nc\x1b[2A\x1b[M", ["b", "c", "", ""]),
        (b"a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[3;1H\nX", ["a", "c", "X", "d"]),
        (b"ab\x1b7\r\ncd\x1b8X", ["abX", "cd"]),
        (b"\x1b[31mred\x1b[0m", ["red"]),
        (b"\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", ["ab"]),
        (b"\x1bPq#0\x1b\\a\x1b(Bb\x1b=c", ["abc"]),
        (b"\x1b[?25la\x1b[>4;2mb\x1b[38:2::1:2:3mc", ["abc"]),
        ("中文a\b\b\bX".encode(), ["中X a"]),
        ("012345678中".encode(), ["012345678", "中"]),
        ("e\u0301x".encode(), ["e\u0301x"]),
        (b"a\x1bcb", ["b"]),
    ],
)
def test_what_a_terminal_would_show(data: bytes, rows: list[str]) -> None:
    expected = rows + [""] * (4 - len(rows))
    whole = shown(drawn(data))
    assert (whole + [""] * 4)[:4] == expected
    # The same, byte by byte.
    screen = Screen(10, 4)
    for byte in data:
        screen.feed(bytes([byte]))
    assert shown(screen) == whole


def test_a_line_is_given_whole_over_its_rows() -> None:
    screen = drawn(b"first\r\n" + b"x" * 25 + b"\x1b[A")
    assert screen.line() == "x" * 25
    assert screen.between((0, 0), 1) == "first\n" + "x" * 10


def stands(screen: Screen) -> bool:
    """Say whether the cursor is in a row that there is, and no more rows are kept than should be."""
    in_a_row = 0 <= screen.y < len(screen.rows) and 0 <= screen.x <= WIDEST
    return in_a_row and screen.top >= 0 and len(screen.rows) <= MOST_ROWS + 2 * HIGHEST


@pytest.mark.parametrize("seed", range(20))
def test_nothing_that_a_host_prints_breaks_it(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test
    parts = [b"\x1b[", b"\x1b]", b"\x1b", b";", b"999999", b"?", b"H", b"A", b"r"]
    parts += [b"L", b"M", b"J", b"P", b"@", b"S", b"T", b"\r", b"\n", b"\b", b"\t"]
    parts += [b"text", "中".encode(), b"\xff", b"\x00", b"0", b"1;2", b"h", b"X", b"u"]
    data = b"".join(chance.choice(parts) for _each in range(5000))
    desk = Desk(EchoShell(), columns=chance.choice([1, 2, 10, 80]), rows=3)
    for begin in range(0, len(data), 37):
        desk.says(data[begin : begin + 37])
        desk.types(b"x\x1b[A\r"[begin % 5 :])
        desk.watcher.resize(chance.randint(1, WIDEST), chance.randint(1, HIGHEST))
        assert stands(desk.watcher._tape.screen)


def test_a_sequence_without_an_end_does_not_grow() -> None:
    screen = Screen(80, 24)
    for _each in range(100):
        screen.feed(b"\x1b]0;" + b"x" * 10_000)
    screen.feed(b"\x07ok")
    assert screen.line().endswith("ok")


def test_not_more_is_kept_than_a_line_needs() -> None:
    desk = Desk(EchoShell())
    for _each in range(50):
        desk.says(b"word " * 20 + b"\r\n" + b"x\r\n" * 3000 + PROMPT)
        desk.types(b"ls\r")
    assert desk.texts == ["ls"] * 50
    tape = desk.watcher._tape
    assert len(tape.screen.rows) <= 24 + 2
    assert tape.waiting < 20_000


def test_modes_are_followed_wherever_they_are_cut() -> None:
    data = b"a\x1b[?1049;2004hb\x1b[?1049lc"
    for cut in range(len(data)):
        tape = Tape(80, 24)
        tape.add(data[:cut])
        tape.add(data[cut:])
        assert (tape.full, tape.paste) == (False, True)
        assert tape.draw().line() == "ac"


def test_a_key_costs_next_to_nothing() -> None:
    desk = Desk(EchoShell())
    began = time.process_time()
    for _each in range(200):
        for key in b"echo some words in a line":
            desk.watcher.typed(bytes([key]))
            desk.watcher.output(bytes([key]))
        desk.types(b"\r")
    assert time.process_time() - began < 2
