"""Which version of an item runs, and what it contains: for the launch and the lanes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import may, permission_for
from tasks.library import blobs
from tasks.library.names import roles_named_in
from tasks.library_models import LibraryItem, Role, Version

State = Version.State
# Roles that roles ask for are followed so far; more is a circle or a joke.
MOST_ROLES = 200
WHY_NOT = {
    State.WAITING: lambda: (
        _("%(version)s waits for approval, so it runs nowhere."),
        _("Ask somebody who may approve it, or run an older version."),
    ),
    State.RETIRED: lambda: (
        _("%(version)s is retired, so it runs nowhere."),
        _("Choose another version, or have this one reinstated."),
    ),
}


def newest_runnable(item: LibraryItem) -> Version:
    """Give the newest version that may run.

    Raises:
        DomainError: none is approved, or all are retired; says which.
    """
    versions = item.versions.order_by("-number")  # type: ignore[attr-defined]
    found: Version | None = versions.filter(state=State.APPROVED).first()
    if found is not None:
        return found
    newest = versions.first()
    if newest is None:
        raise DomainError(
            _("%(name)s has no content yet.") % {"name": item},
            _("Enter its content, or fetch its git repository."),
            code="no_version",
        )
    waiting = versions.filter(state=State.WAITING).exists()
    words = (
        _("No version of %(name)s is approved, so it runs nowhere.")
        if waiting
        else _("All versions of %(name)s are retired, so it runs nowhere.")
    )
    hint = (
        _("Ask somebody who may approve it.")
        if waiting
        else _("Have one reinstated, or make a new one.")
    )
    raise DomainError(words % {"name": item}, hint, code="not_runnable")


def ensure_usable(actor: Any, item: LibraryItem) -> None:
    """Let pass who may run this item of the library.

    Raises:
        Forbidden: the actor lacks the permission to use such items.
    """
    if not may(actor, "use", item):
        needed = permission_for(type(item), "use")
        raise Forbidden(
            _("You may not run %(name)s.") % {"name": item},
            _("Ask for the permission to use it (%(permission)s).")
            % {"permission": needed},
            code="library_refused",
        )


def ensure_runnable(version: Version) -> None:
    """Let pass a version that may run at this moment: the row is read again.

    Raises:
        DomainError: it waits for approval, is retired, or is gone; says which.
    """
    now = Version.objects.filter(pk=version.pk).first()
    if now is None:
        raise DomainError(
            _("The version that should run was deleted."),
            _("Ask for the run anew."),
            code="not_runnable",
        )
    if now.state != State.APPROVED:
        words, hint = WHY_NOT[State(now.state)]()
        raise Conflict(words % {"version": now}, hint, code="not_runnable")


def ensure_all_runnable(keys: Iterable[int]) -> list[Version]:
    """Give the versions with these keys (of a distribution, of frozen roles), all of which may run at this moment.

    Raises:
        DomainError: as ensure_runnable.
    """
    versions = [
        Version.objects.filter(pk=key).first() or Version(pk=key)
        for key in dict.fromkeys(keys)
    ]
    for version in versions:
        ensure_runnable(version)
    return versions


def content_of(version: Version) -> str | dict[str, str] | Path:
    """Give the text of a script or playbook, the files of a role ({"tasks/main.yml": text}), the path of a stored file's bytes.

    Raises:
        DomainError: the bytes of a file are not where they should be.
    """
    if version.file_id is None:
        return dict(version.files) if version.role_id is not None else version.text
    path = blobs.path_of(version.sha256)
    if not path.is_file():
        raise DomainError(
            _("The bytes of %(version)s are missing on the portal's machine.")
            % {"version": version},
            _(
                "Bring back the folder `library` of ADMINSET_DATA_DIR, or send the file anew."
            ),
            code="file_missing",
        )
    return path


def files_of(version: Version) -> dict[str, str]:
    """Give the files of a role."""
    return dict(version.files)


def path_of(version: Version) -> Path:
    """Give where the bytes of a stored file lie; DomainError when they are missing."""
    found = content_of(version)
    return found if isinstance(found, Path) else blobs.path_of(version.sha256)


def role_versions(playbook_text: str) -> dict[str, Version]:
    """Give the library's roles that a playbook names, and those that these name, each in its newest version that may run.

    A name that the library does not know is left to Ansible.

    Raises:
        DomainError: a role of the library may not run.
    """
    return _followed(roles_named_in(playbook_text))


def role_versions_of(files: dict[str, str]) -> dict[str, Version]:
    """Give the library's roles that the files of a role ask for; as role_versions."""
    return _followed(_asked_by(files))


def roles_for(playbook_text: str) -> dict[str, dict[str, str]]:
    """Give the files of the library's roles that a playbook needs: {role: {path: text}}; as role_versions."""
    return {
        name: files_of(version)
        for name, version in role_versions(playbook_text).items()
    }


def _followed(wanted: set[str]) -> dict[str, Version]:
    found: dict[str, Version] = {}
    seen: set[str] = set()
    while wanted and len(seen) < MOST_ROLES:
        seen |= wanted
        versions = {
            role.name: newest_runnable(role)
            for role in Role.objects.filter(name__in=wanted)
        }
        found |= versions
        asked = [_asked_by(version.files) for version in versions.values()]
        wanted = set().union(*asked) - seen
    return found


def _asked_by(files: dict[str, str]) -> set[str]:
    texts = (text for path, text in files.items() if path.endswith((".yml", ".yaml")))
    return set().union(*map(roles_named_in, texts))
