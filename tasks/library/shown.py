"""Draws code for people: lines with numbers, and signs that cannot be seen made visible, so that nobody approves what is not there to read."""

import re

from tasks.library.choosing import files_of
from tasks.library.storing import preview_of
from tasks.library_models import Version

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


def shown_content(version: Version, path: str = "") -> dict[str, object]:
    """Give what a page shows of a version's content: `lines` (None: no text), `cut` (there is more), `path` of a role's file."""
    if version.file_id is not None:
        found = preview_of(version)
        if found is None:
            return {"lines": None}
        return {"lines": lines_of(found[0]), "cut": not found[1]}
    if version.role_id is None:
        return {"lines": lines_of(version.text)}
    files = files_of(version)
    chosen = path if path in files else _first(files)
    return {"lines": lines_of(files.get(chosen, "")), "path": chosen}


def _first(files: dict[str, str]) -> str:
    """Choose the file that is open at first: where a role begins."""
    begins = [path for path in ("tasks/main.yml", "tasks/main.yaml") if path in files]
    return begins[0] if begins else next(iter(sorted(files)), "")
