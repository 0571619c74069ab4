"""Lines are recognised at Enter as the screen shows them; nothing in full-screen programs, nothing that is not shown."""

from __future__ import annotations

import time

import pytest

from tests.tasks.guard.things import PROMPT, Desk, EchoShell

FULL, BACK = b"\x1b[?1049h\x1b[H\x1b[2J", b"\x1b[?1049l"
EDITOR, BARE = b"\x1b[?2004h", b"\x1b[?2004l"


@pytest.fixture
def desk() -> Desk:
    return Desk(EchoShell())


def test_a_line_is_recognised_at_enter(desk: Desk) -> None:
    for key in b"uname -a":
        desk.types(bytes([key]), after=0.05)
    assert desk.entered == []
    desk.types(b"\r")
    assert desk.entered == [("uname -a", "passed")]
    assert desk.sent == b"uname -a\r"


def test_what_was_erased_is_no_part_of_it(desk: Desk) -> None:
    desk.types(b"unamex\x7f -a")
    desk.types(b"\r")
    desk.types(b"nothing at all\x15date\r")
    assert desk.texts == ["uname -a", "date"]


def test_an_empty_line_is_none(desk: Desk) -> None:
    desk.types(b"\r")
    desk.types(b"   \r")
    assert desk.entered == []
    assert desk.sent == b"\r   \r"


def test_lines_that_are_pasted_are_so_many_commands(desk: Desk) -> None:
    desk.types(b"cd /tmp\rls -la\rpwd\r")
    assert desk.texts == ["cd /tmp", "ls -la", "pwd"]
    assert desk.sent == b"cd /tmp\rls -la\rpwd\r"


def test_a_pasted_text_for_a_program_does_not_wait_for_prompts(desk: Desk) -> None:
    assert desk.shell is not None
    desk.types(b"ls\r")
    desk.shell.prompt = b""
    began = desk.now
    desk.types(b"cat > x\r" + b"a line\r" * 50, after=0)
    while len(desk.shell.lines) < 52:
        desk.passes(0.01)
    assert desk.now - began < 1
    assert desk.texts == ["ls", "cat > x"] + ["a line"] * 50


def test_a_paste_in_brackets_is_one_command_with_its_lines(desk: Desk) -> None:
    desk.says(EDITOR)
    desk.types(b"\x1b[200~echo 1\recho 2")
    desk.types(b"\r\necho 3\x1b[20")
    desk.types(b"1~")
    assert desk.entered == []
    desk.says(b"echo 1\r\necho 2\r\necho 3")
    desk.types(b"\r")
    assert desk.texts == ["echo 1\necho 2\necho 3"]


def test_brackets_that_nobody_asked_for_hide_no_enter(desk: Desk) -> None:
    desk.says(EDITOR + BARE)
    desk.types(b"\x1b[200~")
    desk.passes(1)
    desk.types(b"refuse-me now\r")
    desk.passes(5)
    assert [verdict for _text, verdict in desk.entered] == ["refused"]
    assert desk.shell is not None
    assert desk.shell.lines == []


def test_an_interrupt_ends_a_paste_that_has_no_end(desk: Desk) -> None:
    desk.says(EDITOR)
    desk.types(b"\x1b[200~abc\rde\x03")
    desk.types(b"refuse-me\r")
    desk.passes(1)
    assert desk.entered == [("refuse-me", "refused")]


def test_what_is_not_shown_is_no_command(desk: Desk) -> None:
    assert desk.shell is not None
    desk.says(b"\r\n[sudo] password for root: ")
    desk.shell.echo = False
    desk.types(b"hunter2")
    desk.types(b"\r")
    assert desk.sent == b"hunter2"
    desk.passes(0.3)
    assert desk.sent == b"hunter2\r"
    assert desk.entered == []


def test_stars_are_no_command() -> None:
    desk = Desk()
    desk.says(b"Password: ")
    for key in b"secret":
        desk.types(bytes([key]))
        desk.says(b"*")
    desk.types(b"\r")
    desk.passes(1)
    assert desk.sent == b"secret\r"
    assert desk.entered == []


def test_lines_behind_one_that_is_not_shown_wait_hardly(desk: Desk) -> None:
    assert desk.shell is not None
    desk.shell.echo, desk.shell.prompt = False, b""
    desk.types(b"".join(b"line %d\r" % number for number in range(20)))
    desk.passes(2)
    assert len(desk.shell.lines) == 20
    assert desk.entered == []


def test_a_host_that_is_late_is_given_more_time() -> None:
    desk = Desk()
    desk.says(PROMPT)
    desk.types(b"l", after=1)
    desk.passes(0.4)
    desk.says(b"l")
    desk.types(b"s\r", after=1)
    desk.passes(0.8)
    desk.says(b"s")
    assert desk.texts == ["ls"]


def test_nothing_is_recognised_in_a_full_screen_program(desk: Desk) -> None:
    desk.types(b"vi x\r")
    desk.says(FULL[:5])
    desk.says(FULL[5:])
    desk.types(b":!refuse-me\r")
    assert desk.texts == ["vi x"]
    assert desk.sent.endswith(b":!refuse-me\r")
    desk.says(BACK + b"\r\n" + PROMPT)
    desk.types(b"ls\r")
    assert desk.texts == ["vi x", "ls"]


def test_the_whole_of_a_long_line_is_kept(desk: Desk) -> None:
    long = "echo " + " ".join(f"word{number}" for number in range(900))
    desk.types(long.encode())
    desk.types(b"\r")
    assert desk.texts == [long]


def test_a_long_line_that_is_drawn_again_is_read_whole() -> None:
    desk = Desk(columns=40, rows=6)
    desk.says(PROMPT)
    desk.types(b"\x1b[A")
    long = "echo " + " ".join(f"word{number}" for number in range(200))
    desk.says(long.encode())
    desk.types(b"\r")
    assert desk.texts == [long]


def test_wide_characters_at_the_margin_do_not_disturb() -> None:
    desk = Desk(columns=20)
    desk.says(PROMPT)
    desk.types(b"\x1b[A")
    desk.says("echo 中文字符宽度测试 end".encode())
    desk.says(b"\b\b\b\x1b[3P")
    desk.types(b"\r")
    assert desk.texts == ["echo 中文字符宽度测试"]


def test_answers_of_the_emulator_begin_no_line(desk: Desk) -> None:
    desk.types(b"\x1b[?1;2c\x1b[I\x1b[12;40R")
    desk.types(b"ls\r")
    assert desk.texts == ["ls"]
    assert desk.sent.startswith(b"\x1b[?1;2c\x1b[I")


def test_another_size_is_followed(desk: Desk) -> None:
    desk.watcher.resize(30, 10)
    desk.types(b"echo " + b"a" * 100)
    desk.types(b"\r")
    assert desk.texts == ["echo " + "a" * 100]


def test_much_output_costs_little(desk: Desk) -> None:
    line = b"\x1b[32m-rw-r--r--\x1b[0m 1 root root 12345 file.txt\r\n"
    chunk = line * (32_768 // len(line))
    began = time.process_time()
    for _each in range(1000):
        desk.watcher.output(chunk)
    assert time.process_time() - began < 2
    desk.says(PROMPT)
    desk.types(b"ls\r")
    assert desk.texts == ["ls"]
