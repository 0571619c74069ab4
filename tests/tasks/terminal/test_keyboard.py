"""What is typed, before it reaches a shell: order, limits, the lock, what counts as somebody typing; and the clock."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from tasks.guard.verdicts import Entered, Held, Judgement
from tasks.guard.watcher import Watcher
from tasks.terminal import keyboard
from tasks.terminal.keyboard import MOST_WAITING, SETTLE_SECONDS, Keyboard
from tasks.terminal.limits import Limits


class Shell:
    """Takes as much as it is told to."""

    def __init__(self) -> None:
        self.room = 10**9
        self.taken = b""

    def write(self, data: bytes) -> int:
        part = data[: self.room]
        self.taken += part
        self.room -= len(part)
        return len(part)


class Ears:
    """Remembers what the guard says."""

    def __init__(self) -> None:
        self.lost = 0

    def entered(self, command: Entered, by: str) -> None:
        """Nobody asks here."""

    def held(self, held: Held | None) -> None:
        """Nor here."""

    def dropped(self, count: int) -> None:
        self.lost += count


@pytest.fixture
def board() -> Keyboard:
    return Keyboard(Watcher(80, 24, lambda _line: Judgement()), Ears())


def work(board: Keyboard, shell: Shell) -> None:
    while board.work(shell):  # type: ignore[arg-type]
        pass


def test_what_several_type_goes_in_the_order_in_which_it_came(board: Keyboard) -> None:
    shell = Shell()
    for by, data in (("one", b"ab"), ("two", b"cd"), ("one", b"ef")):
        board.press(by, data)
    work(board, shell)
    assert shell.taken == b"abcdef"
    assert board.count == 6


def test_what_the_shell_does_not_take_waits_and_says_when_it_is_too_much(
    board: Keyboard,
) -> None:
    shell = Shell()
    shell.room = 10
    text = bytes(range(65, 91)) * 4000
    for at in range(0, len(text), 1000):
        board.press("one", text[at : at + 1000])
    work(board, shell)
    assert not board.full
    board.press("one", b"x" * MOST_WAITING)
    assert board.full
    shell.room = 10**9
    work(board, shell)
    assert not board.full
    assert shell.taken == text + b"x" * MOST_WAITING


def test_a_locked_keyboard_takes_nothing_and_drops_what_waited(board: Keyboard) -> None:
    shell = Shell()
    board.press("one", b"before")
    board.lock("chief")
    board.press("one", b"during")
    work(board, shell)
    board.lock("")
    board.press("one", b"after")
    work(board, shell)
    assert shell.taken == b"after"


def test_what_nobody_reads_is_dropped_and_told(board: Keyboard) -> None:
    shell = Shell()
    shell.room = 0
    board.press("one", b"x" * 1000)
    work(board, shell)
    board.discard()
    ears: Any = board._hears
    assert ears.lost == 1000
    shell.room = 10
    work(board, shell)
    assert shell.taken == b""


def test_single_keys_become_pieces_and_lines_stay_apart(board: Keyboard) -> None:
    shell = Shell()
    for _ in range(5000):
        board.press("one", b"a")
    assert len(board._queue) == 2
    board.press("two", b"bb")
    board.press("two", b"\x03")
    board.press("two", b"c")
    assert len(board._queue) == 5
    assert not board.full
    board.discard()
    for _ in range(1100):
        board.press("one", b"\n")
    assert board.full
    board.discard()
    ears: Any = board._hears
    assert ears.lost == 5004 + 1100
    work(board, shell)
    assert shell.taken == b""


def test_a_lock_stops_the_enter_that_waits_for_its_echo(board: Keyboard) -> None:
    shell = Shell()
    watcher: Any = board._watcher
    board.press("one", b"ls\r")
    work(board, shell)
    assert shell.taken == b"ls"
    assert watcher.due is not None
    board.lock("chief")
    assert watcher.due is None
    work(board, shell)
    assert shell.taken == b"ls"


def test_a_lock_takes_a_line_away_that_waits_for_an_answer() -> None:
    judged = Judgement("confirm", words="Sure?")
    watcher: Any = Watcher(80, 24, lambda _line: judged)
    board, shell = Keyboard(watcher, Ears()), Shell()
    board.shown(b"$ ")
    board.press("one", b"ls")
    work(board, shell)
    board.shown(b"ls")
    board.press("one", b"\r")
    work(board, shell)
    assert watcher.held is not None
    board.lock("chief")
    assert watcher.held is None
    work(board, shell)
    assert shell.taken.startswith(b"ls")
    assert b"\r" not in shell.taken


def _refused(
    monkeypatch: pytest.MonkeyPatch, prompt: bytes = b"$ "
) -> tuple[Any, Keyboard, Shell]:
    """Type a line that is refused, by a clock that stands still."""
    clock = SimpleNamespace(now=100.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(keyboard, "time", clock)
    judged = Judgement("refuse", words="No.")
    watcher = Watcher(80, 24, lambda _line: judged, clock.monotonic)
    board, shell = Keyboard(watcher, Ears()), Shell()
    board.shown(prompt)
    board.press("one", b"ls")
    work(board, shell)
    board.shown(b"ls")
    board.press("one", b"\r")
    work(board, shell)
    return clock, board, shell


def test_behind_a_line_that_was_taken_away_typing_waits_until_the_host_is_quiet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, board, shell = _refused(monkeypatch)
    taken = shell.taken
    board.press("one", b"x")
    clock.now += 1.0
    work(board, shell)
    board.shown(b"^C\r\n$ ")
    clock.now += SETTLE_SECONDS / 2
    work(board, shell)
    assert shell.taken == taken
    clock.now += SETTLE_SECONDS
    work(board, shell)
    assert shell.taken == taken + b"x"


def test_a_line_that_comes_back_behind_the_prompt_is_taken_away_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, board, shell = _refused(monkeypatch)
    away = shell.taken.removeprefix(b"ls")
    board.press("one", b"x")
    board.shown(b"\r\n$ ls")
    clock.now += 2 * SETTLE_SECONDS
    work(board, shell)
    assert shell.taken == b"ls" + away + away
    board.shown(b"\r\n$ ")
    clock.now += 2 * SETTLE_SECONDS
    work(board, shell)
    assert shell.taken == b"ls" + away + away + b"x"


def test_a_host_that_says_nothing_is_not_interrupted_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, board, shell = _refused(monkeypatch, b"\x1b[?2004h$ ")
    board.press("one", b"x")
    for _each in range(20):
        clock.now += 1.0
        work(board, shell)
    assert shell.taken == b"ls\x03"
    board.shown(b"^C\x1b[?2004l\r\n\x1b[?2004h$ ")
    clock.now += 2 * SETTLE_SECONDS
    work(board, shell)
    assert shell.taken == b"ls\x03x"


@pytest.mark.parametrize(
    "answer",
    [b"\x1b[?1;2c", b"\x1b[24;80R", b"\x1b[0n", b"\x1b[I", b"\x1b[O\x1b[>0;276;0c"],
)
def test_what_a_terminal_answers_by_itself_is_no_sign_of_anybody(
    board: Keyboard, answer: bytes
) -> None:
    board.last_input = 5.0
    board.press("one", answer)
    assert board.last_input == 5.0
    board.press("one", answer + b"l")
    assert board.last_input > 5.0
    assert board.last_input_at is not None


def test_only_input_counts_as_activity(settings: Any) -> None:
    settings.TERMINAL_IDLE_SECONDS, settings.TERMINAL_LONGEST_SECONDS = 600, 0
    now, limits = time.monotonic(), Limits()
    assert limits.over(now - 599, None) == ""
    assert "Nobody typed for 10 minutes" in limits.over(now - 601, None)
    settings.TERMINAL_IDLE_SECONDS = 0
    assert limits.over(now - 10**6, None) == ""


def test_the_end_is_told_once_a_minute_before_it(settings: Any) -> None:
    settings.TERMINAL_IDLE_SECONDS = 600
    now, limits = time.monotonic(), Limits()
    assert limits.warning(now - 500) == ""
    assert "closes in a minute" in limits.warning(now - 545)
    assert limits.warning(now - 546) == ""
    assert limits.warning(now) == ""
    assert limits.warning(now - 545) != ""


def test_it_ends_after_the_longest_time_and_without_its_page(settings: Any) -> None:
    settings.TERMINAL_LONGEST_SECONDS, settings.TERMINAL_AWAY_SECONDS = 3600, 60
    now = time.monotonic()
    assert "open for 60 minutes" in Limits(began=now - 3601).over(now, None)
    assert Limits().over(now, now - 59) == ""
    assert "page was gone for 60 s" in Limits().over(now, now - 61)
