"""Patterns of rules: words in their order, options in any, globs, files that are written, regular expressions."""

from __future__ import annotations

import pytest

from adminset.errors import DomainError
from tasks.guard.judging import Rule, find
from tasks.guard.patterns import patterns_of


def fits(pattern: str, line: str) -> bool:
    """Say whether a line falls under a pattern."""
    rule = Rule("r", "refuse", 2, "", tuple(patterns_of(pattern)))
    return find([rule], line).judgement.action == "refuse"


@pytest.mark.parametrize(
    ("pattern", "line", "expected"),
    [
        ("rm -r /", "rm -rf /", True),
        ("rm -r /", "rm -f /", False),
        ("rm -r /", "rm -r /home", False),
        ("rm -rf /", "rm -r /", False),
        ("rm -rf /", "rm -f / -R", True),
        ("rm --force *", "rm --for x", True),
        ("rm --force *", "rm --fo", False),
        ("systemctl stop *", "systemctl --now stop nginx", True),
        ("systemctl stop *", "systemctl stop", False),
        ("systemctl stop *", "systemctl status stop", False),
        ("systemctl stop ssh*", "systemctl stop nginx sshd.service", True),
        ("mkfs.*", "/sbin/mkfs.ext4 /dev/sdb", True),
        ("mkfs.*", "mkfs", False),
        ("/opt/x/run *", "/opt/x/run a", True),
        ("/opt/x/run *", "run a", False),
        ("> /etc/passwd", "echo x >>/etc/passwd", True),
        ("> /etc/passwd", "cat < /etc/passwd", False),
        ("cat * > /etc/*", "cat a > /etc/x", True),
        ("cat * > /etc/*", "tac a > /etc/x", False),
        ("'two words' x", "'two words' x", True),
        ("/drop +table/", 'psql -c "drop  table x"', True),
        ("@hidden", "$x y", True),
        ("@hidden", "y $x", False),
    ],
)
def test_what_a_pattern_means(pattern: str, line: str, expected: bool) -> None:
    assert fits(pattern, line) is expected


def test_notes_and_empty_lines_are_no_patterns() -> None:
    assert [each.text for each in patterns_of("# a note\n\n  reboot \n")] == ["reboot"]


@pytest.mark.parametrize(
    "text", ["'open", "/(/", "@nothing", "a > b c", ">", "/" + "(a{1000}){1000}" + "/"]
)
def test_what_cannot_be_read_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(DomainError) as refused:
        patterns_of(text)
    assert str(refused.value.message)


def test_a_word_that_only_the_shell_knows_is_asked_about_and_not_refused() -> None:
    rule = Rule("r", "refuse", 2, "", tuple(patterns_of("rm -r /")))
    found = find([rule], "rm -rf $dir/*").judgement
    assert found.action == "confirm"
    assert "is this what you mean" in found.words
    rule = Rule("r", "warn", 2, "", tuple(patterns_of("rm -r /")))
    assert find([rule], "rm -rf $dir/*").judgement.action == "warn"
