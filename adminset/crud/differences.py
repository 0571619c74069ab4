"""What changed, drawn so that one sees it: long texts line by line, lists as what came and what went, the rest side by side."""

import difflib
import json
from itertools import zip_longest
from typing import Any

from adminset.audit import MASK

# A text longer than this, or of several lines, is compared line by line.
LONG_TEXT = 120
# Comparing takes time with the square of the lines; beyond this both are shown whole.
MOST_LINES = 2000
CONTEXT_LINES = 3
# (sign, old line or None, new line or None): " " stays, "~" differs, "@" stands where lines are left out.
Line = tuple[str, str | None, str | None]
GAP: Line = ("@", None, None)


def says_nothing(change: dict[str, Any]) -> bool:
    """Say whether a field was empty and stayed so, as many are when an object is made."""
    empty: tuple[Any, ...] = (None, "", [], {})
    return change.get("old") in empty and change.get("new") in empty


def describe(change: dict[str, Any]) -> dict[str, Any]:
    """Say how a change is drawn.

    Returns:
        kind "secret" (masked on both sides), "lines" (lines: list of (sign, old, new)), "list" (added, removed, kept: lists)
        or "plain" (old, new).
    """
    old, new = change.get("old"), change.get("new")
    if MASK in (old, new):
        return {"kind": "secret", "old": bool(old), "new": bool(new)}
    if isinstance(old, list) or isinstance(new, list):
        return _lists(old, new) or _lines(_pretty(old), _pretty(new))
    if isinstance(old, dict) or isinstance(new, dict):
        return _lines(_pretty(old), _pretty(new))
    if (
        isinstance(old, str | None)
        and isinstance(new, str | None)
        and _is_long(old, new)
    ):
        return _lines(old or "", new or "")
    return {"kind": "plain", "old": old, "new": new}


def _is_long(*texts: str | None) -> bool:
    return any("\n" in text or len(text) > LONG_TEXT for text in texts if text)


def _lists(old: Any, new: Any) -> dict[str, Any] | None:
    """Compare two lists of plain values; None where that says nothing (nested values, or only the order differs)."""
    before, after = old or [], new or []
    if not isinstance(before, list) or not isinstance(after, list):
        return None
    if any(isinstance(each, list | dict) for each in (*before, *after)):
        return None
    removed = [each for each in before if each not in after]
    added = [each for each in after if each not in before]
    if not removed and not added and before != after:
        return None
    kept = len(before) - len(removed)
    return {"kind": "list", "added": added, "removed": removed, "kept": kept}


def _pretty(value: Any) -> str:
    if value is None or value == "":
        return ""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)


def _lines(old: str, new: str) -> dict[str, Any]:
    before, after = old.splitlines(), new.splitlines()
    if len(before) + len(after) > MOST_LINES:
        return {"kind": "plain", "old": old, "new": new}
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    drawn: list[Line] = []
    for group in matcher.get_grouped_opcodes(CONTEXT_LINES):
        if drawn:
            drawn.append(GAP)
        for tag, old_from, old_to, new_from, new_to in group:
            sign = " " if tag == "equal" else "~"
            pairs = zip_longest(before[old_from:old_to], after[new_from:new_to])
            drawn += [(sign, left, right) for left, right in pairs]
    return {"kind": "lines", "lines": drawn or [(" ", old, new)]}
