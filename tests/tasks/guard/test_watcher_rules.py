"""What a rule refuses or asks about does not reach the host; everything else does, and at once."""

from __future__ import annotations

import pytest

from tasks.guard.shell_lines import commands_of
from tasks.guard.verdicts import Judgement
from tests.tasks.guard.things import PROMPT, Desk, EchoShell, judge

EDITOR = b"\x1b[?2004h"


@pytest.fixture
def desk() -> Desk:
    return Desk(EchoShell())


def test_a_line_waits_for_its_echo() -> None:
    desk = Desk()
    desk.says(PROMPT)
    desk.types(b"refuse-me\r")
    assert desk.sent == b"refuse-me"
    # Much later than any other line would be given.
    desk.passes(2)
    desk.says(b"refuse-me")
    assert desk.entered == [("refuse-me", "refused")]
    assert b"\r" not in desk.sent


def test_what_a_rule_refuses_does_not_go_and_neither_does_what_stands_behind(
    desk: Desk,
) -> None:
    desk.types(b"echo a\rrefuse-me\recho b\r")
    assert desk.entered == [("echo a", "passed"), ("refuse-me", "refused")]
    assert desk.sent == b"echo a\rrefuse-me\x05\x15"
    assert desk.dropped == len(b"echo b\r")
    desk.types(b"echo c\r")
    assert desk.texts[-1] == "echo c"


def test_a_line_editor_is_interrupted(desk: Desk) -> None:
    desk.says(EDITOR)
    desk.types(b"refuse-me\r")
    assert desk.sent.endswith(b"refuse-me\x03")


def _refused_at_an_editor() -> Desk:
    desk = Desk()
    desk.says(EDITOR + PROMPT)
    desk.types(b"refuse-me")
    desk.says(b"refuse-me")
    desk.types(b"\r")
    assert desk.sent == b"refuse-me\x03"
    return desk


def test_what_is_typed_behind_an_interrupt_waits_for_the_line_editor() -> None:
    desk = _refused_at_an_editor()
    # However late the host is: it may read what comes now into the line that goes.
    desk.types(b"ls\r", after=20)
    desk.says(b"^C\x1b[?2004l")
    desk.passes(4)
    assert desk.sent == b"refuse-me\x03"
    desk.says(b"\r" + EDITOR + b"\x1b[?2004l\r\r\n" + EDITOR + PROMPT)
    desk.passes(0.1)
    assert desk.sent == b"refuse-me\x03"
    desk.passes(0.1)
    desk.says(b"ls")
    assert desk.sent == b"refuse-me\x03ls\r"
    assert desk.entered == [("refuse-me", "refused"), ("ls", "passed")]
    assert desk.dropped == 0


def test_a_line_editor_that_only_shows_an_interrupt_gets_one_more() -> None:
    desk = _refused_at_an_editor()
    desk.types(b"ls\r")
    desk.says(b"^C\x1b[?2004l\r" + EDITOR)
    desk.passes(0.5)
    assert desk.sent == b"refuse-me\x03\x03"
    desk.passes(10)
    desk.says(b"^C\x1b[?2004l\r" + EDITOR + b"\x1b[?2004l\r\r\n" + EDITOR + PROMPT)
    desk.passes(0.6)
    desk.says(b"ls")
    assert desk.sent == b"refuse-me\x03\x03ls\r"
    assert desk.entered == [("refuse-me", "refused"), ("ls", "passed")]


def test_a_line_editor_that_never_ends_its_line_keeps_nobody_for_ever() -> None:
    desk = _refused_at_an_editor()
    desk.types(b"ls")
    for _each in range(8):
        desk.says(b"^C")
        desk.passes(1)
    desk.passes(31)
    assert desk.sent == b"refuse-me" + b"\x03" * 5 + b"ls"


def test_an_own_interrupt_is_waited_for_as_well() -> None:
    desk = Desk()
    desk.says(EDITOR + PROMPT)
    desk.types(b"xrefuse-me")
    desk.says(b"xrefuse-me")
    # In one moment bash would run the line that goes without its first character.
    desk.types(b"\x03; true\r")
    desk.passes(1)
    assert desk.sent == b"xrefuse-me\x03"
    desk.says(b"^C\x1b[?2004l\r\r\n" + EDITOR + PROMPT)
    desk.passes(0.2)
    desk.says(b"; true")
    assert desk.sent == b"xrefuse-me\x03; true\r"
    assert desk.texts == ["; true"]


def test_a_warning_and_a_notice_let_it_pass(desk: Desk) -> None:
    desk.types(b"warn-me\r")
    desk.types(b"notify-me\r")
    assert desk.entered == [("warn-me", "warned"), ("notify-me", "passed")]


