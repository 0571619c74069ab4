"""What a git host says of a push: branch or tag, commit, and which files changed; all of them say it nearly alike."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.models import Deploy

RefKind = Deploy.RefKind
# As the hosts call it; others (merge requests, issues, comments) are left alone.
EVENTS = {"push", "push hook", "tag push hook", "tag_push"}
PLACES = {"refs/heads/": RefKind.BRANCH, "refs/tags/": RefKind.TAG}
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
LONGEST_NAME, LONGEST_PATH = 200, 4096
MOST_PATHS = 20_000


@dataclass(frozen=True)
class Push:
    """A push to one branch or tag.

    Attributes:
        commit: what stands there now; "" where it was taken away.
        paths: files that changed; None where the message does not name all of them.
    """

    ref_kind: str
    name: str
    commit: str
    paths: frozenset[str] | None = None

    @property
    def words(self) -> str:
        """The push in short: "branch main 1f2e3d4c"."""
        return f"{RefKind(self.ref_kind).label} {self.name} {self.commit[:12]}".strip()


def is_push(event: str) -> bool:
    """Say whether an event is one of a push."""
    return event.lower() in EVENTS


def push_of(message: Any) -> Push:
    """Read a message.

    Raises:
        DomainError: it is no push as git hosts send them.
    """
    ref = message.get("ref") if isinstance(message, dict) else None
    place = next(
        (one for one in PLACES if isinstance(ref, str) and ref.startswith(one)), ""
    )
    if not place or not isinstance(ref, str):
        raise DomainError(
            _("The message names no branch and no tag."),
            _("Let the git host send its push events as application/json."),
        )
    name = ref.removeprefix(place)
    if (
        not 0 < len(name) <= LONGEST_NAME
        or not name.isprintable()
        or name.startswith("-")
    ):
        raise DomainError(_("This can be no name of a branch or a tag."))
    return Push(PLACES[place], name, _commit(message), _paths(message))


def _commit(message: dict[str, Any]) -> str:
    """Give what the reference points to; "" where it was taken away: then it is all zeros."""
    for key in ("checkout_sha", "after"):
        found = message.get(key)
        if isinstance(found, str) and COMMIT.fullmatch(found):
            return found if found.strip("0") else ""
    return ""


def _paths(message: dict[str, Any]) -> frozenset[str] | None:
    """Give the files that changed; None where the list of commits is not there, or cut."""
    commits = message.get("commits")
    total = message.get("total_commits_count", message.get("total_commits"))
    if not isinstance(commits, list) or not commits or message.get("forced") is True:
        return None
    if isinstance(total, int) and total > len(commits):
        return None
    if not all(_names_files(one) for one in commits):
        return None
    found = frozenset(path for one in commits for path in _files(one))
    return found if len(found) <= MOST_PATHS else None


def _names_files(commit: Any) -> bool:
    lists = ("added", "modified", "removed")
    return isinstance(commit, dict) and any(
        isinstance(commit.get(n), list) for n in lists
    )


def _files(commit: dict[str, Any]) -> Iterator[str]:
    for name in ("added", "modified", "removed"):
        listed = commit.get(name)
        for path in listed if isinstance(listed, list) else ():
            if isinstance(path, str) and len(path) <= LONGEST_PATH:
                yield path
