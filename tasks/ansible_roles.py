"""Roles of a run: their files written below the project, and the play that does a role alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.ansible_hosts import GROUP
from tasks.ansible_wiping import write_private

DEEPEST, LONGEST = 20, 200


def safe_name(name: str) -> str:
    """Return the folder's name of a role that runs alone: letters, digits, _ and - only."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name).lstrip("-")[:LONGEST] or "role"


def role_play(name: str, *, facts: bool) -> str:
    """Return the play that does one role on all hosts of a run."""
    play = {"hosts": GROUP, "gather_facts": facts, "roles": [name]}
    return json.dumps([play], indent=2)


def read_role(text: str) -> dict[str, str]:
    """Read a role as a run keeps it: {"tasks/main.yml": text}. Raises DomainError for anything else."""
    try:
        files = json.loads(text)
    except ValueError:
        files = None
    if not isinstance(files, dict) or not files:
        raise DomainError(_("The files of the role cannot be read."))
    wrong = [path for path, content in files.items() if not isinstance(content, str)]
    if wrong:
        raise DomainError(_("The files of the role cannot be read."))
    return files


def check_roles(roles: Mapping[str, Mapping[str, str]]) -> None:
    """Raise DomainError where a role's name or a path in it leads out of its folder."""
    for name, files in roles.items():
        if not _inside(name) or len(PurePosixPath(name).parts) != 1:
            raise DomainError(
                _("A role cannot be called %(name)s.") % {"name": repr(name)[:100]}
            )
        for path in files:
            if not _inside(path):
                raise DomainError(
                    _("The role %(name)s has a file %(path)s, which leads out of it.")
                    % {"name": name, "path": repr(path)[:200]}
                )


def write_roles(project: Path, roles: Mapping[str, Mapping[str, str]]) -> None:
    """Write roles below project/roles; their names and paths were checked."""
    for name, files in roles.items():
        for path, text in files.items():
            place = project / "roles" / name / path
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(place, text)


def _inside(path: str) -> bool:
    """Say whether a path is relative and stays where it starts."""
    parts = path.split("/")
    return (
        len(parts) <= DEEPEST
        and len(path) <= LONGEST
        and path.isprintable()
        and "\\" not in path
        and not any(part.strip() in {"", ".", ".."} for part in parts)
    )
