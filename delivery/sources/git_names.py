"""Reads the names that a git server lists: branches by name, tags by version, and only those that can be asked for."""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from delivery.sources.face import Named, Refs
from tasks.git_checks import check_branch


def refs_of(text: str) -> Refs:
    """Read what `git ls-remote --symref` prints."""
    default, branches, tags = "", dict[str, str](), dict[str, str]()
    for line in text.split("\n"):
        commit, _tab, name = line.partition("\t")
        if commit.startswith("ref: refs/heads/") and name == "HEAD":
            default = commit.removeprefix("ref: refs/heads/")
        elif name.startswith("refs/heads/"):
            branches[name.removeprefix("refs/heads/")] = commit
        elif name.startswith("refs/tags/"):
            # What an annotated tag stands for comes after it, with ^{} behind.
            tags[name.removeprefix("refs/tags/").removesuffix("^{}")] = commit
    most = settings.SOURCE_REFS
    cut = len(branches) > most or len(tags) > most
    return Refs(
        _named(branches, lambda name: name)[:most],
        _named(tags, _version, newest_first=True)[:most],
        default if default in branches else "",
        cut,
    )


def _named(
    found: dict[str, str], key: Callable[[str], Any], *, newest_first: bool = False
) -> list[Named]:
    """List the names that can be asked for; others (with signs that nobody sees) are left out."""
    listed = []
    for name in sorted(found, key=key, reverse=newest_first):
        try:
            check_branch(name)
        except ValidationError:
            continue
        listed.append(Named(name, found[name]))
    return listed


def _version(name: str) -> list[tuple[int, int, str]]:
    """Give what a tag is sorted by: v1.10 comes after v1.9, and v2.0-rc1 before v2.0."""
    parts = re.findall(r"\d+|[^\d.]+", name)
    key = [(1, int(p), "") if p.isdigit() else (0, 0, p) for p in parts]
    return [*key, (0, 1, "")]
