"""Words of a shell line after quotes, escapes and known variables: what stands there, and what only the shell will know."""

import re
from dataclasses import dataclass
from functools import cached_property
from posixpath import normpath

from tasks.guard.shell_globs import Glob, Sign

# Signs of the private area stand for what is not plain text in a word.
UNKNOWN, SPLIT = "\ue000", "\ue001"
OPEN, COMMA, CLOSE = "\ue002", "\ue003", "\ue004"
STAR, ANY, SET, UNSET = "\ue005", "\ue006", "\ue007", "\ue008"
UNKNOWN_SCRIPT = "${_unknown_}"
MARK_OF = {
    "{": OPEN,
    ",": COMMA,
    "}": CLOSE,
    "*": STAR,
    "?": ANY,
    "[": SET,
    "]": UNSET,
}
TEXT_OF = str.maketrans({mark: char for char, mark in MARK_OF.items()})
MARKS = re.compile("[\ue000-\ue008]")
BRACES = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
RANGE = re.compile(r"(-?\d{1,4})\.\.(-?\d{1,4})\Z|([A-Za-z])\.\.([A-Za-z])\Z")
# A line of braces in braces grows without end: so many words are looked at.
MOST_WORDS = 256
# So many characters of a set are looked at, and of the words that braces make.
MOST_SET, MOST_SPREAD = 200, 1 << 18


@dataclass(frozen=True)
class Word:
    """One word.

    Attributes:
        marks: its text, with signs for what is special. quoted: some of it stood in quotes.
    """

    marks: str
    quoted: bool = False

    @cached_property
    def text(self) -> str:
        """As it reads; what is not known is left out, as if it were empty."""
        return self.marks.replace(UNKNOWN, "").translate(TEXT_OF)

    @property
    def script(self) -> str:
        """Its text where a shell runs it: what is not known stays unknown there."""
        return self.marks.replace(UNKNOWN, UNKNOWN_SCRIPT).translate(TEXT_OF)

    @property
    def known(self) -> bool:
        """Whether nothing in it is left to the shell."""
        return UNKNOWN not in self.marks

    @cached_property
    def glob(self) -> Glob | None:
        """What the shell would match with it, where it has signs for that."""
        if not any(mark in self.marks for mark in (STAR, ANY, SET)):
            return None
        whole = self.marks.startswith("/")
        return _glob("/" + normpath(self.marks).lstrip("/") if whole else self.marks)


def _glob(marks: str) -> Glob:
    text = marks.replace(UNKNOWN, STAR)
    signs: list[Sign] = []
    at, last_end = 0, text.rfind(UNSET)
    while at < len(text):
        char = text[at]
        at += 1
        if char in (STAR, ANY, SET) and (not signs or signs[-1].one == "/"):
            # What begins with a dot is not found by a star.
            signs.append(Sign(first=True))
        # "[]" is no set.
        end = text.find(UNSET, at) if char == SET and at < last_end else at
        if char == STAR:
            if not signs[-1].star:
                signs.append(Sign(star=True))
        elif char == ANY:
            signs.append(Sign())
        elif end > at:
            signs.append(_set(text[at:end].translate(TEXT_OF)))
            at = end + 1
        else:
            signs.append(Sign(one=char.translate(TEXT_OF)))
    return Glob(signs)


def _set(inside: str) -> Sign:
    no = inside[0] in "!^"
    return Sign(chars=inside[no:][:MOST_SET], no=no)


def words_of(marks: str, quoted: bool) -> list[Word]:
    """Make words of what was scanned: braces are spread out, a variable with spaces makes several."""
    found = []
    for spread in _spread(marks):
        for part in spread.split(SPLIT):
            if part or (quoted and SPLIT not in spread):
                found.append(Word(part, quoted))
    return found


def _spread(marks: str) -> list[str]:
    """Write `a{b,c}` as `ab` and `ac`."""
    done: list[str] = []
    todo = [marks]
    most = max(min(MOST_WORDS, MOST_SPREAD // max(len(marks), 1)), 1)
    while todo and len(done) + len(todo) < most:
        one = todo.pop(0)
        braces = BRACES.search(one)
        if braces is None:
            done.append(one)
            continue
        before, after = one[: braces.start()], one[braces.end() :]
        choices = _choices(braces.group(1))[:most]
        todo[:0] = [before + choice + after for choice in choices]
    return done + todo


def _choices(inside: str) -> list[str]:
    if COMMA in inside:
        return inside.split(COMMA)
    steps = RANGE.match(inside)
    if steps is None:
        return [f"{{{inside}}}"]
    low, high, first, last = steps.groups()
    if first:
        ends = sorted((ord(first), ord(last)))
        return [chr(code) for code in range(ends[0], ends[1] + 1)]
    numbers = sorted((int(low), int(high)))
    return [str(n) for n in range(numbers[0], min(numbers[1], numbers[0] + 50) + 1)]
