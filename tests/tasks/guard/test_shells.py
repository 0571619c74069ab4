"""Real shells: bash with its line editor, dash with the terminal's own; and zsh as it was recorded."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tasks.guard.terminal import ShellTerminal
from tests.tasks.guard.things import PROMPT, Desk

HERE = Path(__file__).resolve().parent
# What came of the recorded session, in its order.
ZSH = [
    "echo hi",
    "echo one",
    "echo two",
    "echo three",
    "echo three",
    "echo abc",
    "ls /etc/hostname",
    "echo p1\necho p2",
    "cat >/dev/null",
    "secretline",
    "read -s x",
    "echo 中文 " + "long " * 59 + "long",
    "echo three",
    "reboot now",
    "echo axft",
    "rm -rf x",
    "for i in 1",
    "do echo a; done",
    "for i in 1\ndo echo a; done",
]


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[ShellTerminal]:
    with ShellTerminal(["bash", "--norc", "-i"], tmp_path) as terminal:
        yield terminal


@pytest.fixture
def dash(tmp_path: Path) -> Iterator[ShellTerminal]:
    with ShellTerminal(["sh", "-i"], tmp_path) as terminal:
        yield terminal


def test_history_and_search_in_it_give_the_line_that_runs(bash: ShellTerminal) -> None:
    bash.types(b"echo one\r", shows=PROMPT)
    bash.types(b"echo two\r", shows=PROMPT)
    bash.types(b"\x1b[A\x1b[A", shows=b"one")
    bash.types(b"\r", shows=PROMPT)
    bash.types(b"\x12tw")
    bash.draws("tw': echo two")
    bash.types(b"\r", shows=PROMPT)
    assert bash.texts == ["echo one", "echo two", "echo one", "echo two"]


def test_keys_at_once_give_the_line_that_runs(bash: ShellTerminal) -> None:
    bash.types(b"echo one\r", shows=PROMPT)
    bash.types(b"\x1b[A two\r", shows=PROMPT)
    assert bash.texts == ["echo one", "echo one two"]


def test_completion_is_part_of_the_line(bash: ShellTerminal, tmp_path: Path) -> None:
    (tmp_path / "a-long-name.txt").write_text("x")
    bash.types(b"cat a-lo\t", shows=b"name.txt")
    bash.types(b"\r", shows=PROMPT)
    assert bash.texts == ["cat a-long-name.txt"]


def test_a_list_of_completions_is_no_part_of_the_line(
    bash: ShellTerminal, tmp_path: Path
) -> None:
    for name in ("a-one.txt", "a-two.txt"):
        (tmp_path / name).write_text("x")
    bash.types(b"cat a-\t\t", shows=b"a-two.txt")
    bash.types(b"o\t")
    bash.draws("cat a-one.txt")
    bash.types(b"\r", shows=PROMPT)
    assert bash.texts == ["cat a-one.txt"]


def test_editing_in_the_middle_is_read_off_the_screen(bash: ShellTerminal) -> None:
    bash.types(b"echo wrd\x1b[D\x1b[Do\x01X=1 \x05 end", shows=b"end")
    bash.types(b"\r", shows=PROMPT)
    assert bash.texts == ["X=1 echo word end"]


def test_what_is_read_without_an_echo_is_no_command(bash: ShellTerminal) -> None:
    bash.types(b"read -s x; echo got-${#x}\r")
    bash.hides()
    bash.types(b"hunter2\r", shows=b"got-7")
    assert bash.texts == ["read -s x; echo got-${#x}"]


def test_a_long_line_that_was_recalled_is_whole(bash: ShellTerminal) -> None:
    long = "echo " + "中文 word " * 40 + "end"
    bash.types(f"{long}\r".encode(), shows=PROMPT)
    bash.types(b"\x1b[A", shows=b"end")
    bash.types(b"\r", shows=PROMPT)
    assert bash.texts == [long, long]


def test_a_cleared_screen_loses_nothing(bash: ShellTerminal) -> None:
    bash.types(b"echo be", shows=b"be")
    bash.types(b"\x0c", shows=b"be")
    bash.types(b"fore\x1b[D\x1b[C\r", shows=PROMPT)
    assert bash.texts == ["echo before"]


def test_a_refused_line_does_not_run(bash: ShellTerminal, tmp_path: Path) -> None:
    # Not until its prompt: a bash that is interrupted just before it reads shows that with the next key only.
    bash.types(b"touch refuse-me\r", shows=b"^C\x1b[?2004l")
    assert bash.entered == [("touch refuse-me", "refused")]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("own", [False, True])
def test_what_is_typed_behind_an_interrupt_runs_alone_however_slow_the_way_is(
    bash: ShellTerminal, tmp_path: Path, own: bool
) -> None:
    bash.types(b"touch refuse-me", shows=b"refuse-me")
    bash.is_slow = True
    bash.types(b"\x03" if own else b"\r")
    bash.types(b"touch other\r")
    bash.passes(2.5)
    bash.arrives()
    bash.until((tmp_path / "other").exists)
    told = [("touch other", "passed")]
    assert bash.entered == ([] if own else [("touch refuse-me", "refused")]) + told
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_shell_that_is_interrupted_just_before_it_reads_loses_nothing(
    bash: ShellTerminal, tmp_path: Path
) -> None:
    for number in range(60):
        # At every moment between the first key and the last echo.
        bash.types(b"refuse-me")
        time.sleep(number * 1e-5)
        bash.types(b"\x03")
        bash.types(b"touch %d\r" % number)
        bash.until((tmp_path / str(number)).exists)
        bash.until(lambda: bash.line == PROMPT.decode().rstrip())
    assert bash.texts == [f"touch {number}" for number in range(60)]


def test_a_pasted_script_runs_line_by_line(dash: ShellTerminal) -> None:
    script = b"".join(b"echo line-%d\r" % number for number in range(50))
    dash.types(script)
    dash.until(lambda: len(dash.texts) == 50)
    assert dash.texts == [f"echo line-{number}" for number in range(50)]


def test_a_shell_without_a_line_editor_is_guarded(
    dash: ShellTerminal, tmp_path: Path
) -> None:
    dash.types(b"touch refuse-me\r")
    # The line is away when only the prompt stands there.
    dash.until(lambda: bool(dash.texts) and dash.line == PROMPT.decode().rstrip())
    dash.types(b"touch oth\x7fher\r")
    dash.until((tmp_path / "other").exists)
    assert dash.entered == [("touch refuse-me", "refused"), ("touch other", "passed")]
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_what_is_typed_ahead_is_recognised(dash: ShellTerminal, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    dash.types(b"cat gate\r")
    dash.until(lambda: dash.texts == ["cat gate"])
    dash.types(b"echo ahead\r", shows=b"ahead\r\n")
    assert PROMPT not in dash.printed
    (tmp_path / "gate").write_text("")
    dash.shows(PROMPT + b"ahead")
    assert dash.texts == ["cat gate", "echo ahead"]


def test_zsh_with_a_right_prompt_is_read() -> None:
    desk = Desk()
    began = desk.now
    for at, kind, text in json.loads((HERE / "zsh.json").read_text()):
        desk.passes(max(began + at - desk.now, 0))
        data = text.encode("latin1")
        if kind == "o":
            desk.says(data)
        else:
            desk.types(data, after=0)
    desk.passes(1)
    assert desk.texts == ZSH
