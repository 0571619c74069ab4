"""Draws code for people: lines with numbers, and signs that cannot be seen made visible, so that nobody approves what is not there to read."""

from adminset.unseen import lines_of
from tasks.library.choosing import files_of
from tasks.library.storing import preview_of
from tasks.library_models import Version


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
