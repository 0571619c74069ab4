"""What every source can do: name its branches and tags, list commits, lay one commit into a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from adminset.errors import DomainError

BRANCH, TAG, COMMIT, UPLOAD = "branch", "tag", "commit", "upload"


class SourceError(DomainError):
    """A source that cannot be read as asked: no such branch, a name that is none, a server that says no."""

    status = 502


@dataclass(frozen=True)
class Ref:
    """What somebody asks for: kind (branch, tag, commit, upload) and name; of a commit its id or revision."""

    kind: str
    name: str


@dataclass(frozen=True)
class Named:
    """A branch, tag or upload: its name, the commit it stands at, and what else is known of it."""

    name: str
    commit: str
    words: str = ""
    when: datetime | None = None


@dataclass(frozen=True)
class Refs:
    """All branches and tags (newest version first); `default` is the branch that the repository names itself, or "".

    Attributes:
        cut: there are more than are listed here.
    """

    branches: Sequence[Named]
    tags: Sequence[Named]
    default: str = ""
    cut: bool = False


@dataclass(frozen=True)
class Commit:
    """A commit. Nothing in it is proved: author and subject are what its maker wrote, shortened and without unseen signs."""

    id: str
    author: str
    mail: str
    when: datetime | None
    subject: str


@dataclass(frozen=True)
class Page:
    """Commits, newest first.

    Attributes:
        more: there are older ones. total: how many there are from `since` on. since_known: the older end exists there still.
    """

    commits: Sequence[Commit]
    more: bool
    total: int
    since_known: bool = True


@dataclass(frozen=True)
class Fetched:
    """What was laid into a folder.

    Attributes:
        commit: id, revision, or SHA-256 of an upload. branch, tag: by which name. skipped: submodules that were left out.
        words: where it came from, for a person.
    """

    commit: str
    author: str
    when: datetime | None
    subject: str
    branch: str = ""
    tag: str = ""
    skipped: Sequence[str] = ()
    words: str = ""
    files: int = 0
    size: int = 0


class Source(Protocol):
    """One source of one project."""

    def refs(self) -> Refs:
        """Ask for branches and tags; raises DomainError."""
        ...

    def commits(self, *, until: Ref, since: str = "", page: int = 1) -> Page:
        """List commits up to `until`, without those that `since` (the id of a commit, such as the live one) has too."""
        ...

    def fetch(self, ref: Ref, into: Path, *, at: str = "", origin: str = "") -> Fetched:
        """Lay what a reference stands for into an empty folder: its files, and nothing of the version control.

        Args:
            at: the whole id of the commit, or the revision, that it was when somebody said yes to it; "" for the one that it is
                now. Nothing else is laid out.
            origin: what origins.origin_of said of the project then; "" where nobody asked.
        """
        ...
