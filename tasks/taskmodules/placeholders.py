"""Puts answers into a command: each value becomes whole words that the shell takes as they are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

Value = str | Sequence[str]
# {{ and }} stand for the braces themselves.
PIECE = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\}")
# In these the shell reads a quoted value once more, or ends the quotes elsewhere than we do.
REFUSED = ("`", "$(", "${", "<<", "((", "[[", "$'", '$"')
READS_AGAIN = re.compile(r"(?:\A|[\s;&|(])(eval|let|trap|alias|source|\.)\s")
RUNS_TEXT = re.compile(
    r"(?:\A|/)(sh|bash|dash|ash|ksh|zsh|su|python[0-9.]*|perl|ruby|node|awk|ssh)\Z"
)
ENDS_COMMAND = ";&|\n("


class PlaceholderError(ValueError):
    """A command into which no value can be put safely; the text is the sentence."""


@dataclass(frozen=True)
class Place:
    """Where a value stands.

    Attributes:
        alone: it is a word of its own.
        leads: it is the beginning of a word, with no `--` before it in its command: a dash would make it an option.
    """

    name: str
    alone: bool
    leads: bool


def names_in(template: str) -> list[str]:
    """List the names of the placeholders in a text."""
    return [match[1] for match in PIECE.finditer(template) if match[1]]


# A list of words


def places_in_words(words: Sequence[str]) -> list[Place]:
    """Find the placeholders of a list of words.

    Raises:
        PlaceholderError: the program itself is one, or an interpreter would run the value as a program.
    """
    if words and names_in(words[0]):
        raise PlaceholderError(
            _("The first word is the program: it cannot come from the form.")
        )
    found, dashes = [], False
    for number, word in enumerate(words):
        matches = [match for match in PIECE.finditer(word) if match[1]]
        if matches:
            _refuse_program(list(words[:number]))
        for match in matches:
            alone = match.span() == (0, len(word))
            leads = match.start() == 0 and not dashes
            found.append(Place(match[1], alone, leads))
        dashes = dashes or word == "--"
    return found


def _refuse_program(before: Sequence[str]) -> None:
    """Refuse a value where an interpreter takes its program from."""
    programs = [word for word in before if RUNS_TEXT.search(word)]
    if before and before[-1] in ("-c", "-e", "--command") and programs:
        raise PlaceholderError(
            _("%(program)s would run the value as a program. Write a script instead.")
            % {"program": programs[-1]}
        )


def fill_words(words: Sequence[str], values: Mapping[str, Value]) -> list[str]:
    """Put values into a list of words; a value with several words becomes as many."""
    filled: list[str] = []
    for word in words:
        match = PIECE.fullmatch(word)
        value = values[match[1]] if match and match[1] else ""
        if match and match[1] and not isinstance(value, str):
            filled += value
        else:
            filled.append(PIECE.sub(lambda m: _plain(m, values), word))
    return filled


def _plain(match: re.Match[str], values: Mapping[str, Value]) -> str:
    if not match[1]:
        return match[0][0]
    value = values[match[1]]
    if not isinstance(value, str):
        raise PlaceholderError(
            _("{%(name)s} stands for several words: it must stand alone.")
            % {"name": match[1]}
        )
    return value


# A text for the shell


def places_in_text(text: str) -> list[Place]:
    """Find the placeholders of a text for /bin/sh.

    Raises:
        PlaceholderError: one stands where quoting would not hold: inside quotes, in a comment, in an expansion.
    """
    if not names_in(text):
        return []
    _refuse_constructs(text)
    found = list(_walk(text))
    if [place.name for place in found] != names_in(text):
        raise PlaceholderError(
            _(
                "A backslash cannot stand before {names}: it would take their quotes away."
            )
        )
    return found


def _refuse_constructs(text: str) -> None:
    bad = [part for part in REFUSED if part in text]
    again = READS_AGAIN.search(text)
    if again:
        bad.append(again[1])
    if bad:
        words = _(
            "A command with {names} cannot hold %(bad)s, where the shell reads a value twice. Write a script instead."
        )
        raise PlaceholderError(words % {"bad": bad[0]})


def _walk(text: str) -> Iterator[Place]:
    """Follow the shell's quotes from the first character to the last."""
    quote, at, start, dashes = "", 0, 0, False
    while at < len(text):
        sign, match = text[at], PIECE.match(text, at)
        if match and match[1]:
            _check_place(text, match, quote, start)
            begins = match.start() == start
            ends = (
                match.end() == len(text) or text[match.end()] in f" \t{ENDS_COMMAND})<>"
            )
            yield Place(match[1], begins and ends, begins and not dashes)
        if not quote and sign == "#" and at == start:
            _refuse_in_comment(text, at)
        step = len(match[0]) if match else 1
        quote, step = _next_state(text, at, quote, step)
        if not quote and sign in f" \t<>){ENDS_COMMAND}":
            dashes = sign not in ENDS_COMMAND and (dashes or text[start:at] == "--")
            start = at + 1
        at += step
    if quote:
        raise PlaceholderError(_("A quote is not closed."))


def _next_state(text: str, at: int, quote: str, step: int) -> tuple[str, int]:
    sign = text[at]
    if sign == "\\" and quote != "'":
        return quote, 2
    if quote:
        return ("" if sign == quote else quote), step
    return (sign if sign in "'\"" else ""), step


def _check_place(text: str, match: re.Match[str], quote: str, start: int) -> None:
    name = match[1]
    if quote:
        raise PlaceholderError(
            _(
                "{%(name)s} stands inside quotes, where its own would end them. Take the quotes away: the value is quoted by itself."
            )
            % {"name": name}
        )
    command = re.split(r"[;&|\n(]", text[: match.start()])[-1]
    if not command.strip():
        raise PlaceholderError(
            _("The first word is the program: it cannot come from the form.")
        )
    if match.start() == start:
        _refuse_program(command.split())


def _refuse_in_comment(text: str, at: int) -> None:
    comment = text[at:].partition("\n")[0]
    if names_in(comment) or "'" in comment or '"' in comment:
        raise PlaceholderError(
            _("A comment of a command can hold neither {names} nor quotes.")
        )


def fill_text(text: str, values: Mapping[str, Value]) -> str:
    """Put values into a text for /bin/sh, each quoted; a value with several words becomes as many."""

    def quoted(match: re.Match[str]) -> str:
        if not match[1]:
            return match[0][0]
        value = values[match[1]]
        return shlex.quote(value) if isinstance(value, str) else shlex.join(value)

    return PIECE.sub(quoted, text)
