"""Takes a line apart as a shell does: words, operators, redirections, and the scripts that stand inside of it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tasks.guard.shell_budget import Budget
from tasks.guard.shell_marks import (
    MARK_OF,
    MARKS,
    SPLIT,
    UNKNOWN,
    Word,
    words_of,
)

# Nothing in the library fits: shlex keeps neither which part was quoted nor substitutions; bashlex is not looked after.
OPERATOR = re.compile(r"\|\||\|&|&&|;;&|;;|;&|[;&|()\n]")
REDIRECT = re.compile(r"&>>|&>|<<<|<<-|<<|<>|>>|>\||>&|<&|[<>]")
NAME = re.compile(r"[A-Za-z_]\w*")
ANSI = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|0?([0-7]{1,3})|(.))",
    re.DOTALL,
)
LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "", "b": "", "e": "\x1b", "E": "\x1b"}
# Variables that are always set: what they hold is not empty.
ALWAYS = {"HOME": "/root", "PWD": "/root", "OLDPWD": "/root", "USER": "root"}
ALWAYS |= {"SHELL": "/bin/bash", "PATH": "/usr/bin:/bin", "LOGNAME": "root"}


@dataclass(frozen=True)
class Token:
    """A part of a line: "word", "operator" or "redirect" (whose target is the word behind it)."""

    kind: str
    text: str = ""
    word: Word = field(default=Word(""))


def ansi(text: str) -> str:
    r"""Undo the escapes of $'...', `echo -e` and printf (\x72, \162, \u0072, \n)."""

    def char(found: re.Match[str]) -> str:
        hexes = found.group(1) or found.group(2) or found.group(3)
        if hexes or found.group(4):
            code = int(hexes, 16) if hexes else int(found.group(4), 8)
            return chr(code) if code < 0xD800 else ""
        letter = found.group(5)
        return LETTERS.get(letter, letter)

    return ANSI.sub(char, text)


class Scanner:
    """Scans one text.

    Attributes:
        nested: scripts inside of substitutions, in their order.
        open: a quote or a bracket is not closed, or the line goes on: the shell will ask for more.
    """

    def __init__(
        self,
        text: str,
        variables: Mapping[str, str] | None = None,
        printed_by: Callable[[str], str | None] = lambda script: None,
        budget: Budget | None = None,
    ) -> None:
        self.text = MARKS.sub("", text.replace("\\\n", "").replace("\r\n", "\n"))
        self.variables = dict(variables or {})
        self.nested: list[str] = []
        self.open = False
        # Says what a script prints, where that is known without running it.
        self._printed_by = printed_by
        self._budget = budget or Budget()
        self._at = 0

    def tokens(self) -> Iterator[Token]:
        """Give the parts in their order; variables that are set meanwhile count at once."""
        text = self.text
        while self._at < len(text):
            char = text[self._at]
            operator = OPERATOR.match(text, self._at)
            redirect = REDIRECT.match(text, self._at)
            if char in " \t\r":
                self._at += 1
            elif char == "#":
                end = text.find("\n", self._at)
                self._at = end if end >= 0 else len(text)
            elif redirect and not self._substitutes():
                self._at = redirect.end()
                yield Token("redirect", redirect.group())
            elif operator:
                self._at = operator.end()
                yield Token("operator", operator.group())
            else:
                yield from self._words()

    def _words(self) -> Iterator[Token]:
        begin = self._at
        marks, quoted = self._word()
        ends = self.text[self._at : self._at + 1]
        if ends in ("<", ">") and self.text[begin : self._at].isdigit():
            return  # the number of a file, before its redirection
        for word in words_of(marks, quoted):
            yield Token("word", word=word)

    def _substitutes(self) -> bool:
        return self.text.startswith(("<(", ">("), self._at)

    def _word(self) -> tuple[str, bool]:
        """Scan one word."""
        parts: list[str] = []
        quoted = False
        text = self.text
        while self._at < len(text):
            char = text[self._at]
            if char in "<>" and self._substitutes():
                self._at += 2
                self.nested.append(self._balanced("(", ")"))
                parts.append(UNKNOWN)
            elif char in " \t\r\n;&|()<>":
                break
            elif char in "'\"" or text.startswith(("$'", '$"'), self._at):
                quoted = True
                parts.append(self._quoted())
            else:
                parts.append(self._plain(char))
        return "".join(parts), quoted

    def _plain(self, char: str) -> str:
        self._at += 1
        if char == "\\":
            if self._at >= len(self.text):
                self.open = True
                return ""
            self._at += 1
            return self.text[self._at - 1]
        if char == "$":
            return self._dollar(quoted=False)
        if char == "`":
            return self._backticks(quoted=False)
        return MARK_OF.get(char, char)

    def _quoted(self) -> str:
        dollar = self.text[self._at] == "$"
        self._at += 1 if not dollar else 2
        if self.text[self._at - 1] == '"':
            return self._double()
        end = self._at
        while end < len(self.text) and self.text[end] != "'":
            end += 2 if dollar and self.text[end] == "\\" else 1
        inside, self.open = (
            self.text[self._at : end],
            self.open or end >= len(self.text),
        )
        self._at = end + 1
        return ansi(inside) if dollar else inside

    def _double(self) -> str:
        parts: list[str] = []
        while self._at < len(self.text):
            char = self.text[self._at]
            self._at += 1
            if char == '"':
                return "".join(parts)
            if char == "\\" and self.text[self._at : self._at + 1] in (
                "$",
                "`",
                '"',
                "\\",
            ):
                parts.append(self.text[self._at])
                self._at += 1
            elif char == "$":
                parts.append(self._dollar(quoted=True))
            elif char == "`":
                parts.append(self._backticks(quoted=True))
            else:
                parts.append(char)
        self.open = True
        return "".join(parts)

    def _backticks(self, *, quoted: bool) -> str:
        end = self._at
        while end < len(self.text) and self.text[end] != "`":
            end += 2 if self.text[end] == "\\" else 1
        self.open = self.open or end >= len(self.text)
        inside = re.sub(r"\\([`$\\])", r"\1", self.text[self._at : end])
        self._at = end + 1
        return self._substitution(inside, quoted=quoted)

    def _dollar(self, *, quoted: bool) -> str:
        """Scan what stands behind a dollar sign."""
        text = self.text
        if text.startswith("((", self._at):
            self._at += 1
            self._balanced("(", ")")
            return UNKNOWN
        if text.startswith("(", self._at):
            self._at += 1
            return self._substitution(self._balanced("(", ")"), quoted=quoted)
        if text.startswith("{", self._at):
            self._at += 1
            return self._parameter(self._balanced("{", "}"), quoted=quoted)
        name = NAME.match(text, self._at)
        if name:
            self._at = name.end()
            return self._value(name.group(), quoted=quoted)
        special = text[self._at : self._at + 1]
        if special and special in "@*#?$!-0123456789":
            self._at += 1
            # An interactive shell has no arguments.
            empty = "" if special in "@*123456789" else UNKNOWN
            return self._fitting(self.variables.get(special, empty))
        return "$"

    def _balanced(self, opens: str, closes: str) -> str:
        """Give what stands up to the bracket that closes; quotes are stepped over."""
        begin, depth, at = self._at, 1, self._at
        while at < len(self.text):
            char = self.text[at]
            if char == "\\":
                at += 1
            elif char == "'" or char == '"':
                end = self.text.find(char, at + 1)
                at = end if end >= 0 else len(self.text)
            elif char == opens:
                depth += 1
            elif char == closes:
                depth -= 1
                if not depth:
                    self._at = at + 1
                    return self.text[begin:at]
            at += 1
        self._at, self.open = len(self.text), True
        return self.text[begin:]

    def _substitution(self, script: str, *, quoted: bool) -> str:
        self.nested.append(script)
        printed = self._printed_by(script)
        return UNKNOWN if printed is None else self._spaced(printed, quoted=quoted)

    def _value(self, name: str, *, quoted: bool) -> str:
        if name == "IFS" and name not in self.variables:
            return " " if quoted else SPLIT
        if name in self.variables:
            return self._spaced(self.variables[name], quoted=quoted)
        return f"${name}" if name in ALWAYS else UNKNOWN

    def _parameter(self, inside: str, *, quoted: bool) -> str:
        """Read ${...}: a variable, one with a default, a part of one."""
        name = NAME.match(inside)
        if name is None:
            return "" if inside in ("@", "*") or inside.isdigit() else UNKNOWN
        rest = inside[name.end() :]
        held = self.variables.get(name.group(), ALWAYS.get(name.group()))
        if not rest:
            return self._value(name.group(), quoted=quoted)
        if (held is None and rest[:2] in (":-", ":=")) or rest[:1] in ("-", "="):
            default = rest.lstrip(":")[1:]
            return self._spaced(default.strip("'\""), quoted=quoted)
        part = re.match(r":(\d{1,4})(?::(\d{1,4}))?\Z", rest)
        if part and held is not None:
            begin = int(part.group(1))
            end = begin + int(part.group(2)) if part.group(2) else None
            return self._spaced(held[begin:end], quoted=quoted)
        return UNKNOWN

    def _spaced(self, value: str, *, quoted: bool) -> str:
        fitting = self._fitting(value)
        return fitting if fitting == UNKNOWN else _spaced(fitting, quoted=quoted)

    def _fitting(self, value: str) -> str:
        return value if self._budget.has_value(len(value)) else UNKNOWN


def _spaced(value: str, *, quoted: bool) -> str:
    """Put a value into a word: outside of quotes its spaces part words, and its stars and braces count."""
    if quoted:
        return value
    starred = "".join(MARK_OF[c] if c in "*?[]" else c for c in value)
    return re.sub(r"\s+", SPLIT, starred)
