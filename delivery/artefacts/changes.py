"""What of an artefact a host lacks that has another one: files it has already, files that moved, files of which little changed."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from delivery.artefacts import store
from delivery.artefacts.deltas import Piece, pieces_of
from delivery.artefacts.manifests import Entry, Manifest

# A patch is worth its trouble when so much of the file need not be sent.
PATCH_SAVES = 0.5
Gone = dict[tuple[str, str], list[Entry]]


@dataclass(frozen=True)
class Copy:
    """Make the file `to` of `source`, which is in the base ("base") or in the new tree itself ("new")."""

    where: str
    source: str
    to: str


@dataclass(frozen=True)
class Patch:
    """Make the file `to` of pieces of `source` in the base, and of bytes that are sent."""

    source: str
    to: Entry
    pieces: Sequence[Piece]


@dataclass
class Changes:
    """How to make an artefact: files as they are in the base, copies, patches, and what is sent whole."""

    same: list[str] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    patches: list[Patch] = field(default_factory=list)
    sent: list[Entry] = field(default_factory=list)


def changes_between(new: Manifest, base: Manifest | None) -> Changes:
    """Say how a host that has `base` (None: nothing) gets to `new`."""
    had = base.files if base else {}
    where_in_base = {entry.sha256: path for path, entry in had.items()}
    changes, first = Changes(), dict[str, str]()
    gone = _gone(had, new)
    within: list[Copy] = []
    for path, entry in new.files.items():
        old = had.get(path)
        if old is not None and old.sha256 == entry.sha256:
            changes.same.append(path)
        elif entry.sha256 in where_in_base:
            changes.copies.append(Copy("base", where_in_base[entry.sha256], path))
        elif entry.sha256 in first:
            within.append(Copy("new", first[entry.sha256], path))
        else:
            first[entry.sha256] = path
            patch = _patch(entry, had, gone)
            if patch is None:
                changes.sent.append(entry)
            else:
                changes.patches.append(patch)
    # After all else: what they are made of has to be there.
    changes.copies += within
    return changes


def _patch(entry: Entry, had: Mapping[str, Entry], gone: Gone) -> Patch | None:
    if entry.size < settings.ARTEFACT_DELTA_BYTES:
        return None
    old = had.get(entry.path) or _renamed(entry, gone)
    if old is None or old.size < settings.ARTEFACT_DELTA_BYTES:
        return None
    block = settings.ARTEFACT_BLOCK_BYTES
    most = int(entry.size * PATCH_SAVES)
    files = store.blob_path(old.sha256), store.blob_path(entry.sha256)
    try:
        pieces = pieces_of(*files, block, most)
    except OSError:
        # Damaged or gone: the whole file tells.
        return None
    return None if pieces is None else Patch(old.path, entry, pieces)


def _gone(had: Mapping[str, Entry], new: Manifest) -> Gone:
    """Find the large files that are not there any more, by what is left of their names without version or hash."""
    found: Gone = {}
    for path, entry in had.items():
        if entry.size >= settings.ARTEFACT_DELTA_BYTES and path not in new.files:
            found.setdefault(_stem(path), []).append(entry)
    return found


def _renamed(entry: Entry, gone: Gone) -> Entry | None:
    """Find what a new file was called before: names with a version or hash in them change with each build."""
    alike = gone.get(_stem(entry.path), ())
    return min(alike, key=lambda old: abs(old.size - entry.size), default=None)


def _stem(path: str) -> tuple[str, str]:
    folder, _slash, name = path.rpartition("/")
    plain, ending = os.path.splitext(name)  # noqa: PTH122 - no path of this machine
    for sign in ".-_":
        plain = plain.partition(sign)[0]
    return f"{folder}/{plain}", ending
