"""Finds a value in a message by a path such as `commits.0.author.name`; a path is no program: it only walks."""

import re
from typing import Any

from django.utils.translation import gettext as _

LONGEST = 200
DEEPEST = 20
# A name or the place in a list, with dots between; a dot in a name is written `\.`.
PART = re.compile(r"(?:[^.\\\x00-\x1f]|\\[.\\])+")
PATH = re.compile(rf"{PART.pattern}(?:\.{PART.pattern})*")
PLACE = re.compile(r"0|[1-9][0-9]{0,4}")


class _Nothing:
    """Stands where a message has nothing."""

    def __bool__(self) -> bool:
        return False


NOTHING = _Nothing()


def problem_of(path: Any) -> str:
    """Say what is wrong with a path; "" for a good one."""
    if not isinstance(path, str) or not path:
        return _("Give the path of a value, such as release.tag_name.")
    if len(path) > LONGEST or not PATH.fullmatch(path):
        return _("%(path)s is no path: names or numbers with dots between.") % {
            "path": path[:60]
        }
    if len(parts_of(path)) > DEEPEST:
        return _("A path has at most %(most)s parts.") % {"most": DEEPEST}
    return ""


def parts_of(path: str) -> list[str]:
    """Give the names of a path, outermost first."""
    return [re.sub(r"\\(.)", r"\1", part) for part in PART.findall(path)]


def find(message: Any, path: str) -> Any:
    """Give what a message has at a path; NOTHING where it has nothing there."""
    here = message
    for part in parts_of(path):
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and PLACE.fullmatch(part) and int(part) < len(here):
            here = here[int(part)]
        else:
            return NOTHING
    return here


def as_text(value: Any) -> str | None:
    """Put a plain value as text, as JSON writes it; None for lists, objects and nothing."""
    if value is True or value is False:
        return "true" if value else "false"
    if value is None or isinstance(value, int | float):
        return "null" if value is None else repr(value)
    return value if isinstance(value, str) else None
