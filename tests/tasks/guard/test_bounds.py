"""A line of the worst kind costs the guard a bounded number of steps; what it does not look at counts as hidden."""

from __future__ import annotations

import itertools

import pytest

from tasks.guard.judging import Rule, find
from tasks.guard.keys import first_key
from tasks.guard.line import LONGEST, Line
from tasks.guard.memory import Memory
from tasks.guard.patterns import Pattern, patterns_of
from tasks.guard.shell_budget import MOST_MARKS
from tasks.guard.shell_lines import commands_of
from tasks.guard.shell_marks import Word
from tasks.guard.shell_prints import LONGEST as LONGEST_PRINTED
from tasks.guard.shell_prints import printed_by_pipe
from tasks.guard.shell_quotes import strings_of
from tasks.guard.verdicts import Judgement
from tests.tasks.guard.things import Desk, EchoShell

HIDDEN = Rule("hidden", "refuse", 2, "", tuple(patterns_of("@hidden")))


def is_hidden(line: str) -> bool:
    """Say whether a part of a line counts as hidden."""
    return any(command.hidden for command in commands_of(line))


@pytest.mark.parametrize(
    ("line", "name", "fits"),
    [
        ("/bin/r?", "/bin/rm", True),
        ("/bin/r?", "/bin/r", False),
        ("/b*/[r]m", "/bin/rm", True),
        ("/b*m", "/bin/rm", False),
        ("/bin/[a-s]m", "/bin/rm", True),
        ("/bin/[!a-s]m", "/bin/rm", False),
        ("*", ".x", False),
        ("*", "a.x", True),
        ("a*", "a.x", True),
        (".*", ".x", True),
        ("sh**down", "shutdown", True),
        ("s*t*n", "shutdown", True),
        ("s*t*m", "shutdown", False),
    ],
)
def test_globs_find_what_a_shell_finds(line: str, name: str, fits: bool) -> None:
    glob = Word(commands_of(line)[0].words[0].marks).glob
    assert glob is not None
    assert glob.fullmatch(name) is fits


@pytest.mark.parametrize(
    "line", ["*" * 16 + "z x", "*" * 65_000 + "z", "*?" * 30_000, "*a" * 30, "[a" * 20]
)
def test_stars_in_a_row_take_few_steps(line: str) -> None:
    glob = commands_of(line)[0].words[0].glob
    if glob is None:
        return
    for name in ("shutdown", "/usr/local/bin/shutdown", "a" * 24):
        glob.fullmatch(name)
    assert glob.steps < 3 * 24 * 64


def test_a_quote_that_is_not_closed_is_looked_for_once() -> None:
    assert list(strings_of("a 'b' \"c\\\"d\" `e` ''")) == ["b", 'c\\"d', "e", ""]
    assert list(strings_of('"' + '\\"' * 30_000)) == []
    assert list(strings_of('"' + '\\"' * 30_000 + "'x'")) == ["x"]


def test_values_that_are_put_in_have_an_end() -> None:
    line = f"a={'x' * 4096}; echo " + "$a" * 20_000
    found = commands_of(line)
    assert sum(len(word.marks) for one in found for word in one.words) < 2 * MOST_MARKS
    assert is_hidden(line)
    assert is_hidden("sh -c '" + "$0" * 10_000 + "' " + "x" * 30_000)


def test_a_folder_is_put_before_few_words() -> None:
    line = f"cd /{'x' * 4000}; rm " + "a " * 20_000
    assert is_hidden(line)


def test_braces_make_no_more_than_their_share() -> None:
    found = commands_of("echo {" + "," * 30_000 + "}" + "x" * 30_000)
    assert sum(len(word.marks) for word in found[0].words) <= MOST_MARKS


def test_find_runs_what_stands_behind_exec_once() -> None:
    found = commands_of("find " + "-exec " * 10_000)
    assert sum(len(one.words) for one in found) < 50_000
    texts = [one.text for one in commands_of("find /x -exec a {} \\; -exec b \\;")]
    assert texts[1:] == ["a /x", "b"]


def test_what_is_printed_has_an_end() -> None:
    line = "printf '" + "x" * 30_000 + "%s' " + "a " * 15_000
    printed = printed_by_pipe(commands_of(line)[:1])
    assert printed is not None
    assert len(printed) <= LONGEST_PRINTED
    assert printed_by_pipe(commands_of("printf '%s-%s;' a b c")[:1]) == "a-b;c-;"


def test_a_line_that_is_too_long_is_hidden_behind_its_first_part() -> None:
    line = "echo " + "x" * LONGEST
    assert is_hidden(line)
    assert not is_hidden(line[:LONGEST])


def test_what_there_is_no_time_for_counts_as_hidden() -> None:
    asked = itertools.count()
    line = "echo a;" * 1000
    assert not find([HIDDEN], line).fits
    found = find([HIDDEN], line, lambda: next(asked) / 1000)
    assert found.judgement.action == "refuse"
    assert next(asked) < 200


def test_a_command_of_very_many_words_counts_as_hidden() -> None:
    assert find([HIDDEN], "rm " + "a " * 5000).judgement.action == "refuse"
    assert not find([HIDDEN], "rm " + "a " * 500).fits


def test_a_regular_expression_is_asked_once_about_the_whole_line() -> None:
    asked: list[int] = []

    class Regex:
        def search(self, text: str) -> None:
            asked.append(len(text))

    pattern = Pattern("/x/", regex=Regex())
    line = "rm a;" * 1000
    find([Rule("r", "refuse", 2, "", (pattern,))], line)
    assert asked.count(len(line)) == 1


def test_the_line_before_is_put_in_a_few_times_only() -> None:
    read: list[int] = []

    def judge(line: str) -> Judgement:
        read.append(len(line))
        return Judgement()

    memory = Memory()
    memory.passed("x" * 60_000, None)
    memory.judged(judge, "!!" * 30_000, None)
    assert max(read) == LONGEST + 1
    memory.judged(judge, "sudo !!", None)
    assert read[-1] == 60_005


def test_a_line_without_end_is_not_kept_without_end() -> None:
    line = Line()
    for _each in range(100):
        line.take(first_key(b"x" * 1000))
        line.take_paste(b"y" * 1000)
    assert len(line.text) == LONGEST
    assert not line.exact


@pytest.mark.parametrize("end", [b"\x1b\\", b"\x07"])
@pytest.mark.parametrize("begin", [b"\x1b]x", b"\x1bPx"])
def test_text_in_an_answer_of_the_emulator_makes_the_line_uncertain(
    begin: bytes, end: bytes
) -> None:
    desk = Desk(EchoShell())
    desk.shell = None
    desk.types(begin + b" confirm-me" + end)
    # readline takes two characters of it for keys, and the rest for text.
    desk.says(b" confirm-me")
    desk.types(b"\r")
    desk.passes(5)
    assert desk.watcher.held is not None
    assert b"\r" not in desk.sent
