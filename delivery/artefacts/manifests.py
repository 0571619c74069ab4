"""The manifest of an artefact: one line of JSON for each file, link and empty folder, in one canonical form whose SHA-256 names it."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from adminset.errors import DomainError

HEAD = {"adminset": "manifest", "format": 1}
NAMED = re.compile(rb'"sha256":"([0-9a-f]{64})"')


@dataclass(frozen=True)
class Entry:
    """A file (sha256, size, executable), a link (target) or an empty folder (neither)."""

    path: str
    sha256: str = ""
    size: int = 0
    executable: bool = False
    target: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a plain file."""
        return bool(self.sha256)

    def line(self) -> dict[str, object]:
        """Give what its line says."""
        if self.is_file:
            mode = "755" if self.executable else "644"
            return {
                "path": self.path,
                "mode": mode,
                "size": self.size,
                "sha256": self.sha256,
            }
        if self.target:
            return {"path": self.path, "link": self.target}
        return {"path": self.path, "folder": True}


@dataclass(frozen=True)
class Manifest:
    """All entries of an artefact, by path."""

    sha256: str
    entries: tuple[Entry, ...]

    @cached_property
    def files(self) -> Mapping[str, Entry]:
        """Its plain files, by path."""
        return {entry.path: entry for entry in self.entries if entry.is_file}

    @cached_property
    def links(self) -> Mapping[str, Entry]:
        """Its symbolic links, by path."""
        return {entry.path: entry for entry in self.entries if entry.target}

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """Its empty folders."""
        return tuple(
            e.path for e in self.entries if not e.is_file and e.path not in self.links
        )

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries)


def written(entries: Iterable[Entry]) -> tuple[str, bytes]:
    """Write a manifest: (its SHA-256, its bytes)."""
    listed = sorted(entries, key=lambda entry: entry.path.encode())
    lines = [_json(HEAD), *(_json(entry.line()) for entry in listed)]
    data = ("\n".join(lines) + "\n").encode()
    return hashlib.sha256(data).hexdigest(), data


def read(sha256: str, data: bytes) -> Manifest:
    """Read a manifest back.

    Raises:
        DomainError: it is not what it was when it was written.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        raise broken(sha256)
    try:
        # Not splitlines(): names may hold what it takes for the end of a line.
        lines = data.decode().split("\n")[1:-1]
        return Manifest(sha256, tuple(_entry(json.loads(line)) for line in lines))
    except (ValueError, KeyError, TypeError):
        raise broken(sha256) from None


def blobs_named(data: bytes) -> set[str]:
    """Name the files of a manifest by what can still be read of it, however damaged it is."""
    return {found.decode() for found in NAMED.findall(data)}


def _entry(line: dict[str, str]) -> Entry:
    return Entry(
        line["path"],
        line.get("sha256", ""),
        int(line.get("size", 0)),
        line.get("mode") == "755",
        line.get("link", ""),
    )


def _json(line: Mapping[str, object]) -> str:
    return json.dumps(line, ensure_ascii=True, separators=(",", ":"), sort_keys=True)


def broken(sha256: str) -> DomainError:
    """Say that the bytes of an artefact are not what they were."""
    return DomainError(
        _("What is stored of the artefact %(sha)s is damaged.") % {"sha": sha256[:12]},
        _("Build it anew. What is live on hosts is not touched."),
        code="artefact_damaged",
        status=500,
    )


def missing(sha256: str) -> DomainError:
    """Say that the bytes of an artefact are not there any more."""
    return DomainError(
        _("The files of the artefact %(sha)s are not here any more.")
        % {"sha": sha256[:12]},
        _("Build it anew."),
        code="artefact_cleared",
        status=410,
    )
