"""Output as plain text for people: control sequences taken out, lines that were written over as a terminal leaves them."""

import re

from adminset.unseen import visible

# Every part is bounded: a hostile text costs no more than its length.
SEQUENCE = re.compile(
    # All begin with one of these: a text without them is gone through ten times as fast.
    r"[\x1b\x90\x98\x9b\x9d-\x9f](?:"
    # Colours, movements, modes.
    r"(?:(?<=\x1b)\[|(?<=\x9b))[0-?]{0,64}[ -/]{0,8}[@-~]"
    # Titles, links and other strings, up to their end.
    r"|(?:(?<=\x1b)[\]PX^_]|(?<=[\x90\x98\x9d-\x9f]))[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)"
    # All other escapes; of a string without end only its beginning.
    r"|(?<=\x1b)[ -/]{0,8}[0-~]?)"
)
_ERASES = re.compile(r"(?:\x1b\[|\x9b)[02]?K")


def plain(text: str) -> str:
    """Give output without control sequences; a line that was written over as it was left, unseen signs by their numbers."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(_line(line) for line in lines)


def _line(line: str) -> str:
    if "\r" not in line:
        return visible(SEQUENCE.sub("", line).replace("\b", ""))
    shown = ""
    for part in line.split("\r"):
        bare = SEQUENCE.sub("", part)
        shown = bare if _ERASES.search(part) else bare + shown[len(bare) :]
    return visible(shown.replace("\b", ""))


def first_lines(text: str, lines: int = 3, characters: int = 160) -> list[str]:
    """Give the first lines of an output that are not empty, cut to a width."""
    found = (line.rstrip() for line in plain(text).split("\n"))
    filled = [line for line in found if line.strip()]
    return [
        line if len(line) <= characters else f"{line[:characters]}…"
        for line in filled[:lines]
    ]
