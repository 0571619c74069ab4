"""A line is taken apart as a shell would: words, commands, scripts in scripts; whatever is thrown at it ends soon."""

from __future__ import annotations

import time

import pytest

from tasks.guard.shell_lines import commands_of, is_unfinished


def texts(line: str) -> list[str]:
    """Give the commands of a line."""
    return [command.text for command in commands_of(line)]


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("", []),
        ("ls", ["ls"]),
        ("a;b&&c||d|e&f\ng", ["a", "b", "c", "d", "e", "f", "g"]),
        ("echo 'a;b' \"c|d\" e\\;f", ["echo a;b c|d e;f"]),
        ("ls # rm -rf /", ["ls"]),
        ("ls a#b", ["ls a#b"]),
        ("A=1 B=2 env", ["env"]),
        ("cat <in >out 2>&1", ["cat < in > out >& 1"]),
        ("x=a; echo $x ${x} \"$x\" '$x'", ["echo a a a $x"]),
        ("echo {a,b}{1,2}", ["echo a1 a2 b1 b2"]),
        ("echo {1..3} {} {x}", ["echo 1 2 3 {} {x}"]),
        ("echo $'a\\tb\\x41'", ["echo a\tbA"]),
        ("sudo -u bob ls -l", ["sudo -u bob ls -l", "ls -l"]),
        ("sh -c 'a; b'", ["sh -c a; b", "a", "b"]),
        ("echo $(a $(b))", ["echo ", "a ", "b"]),
        ("if a; then b; else c; fi", ["a", "b", "c"]),
        ("echo a | sh", ["echo a", "sh", "a"]),
    ],
)
def test_commands_of_a_line(line: str, commands: list[str]) -> None:
    assert texts(line) == commands


@pytest.mark.parametrize(
    ("line", "unfinished"),
    [
        ("ls", False),
        ("ls \\", True),
        ("echo 'a", True),
        ('echo "a', True),
        ("echo $(a", True),
        ("a |", True),
        ("a &&", True),
        ("a &", False),
        ("a;", False),
        ("echo 'a\nb'", False),
    ],
)
def test_what_goes_on(line: str, unfinished: bool) -> None:
    assert is_unfinished(line) is unfinished


def test_scripts_in_scripts_end_somewhere_and_are_hidden_there() -> None:
    found = commands_of("sudo " * 50 + "rm -rf /")
    assert any(command.hidden for command in found)
    found = commands_of("eval " * 50 + "rm -rf /")
    assert any(command.hidden for command in found)


@pytest.mark.parametrize(
    "line",
    [
        "{a,b}" * 60,
        "$(" * 5000,
        "`" * 5001,
        "'" * 5001,
        '"$(' * 2000,
        "((((" * 2000,
        "a;" * 20_000,
        "a|" * 5000,
        "sudo " * 5000,
        "x=$x$x;" * 3000,
        "x=aa; " + "x=$x$x;" * 40,
        "\\" * 5001,
        "${x:-" * 3000,
        "echo " * 5000 + "| sh",
        "<<< " * 5000,
        "\ue000\ue001\ue002rm\ue004",
        "\x00\x01\x1b[31m\u202e",
        "[" * 3000 + "*" * 50,
    ],
    ids=lambda line: repr(line[:12]),
)
def test_hostile_lines_end_soon(line: str) -> None:
    began = time.process_time()
    for command in commands_of(line):
        _ = command.text, command.certain.text
        _ = [word.glob for word in command.words[:100]]
    is_unfinished(line)
    assert time.process_time() - began < 2
