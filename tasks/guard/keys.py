"""Takes apart what is typed: text, Enter, the keys that change a line, and what the page answers by itself."""

import re
from dataclasses import dataclass

# What a terminal answers by itself when a program asks it, or when its window gets or loses the focus: nobody typed it.
_SHORT_ANSWER = rb"\x1b\[(?:[IO]|[?>=]?[0-9;]+(?:[cnRt]|\$y)|\?[0-9]+u)"
_LONG_ANSWER = rb"\x1b[\]P][^\x07\x1b]*(?:\x07|\x1b\\)"
_MOUSE = rb"\x1b\[<[0-9;]+[Mm]"
ANSWERS = re.compile(rb"(?:%b|%b)+" % (_SHORT_ANSWER, _LONG_ANSWER))
KEYS = re.compile(
    rb"(?P<text>[\x20-\x7e\x80-\xff]+)"
    # Enter, Ctrl-J, and Ctrl-O of bash and zsh.
    rb"|(?P<enter>[\r\n\x0f])"
    rb"|(?P<erase>[\x7f\x08])"
    rb"|(?P<kill>\x15)"
    rb"|(?P<stop>\x03)"
    rb"|(?P<end>\x04)"
    rb"|(?P<paste>\x1b\[200~)"
    rb"|(?P<pasted>\x1b\[201~)"
    # What changes no line.
    rb"|(?P<report>" + _SHORT_ANSWER + rb"|" + _MOUSE + rb")"
    # A line editor takes the text in these for typed.
    rb"|(?P<answer>" + _LONG_ANSWER + rb")"
    rb"|(?P<other>\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[ -~])?|[\x00-\x1f])",
    re.DOTALL,
)
INTERRUPT = b"\x03"
# To the end of the line, and everything before it away.
CLEAR = b"\x05\x15"
PASTE_END = b"\x1b[201~"


@dataclass(frozen=True, slots=True)
class Key:
    """One key, or a run of text.

    Attributes:
        kind: name of a group of KEYS.
    """

    kind: str
    data: bytes


def first_key(data: bytes | bytearray) -> Key:
    """Give the first key of what was typed; there is one for every byte."""
    found = KEYS.match(data)
    if found is None or found.lastgroup is None:
        return Key("other", bytes(data[:1]))
    return Key(found.lastgroup, bytes(found.group()))


def is_answer(data: bytes) -> bool:
    """Say whether nothing was typed: a terminal answered by itself. The mouse is somebody's."""
    return ANSWERS.fullmatch(data) is not None


def pasted_part(data: bytes | bytearray) -> bytes:
    """Give what belongs to the paste that goes on, up to its end mark or an interrupt, which ends it too."""
    part = bytes(data).partition(INTERRUPT)[0]
    end = part.find(PASTE_END)
    if end >= 0:
        return part[:end]
    # The mark may have come in part.
    for length in range(len(PASTE_END) - 1, 0, -1):
        if part.endswith(PASTE_END[:length]) and len(part) == len(data):
            return part[:-length]
    return part
