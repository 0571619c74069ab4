"""A role as a tree of files: one file is added, changed, renamed or deleted, and that is a new version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError, Forbidden, NotFound
from adminset.querysets import may
from tasks.library import contents
from tasks.library.writing import add_version
from tasks.library_models import Role, StoredFile, Version


@dataclass(frozen=True)
class Node:
    """A line of the tree: a folder, or a file with its size in bytes."""

    name: str
    depth: int
    path: str = ""
    size: int = 0


@dataclass(frozen=True)
class FileEdit:
    """What becomes of one file.

    Attributes:
        was: its path before; empty for a new one. based_on: number of the version that its author saw; None: not said.
    """

    path: str
    text: str = ""
    was: str = ""
    note: str = ""
    based_on: int | None = None


def tree_of(files: Mapping[str, str]) -> list[Node]:
    """Give the files in the order of a tree, each folder before what is in it."""
    nodes: list[Node] = []
    open_folders: list[str] = []
    for path in sorted(files, key=lambda path: path.split("/")):
        *folders, name = path.split("/")
        same = 0
        while same < min(len(folders), len(open_folders)) and (
            folders[same] == open_folders[same]
        ):
            same += 1
        nodes += [Node(f, depth) for depth, f in enumerate(folders) if depth >= same]
        open_folders = folders
        nodes.append(Node(name, len(folders), path, len(files[path].encode())))
    return nodes


def newest_of(item: Any) -> Version | None:
    """Give an item's newest version, whether it may run or not."""
    found: Version | None = item.versions.order_by("-number").first()
    return found


def files_now(role: Role) -> dict[str, str]:
    """Give the files of a role's newest version."""
    newest = newest_of(role)
    return dict(newest.files) if newest else {}


def put_file(*, actor: Any, role: Role, edit: FileEdit) -> Version | None:
    """Add a file, change it, or give it another name; None where that changes nothing.

    Raises:
        Forbidden, Conflict, NotFound, ValidationError: it may not, cannot, or should not be.
    """
    files = _opened(actor, role, edit.based_on)
    if edit.was and edit.was not in files:
        raise _missing(edit.was)
    if edit.path != edit.was and edit.path in files:
        raise Conflict(
            _("There is a file %(path)s already.") % {"path": edit.path}, code="exists"
        )
    files.pop(edit.was, None)
    files[edit.path] = contents.with_plain_ends(edit.text)
    return replace_files(actor=actor, role=role, files=files, note=edit.note)


def drop_file(*, actor: Any, role: Role, edit: FileEdit) -> Version | None:
    """Delete a file of a role; the last one stays. Raises as put_file."""
    files = _opened(actor, role, edit.based_on)
    if files.pop(edit.path, None) is None:
        raise _missing(edit.path)
    return replace_files(actor=actor, role=role, files=files, note=edit.note)


def replace_files(
    *, actor: Any, role: Role, files: Mapping[str, str], note: str = ""
) -> Version | None:
    """Make these files the newest version of a role.

    Raises:
        Forbidden: the actor may not change it. Conflict: it comes from git.
        ValidationError: a file that a role cannot have.
    """
    ensure_editable(actor, role)
    contents.check_files(files)
    return add_version(
        actor=actor, item=role, content=contents.of_files(files), note=note
    )


def ensure_editable(actor: Any, item: Role | StoredFile) -> None:
    """Let pass who may change this item, where its content is written here.

    Raises:
        Forbidden: the actor may not change it.
        Conflict: its content comes from a git repository.
    """
    if not may(actor, "change", item):
        raise Forbidden(
            _("You may not change %(name)s.") % {"name": item}, code="change_refused"
        )
    if item.git_source_id is not None:
        raise Conflict(
            _("The content of %(name)s comes from a git repository.") % {"name": item},
            _("Change it there and fetch it, or take the repository off this item."),
            code="from_git",
        )


def _opened(actor: Any, role: Role, based_on: int | None) -> dict[str, str]:
    ensure_editable(actor, role)
    ensure_newest(role, based_on)
    return files_now(role)


def ensure_newest(item: Any, based_on: int | None) -> None:
    """Let pass who saw the newest version; None: whoever did not say.

    Raises:
        Conflict: somebody saved another one meanwhile.
    """
    newest = newest_of(item)
    number = newest.number if newest else 0
    if based_on is not None and based_on != number:
        raise Conflict(
            _("Meanwhile version %(number)s was saved.") % {"number": number},
            _("Open the page anew and put your change into it."),
            code="conflict",
        )


def _missing(path: str) -> NotFound:
    return NotFound(_("There is no file %(path)s any more.") % {"path": path[:200]})


def words_of(error: DomainError | ValidationError) -> str:
    """Say an error of either kind in one text, for a form."""
    if isinstance(error, DomainError):
        return f"{error.message} {error.hint}".strip()
    return " ".join(error.messages)
