"""Makes signs visible that cannot be seen, so that nobody approves what is not there to read."""

import re

_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def visible(text: str) -> str:
    """Replace control characters and signs that turn the direction of text by their numbers."""
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def lines_of(text: str) -> list[str]:
    """Give the lines of a text as they may be shown."""
    lines = text.split("\n")
    return [visible(line) for line in (lines[:-1] if lines[-1] == "" else lines)]
