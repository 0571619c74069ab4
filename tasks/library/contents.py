"""What a version consists of, and whether it may be kept: sizes, names of files, plain text."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from tasks.checks import checked_yaml

LONGEST_PATH = 200
DEEPEST_PATH = 10
# Ansible reads these folders of a role as YAML.
YAML_FOLDERS = ("tasks", "handlers", "defaults", "vars", "meta")


@dataclass(frozen=True)
class Content:
    """What stands in a version: a text, a role's files, or bytes that lie under their SHA-256."""

    sha256: str
    size: int
    text: str = ""
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Commit:
    """A commit by its id, and whom it names as author and committer; no commit where nothing came from git."""

    key: str = ""
    people: tuple[dict[str, str], ...] = ()


def of_text(text: str) -> Content:
    """Make the content of a script or playbook."""
    raw = text.encode()
    return Content(hashlib.sha256(raw).hexdigest(), len(raw), text=text)


def of_files(files: Mapping[str, str]) -> Content:
    """Make the content of a role; the same files give the same hash, whatever their order."""
    ordered = {path: files[path] for path in sorted(files)}
    raw = json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode()
    size = sum(len(text.encode()) for text in ordered.values())
    return Content(hashlib.sha256(raw).hexdigest(), size, files=ordered)


def of_bytes(sha256: str, size: int) -> Content:
    """Make the content of a stored file whose bytes are kept already."""
    return Content(sha256, size)


def address(page: str, path: str) -> str:
    """Give the address of an item's content tab, open at a file of a role."""
    query = {"tab": "content", **({"file": path} if path else {})}
    return f"{page}?{urlencode(query)}"


def with_plain_ends(text: str) -> str:
    """Give a text with the line ends of the hosts: a browser sends those of Windows, and no shell likes them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_text(text: str) -> None:
    """Accept a text that is no longer than ADMINSET_LIBRARY_TEXT_BYTES; ValidationError says how long it is."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > settings.LIBRARY_TEXT_BYTES:
        raise ValidationError(
            _("This is %(size)s KiB long; at most %(most)s KiB are kept."),
            params={
                "size": -(-size // 1024),
                "most": settings.LIBRARY_TEXT_BYTES // 1024,
            },
        )
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValidationError(
            _("This is no text: it has signs in it that no text has.")
        )


def check_path(path: str) -> None:
    """Accept the path of a file in a role, such as tasks/main.yml.

    Raises:
        ValidationError: a sentence.
    """
    parts = path.split("/")
    hidden = any(unicodedata.category(sign)[0] == "C" for sign in path)
    wrong = hidden or "\\" in path or path.startswith(("/", "-", "~"))
    if wrong or any(part in ("", ".", "..") for part in parts):
        raise ValidationError(
            _("%(path)s is no path of a file. Write it as tasks/main.yml."),
            params={"path": path[:80]},
        )
    if len(path) > LONGEST_PATH or len(parts) > DEEPEST_PATH:
        raise ValidationError(
            _("The path %(path)s... is too long or too deep."),
            params={"path": path[:60]},
        )


def check_files(files: Mapping[str, str]) -> None:
    """Accept the files of a role: their number, paths, sizes, and that what Ansible reads is YAML.

    Raises:
        ValidationError: a sentence that names the file.
    """
    if not files:
        raise ValidationError(_("The role has no file. Add tasks/main.yml."))
    if len(files) > settings.LIBRARY_ROLE_FILES:
        raise ValidationError(
            _("These are %(count)s files; a role has at most %(most)s."),
            params={"count": len(files), "most": settings.LIBRARY_ROLE_FILES},
        )
    for path, text in files.items():
        check_path(path)
        check_file(path, text)
    _check_sum(files)
    _check_folders(files)


def check_file(path: str, text: str) -> None:
    """Accept one file of a role; ValidationError names it and the line."""
    try:
        check_text(text)
        if _is_yaml(path):
            checked_yaml(text)
    except ValidationError as error:
        raise ValidationError(
            "%(path)s: %(problem)s",
            params={"path": path, "problem": " ".join(error.messages)},
        ) from error


def _is_yaml(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.parts[0] in YAML_FOLDERS and pure.suffix in (".yml", ".yaml")


def _check_sum(files: Mapping[str, str]) -> None:
    total = sum(len(text.encode()) for text in files.values())
    if total > settings.LIBRARY_ROLE_BYTES:
        raise ValidationError(
            _("The files are %(size)s KiB together; at most %(most)s KiB are kept."),
            params={
                "size": -(-total // 1024),
                "most": settings.LIBRARY_ROLE_BYTES // 1024,
            },
        )


def _check_folders(files: Mapping[str, str]) -> None:
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    both = sorted(folders & set(files))
    if both:
        raise ValidationError(
            _("%(path)s is a file and a folder at once."), params={"path": both[0]}
        )