@pytest.mark.parametrize("yes", [True, False])
def test_what_is_asked_about_waits_for_the_answer(desk: Desk, yes: bool) -> None:
    desk.types(b"confirm-me\r")
    assert desk.watcher.held is not None
    assert desk.watcher.held.words == "This is confirm."
    desk.types(b"echo next\r")
    desk.passes(1000)
    assert desk.sent == b"confirm-me"
    desk.release(yes)
    assert desk.watcher.held is None
    if yes:
        assert desk.entered == [("confirm-me", "confirmed"), ("echo next", "passed")]
        assert desk.sent == b"confirm-me\recho next\r"
    else:
        assert desk.entered == [("confirm-me", "declined")]
        assert desk.sent == b"confirm-me\x05\x15"
    desk.release(True)
    assert desk.sent.count(b"confirm-me") == 1


def test_not_more_than_64_kib_wait_for_an_answer(desk: Desk) -> None:
    desk.types(b"confirm-me\r")
    desk.types(b"x" * 70_000)
    assert desk.dropped == 70_000 - 65_536


def test_an_interrupt_is_an_answer(desk: Desk) -> None:
    desk.types(b"confirm-me\r")
    desk.types(b"abc\x03")
    assert desk.watcher.held is None
    assert desk.entered == [("confirm-me", "declined")]
    assert desk.sent == b"confirm-me\x03"


def test_an_interrupt_goes_at_once_while_much_is_printed(desk: Desk) -> None:
    desk.types(b"yes\r")
    for _each in range(100):
        desk.says(b"y\r\n" * 10_000)
    desk.types(b"\x03")
    assert desk.sent == b"yes\r\x03"


def test_a_dangerous_line_that_is_typed_into_a_flood_does_not_pass() -> None:
    desk = Desk()
    desk.says(PROMPT)
    desk.types(b"refuse-me\r")
    for _each in range(50):
        desk.says(b"y\r\n" * 1000)
    desk.passes(5)
    assert desk.entered == [("refuse-me", "refused")]


def test_a_recalled_line_is_judged_with_what_stood_before_it(desk: Desk) -> None:
    desk.types(b"warn-me\r")
    desk.types(b"sudo !!\r")
    assert desk.entered[-1] == ("sudo !!", "warned")


def test_a_line_that_the_shell_put_there_is_judged() -> None:
    desk = Desk()
    desk.says(PROMPT)
    desk.types(b"echo a")
    desk.says(b"echo a")
    desk.types(b"\x0f")
    desk.says(b"\r\na\r\n" + PROMPT + b"refuse-me")
    desk.types(b"\r")
    assert desk.entered == [("echo a", "passed"), ("refuse-me", "refused")]


def test_a_line_that_goes_on_is_judged_whole() -> None:
    def both(line: str) -> Judgement:
        whole = "rm -rf" in line and line.endswith("/")
        return judge("refuse-me" if whole else "")

    shell = EchoShell()
    desk = Desk(shell, judged_by=both)
    shell.prompt = b"> "
    desk.types(b"rm -rf \\\r")
    desk.types(b"/\r")
    assert desk.entered == [("rm -rf \\", "passed"), ("/", "refused")]


def test_a_quote_in_a_text_hides_no_command_behind_it() -> None:
    def by_command(line: str) -> Judgement:
        seen = "refuse-me" in [command.text for command in commands_of(line)]
        return judge("refuse-me" if seen else "")

    shell = EchoShell()
    desk = Desk(shell, judged_by=by_command)
    shell.prompt = b""
    desk.types(b"cat\r")
    desk.types(b"don't\r")
    shell.prompt = PROMPT
    desk.says(b"\r\n" + PROMPT)
    desk.types(b"refuse-me\r")
    assert desk.entered[-1] == ("refuse-me", "refused")


def test_what_was_asked_about_is_not_asked_about_again_in_the_next_line() -> None:
    shell = EchoShell()
    desk = Desk(shell)
    shell.prompt = b"> "
    desk.types(b"confirm-me 'abc\r")
    desk.release(True)
    desk.types(b"def'\r")
    assert desk.entered == [("confirm-me 'abc", "confirmed"), ("def'", "passed")]


def test_what_is_typed_ahead_with_a_prompt_in_its_midst_is_seen() -> None:
    desk = Desk()
    desk.says(PROMPT)
    desk.types(b"ls\r")
    desk.says(b"ls")
    desk.types(b"refuse-me\r", after=0)
    desk.says(b"\r\nrefu" + PROMPT + b"se-me")
    assert desk.entered == [("ls", "passed"), ("refuse-me", "refused")]


def test_a_dangerous_line_that_is_typed_ahead_does_not_pass_unseen() -> None:
    desk = Desk()
    desk.says(PROMPT)
    desk.types(b"ls\r")
    desk.says(b"ls")
    desk.types(b"refuse-me\r", after=0)
    desk.says(b"\r\nrefu")
    desk.says(b"some output\r\nse-me\r\n")
    desk.passes(5)
    assert desk.entered == [("ls", "passed"), ("refuse-me", "refused")]
