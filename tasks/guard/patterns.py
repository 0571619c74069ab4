"""Patterns of guard rules: words of a command, `*` for any word, `> file`, `@hidden`, or `/regular expression/`."""

import posixpath
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import re2
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.guard.shell_lines import Simple
from tasks.guard.shell_marks import Word

HIDDEN = "@hidden"
WRITES = (">", ">>", ">|", "&>", "&>>", "<>")
# Options that say the same, by command and letter.
ALIKE = {
    ("rm", "r"): ("R", "recursive"),
    ("rm", "f"): ("force",),
    ("chmod", "R"): ("recursive",),
    ("chown", "R"): ("recursive",),
    ("chgrp", "R"): ("recursive",),
    ("iptables", "F"): ("flush",),
    ("ip6tables", "F"): ("flush",),
    ("crontab", "r"): (),
    ("userdel", "r"): ("remove",),
}
MOST_MEMORY = 1 << 20
SHORTEST_LONG = 3


@dataclass(frozen=True)
class Pattern:
    """One line of a rule.

    Attributes:
        name: glob of the command's name; "" for a redirection alone. options: as they are written (-r, --force).
        words: globs of the other words, in their order. target: glob of a file that is written.
        regex: instead of all that. plain: the name is one, and no glob or path.
    """

    text: str
    name: str = ""
    options: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    target: str = ""
    regex: Any = None
    plain: bool = False

    def fits(self, command: Simple) -> bool:
        """Say whether a command is one of those that are meant."""
        if self.text == HIDDEN:
            return command.hidden
        if self.regex is not None:
            return bool(self.regex.search(command.text))
        if self.plain and command.plain_name not in (self.name, None):
            return False
        if self.target and not any(
            operator in WRITES and _is(self.target, word)
            for operator, word in command.redirects
        ):
            return False
        if not self.name:
            return bool(self.target)
        if not command.words or not _is_name(self.name, command.words[0]):
            return False
        rest = command.words[1:]
        given = [word for word in rest if _is_option(word)]
        plain = [word for word in rest if not _is_option(word)]
        return self._has_options(given) and _in_order(self.words, plain)

    def fits_line(self, line: str) -> bool:
        """Say whether a regular expression is found in the whole line."""
        return self.regex is not None and bool(self.regex.search(line))

    def _has_options(self, given: Sequence[Word]) -> bool:
        texts = [word.text for word in given]
        longs = [text.partition("=")[0] for text in texts if text.startswith("--")]
        letters = {
            letter for text in texts if not text.startswith("--") for letter in text[1:]
        }
        return all(
            option in texts
            or option in longs
            or self._has_option(option, letters, longs)
            for option in self.options
        )

    def _has_option(self, option: str, letters: set[str], longs: list[str]) -> bool:
        if option.startswith("--"):
            return any(_begins(long, option[2:]) for long in longs)
        return all(self._has_letter(letter, letters, longs) for letter in option[1:])

    def _has_letter(self, letter: str, letters: set[str], longs: list[str]) -> bool:
        others = ALIKE.get((self.name, letter), ())
        return letter in letters or any(
            other in letters or any(_begins(long, other) for long in longs)
            for other in others
        )


def _begins(long: str, whole: str) -> bool:
    """Say whether a long option is the whole one or a beginning of it (--recurs)."""
    given = long[2:]
    return len(given) >= SHORTEST_LONG and whole.startswith(given)


def _is_option(word: Word) -> bool:
    return word.text.startswith("-") and len(word.text) > 1


def _in_order(wanted: Sequence[str], words: Sequence[Word]) -> bool:
    """Say whether the wanted words are there in this order, with others between them or not."""
    rest = iter(words)
    return all(any(_is(glob, word) for word in rest) for glob in wanted)


def _is_name(glob: str, word: Word) -> bool:
    text = word.text if "/" in glob else posixpath.basename(word.text)
    if fnmatchcase(text, glob):
        return True
    # /bin/r? is what the shell makes of it.
    pattern = word.glob
    if pattern is None or any(sign in glob for sign in "*?["):
        return False
    return any(pattern.fullmatch(path) for path in (glob, *_places(glob)))


def _places(name: str) -> list[str]:
    folders = ("/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin")
    return [f"{folder}/{name}" for folder in folders]


def _is(glob: str, word: Word) -> bool:
    """Say whether a word is meant; of a path the plain way to write it counts, and what its stars would find."""
    text = word.text
    if glob == "*":
        return bool(text)
    wanted = _plain_path(glob)
    if fnmatchcase(text, glob) or fnmatchcase(_plain_path(text), wanted):
        return True
    pattern = word.glob
    literal = not any(sign in glob for sign in "*?[")
    return bool(literal and pattern and pattern.fullmatch(wanted))


def _plain_path(text: str) -> str:
    """Write a path without doubled slashes, dots and a slash at its end."""
    if not text.startswith("/"):
        return text.rstrip("/") or text
    return "/" + posixpath.normpath(text).lstrip("/")


def patterns_of(text: str) -> list[Pattern]:
    """Read the patterns of a rule, one a line; lines that begin with # are notes.

    Raises:
        DomainError: says which line cannot be used, and why.
    """
    lines = [line.strip() for line in text.splitlines()]
    return [_pattern(line) for line in lines if line and not line.startswith("#")]


@lru_cache(maxsize=2000)
def _pattern(line: str) -> Pattern:
    if line == HIDDEN:
        return Pattern(line)
    if line.startswith("@"):
        words = _("There is no %(word)s: only %(known)s.")
        raise DomainError(words % {"word": line[:40], "known": HIDDEN})
    if len(line) > 2 and line.startswith("/") and line.endswith("/"):
        return Pattern(line, regex=_regex(line[1:-1]))
    try:
        parts = shlex.split(line)
    except ValueError as error:
        raise DomainError(
            _("A quote is not closed: %(line)s") % {"line": line[:80]}
        ) from error
    return _worded(line, parts)


def _worded(line: str, parts: list[str]) -> Pattern:
    target = ""
    if ">" in parts:
        place = parts.index(">")
        behind, parts = parts[place + 1 :], parts[:place]
        if len(behind) != 1:
            raise DomainError(
                _("One file stands behind >: %(line)s") % {"line": line[:80]}
            )
        target = behind[0]
    if not parts and not target:
        raise DomainError(_("Name a command: %(line)s") % {"line": line[:80]})
    rest = parts[1:]
    options = tuple(part for part in rest if part.startswith("-") and len(part) > 1)
    words = tuple(part for part in rest if part not in options)
    name = parts[0] if parts else ""
    plain = bool(name) and not any(sign in name for sign in "*?[/")
    return Pattern(line, name, options, words, target, plain=plain)


def _regex(pattern: str) -> Any:
    """Compile by RE2, which takes linear time whatever is typed."""
    options = re2.Options()
    options.max_mem = MOST_MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise DomainError(
            _("This is no regular expression of RE2, or too large a one: %(line)s")
            % {"line": pattern[:80]}
        ) from error
