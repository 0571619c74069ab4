"""What a path or link of an artefact may look like: plain names that any POSIX shell can be trusted with, nothing that leads out."""

import posixpath
import unicodedata
from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError

LONGEST_PATH = 1024
LONGEST_NAME = 255
MOST_HOPS = 40
# What version control keeps for itself is no part of what is delivered.
OWN_FOLDERS = (".git", ".svn", ".hg")
# Control, surrogates, ends of lines and paragraphs, formats such as the turn of the direction of writing.
UNSEEN = ("Cc", "Cs", "Zl", "Zp", "Cf")
# Some languages, and pictures made of several, cannot be written without them.
JOINERS = "\u200c\u200d"


class PathError(DomainError):
    """A path or link that no artefact may have."""


def check_path(path: str) -> None:
    """Accept a relative path such as `app/main.py`.

    Raises:
        PathError: a sentence.
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise PathError(
            _("The path %(path)s leads out of the folder, or says nothing.")
            % {"path": shown(path)},
            code="bad_path",
        )
    if (
        len(path.encode("utf-8", "surrogateescape")) > LONGEST_PATH
        or max(len(part.encode("utf-8", "surrogateescape")) for part in parts)
        > LONGEST_NAME
    ):
        raise PathError(
            _("The path %(path)s is too long.") % {"path": shown(path)}, code="bad_path"
        )
    if len(parts) > settings.ARTEFACT_DEPTH:
        raise PathError(
            _("The path %(path)s goes through more than %(most)s folders.")
            % {"path": shown(path), "most": settings.ARTEFACT_DEPTH},
            _("Leave it out by a rule, or raise ADMINSET_ARTEFACT_DEPTH."),
            code="bad_path",
        )
    _check_signs(path)


def _check_signs(text: str) -> None:
    odd = any(
        unicodedata.category(sign) in UNSEEN and sign not in JOINERS for sign in text
    )
    if odd or "\\" in text:
        raise PathError(
            _("The name %(path)s has signs in it that cannot be delivered.")
            % {"path": shown(text)},
            _(
                "Control characters, signs that nobody sees, backslashes and what is no UTF-8: rename it, or leave it out by a rule."
            ),
            code="bad_path",
        )


def check_link(path: str, target: str, links: Mapping[str, str]) -> None:
    """Accept a symbolic link whose target lies in the artefact, whatever other links are on the way.

    Args:
        links: all links of the artefact, by their paths.

    Raises:
        PathError: a sentence.
    """
    if not target or len(target) > LONGEST_PATH:
        raise _leads_out(path, target)
    _check_signs(target)
    if target.startswith("/"):
        raise _leads_out(path, target)
    at = posixpath.dirname(path).split("/") if "/" in path else []
    if not _stays_inside(at, target, links):
        raise _leads_out(path, target)


def _stays_inside(at: list[str], target: str, links: Mapping[str, str]) -> bool:
    """Follow a target part by part, as the system would."""
    todo, hops = target.split("/"), 0
    while todo:
        part = todo.pop(0)
        if part == ".." and not at:
            return False
        if part == "..":
            at.pop()
        elif part not in ("", "."):
            at.append(part)
            further = links.get("/".join(at))
            if further is not None:
                hops += 1
                if hops > MOST_HOPS or further.startswith("/"):
                    return False
                at.pop()
                todo = further.split("/") + todo
    return True


def _leads_out(path: str, target: str) -> PathError:
    return PathError(
        _("The link %(path)s leads out of the folder, to %(target)s.")
        % {"path": shown(path), "target": shown(target)},
        _(
            "Make it point to something in it, leave it out by a rule, or let the pipeline share that folder."
        ),
        code="bad_link",
    )


def shown(text: str) -> str:
    """Give a name for a sentence: short, and with nothing in it that is not seen."""
    plain = text.encode("utf-8", "replace").decode("utf-8")
    seen = "".join(
        sign if unicodedata.category(sign)[0] != "C" else "?" for sign in plain
    )
    return seen if len(seen) <= 200 else f"{seen[:197]}..."
