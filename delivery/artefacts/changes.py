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
# Small files are looked at in small blocks: so many of them, but none smaller than dd's own.
BLOCKS = 64
SMALLEST_BLOCK = 512
# Each piece of a patch costs the host a process: it has to save so many bytes, and there may not be too many of them.
PIECE_BYTES = 2048
LEAST_PIECES = 5
MOST_PIECES_OF_FILE = 1000
# Of all files of a pack that are small, together: some ten seconds on a host.
MOST_PIECES_OF_SMALL = 20_000
SMALL_BYTES = 256 * 1024
Gone = dict[tuple[str, str], list[Entry]]


@dataclass(frozen=True)
class Copy:
    """Make the file `to` of `source`, which is in the base ("base") or in the new tree itself ("new")."""

    where: str
    source: str
    to: str


@dataclass(frozen=True)
class Patch:
    """Make the file `to` of pieces of `source` in the base, counted in blocks of `block` bytes, and of bytes that are sent."""

    source: str
    to: Entry
    block: int
    pieces: Sequence[Piece]


@dataclass
class Changes:
    """How to make an artefact: files as they are in the base, copies, patches, and what is sent whole."""

    same: list[str] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    patches: list[Patch] = field(default_factory=list)
    sent: list[Entry] = field(default_factory=list)

    @property
    def pieces(self) -> int:
        """Of how many pieces the patches are."""
        return sum(len(patch.pieces) for patch in self.patches)


def changes_between(new: Manifest, base: Manifest | None) -> Changes:
    """Say how a host that has `base` (None: nothing) gets to `new`."""
    had = base.files if base else {}
    where_in_base = {entry.sha256: path for path, entry in had.items()}
    changes, first = Changes(), dict[str, str]()
    gone = _gone(had, new)
    within: list[Copy] = []
    left = MOST_PIECES_OF_SMALL
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
            patch = _patch(entry, had, gone, left)
            if patch is None:
                changes.sent.append(entry)
            else:
                changes.patches.append(patch)
                left -= len(patch.pieces) if entry.size < SMALL_BYTES else 0
    # After all else: what they are made of has to be there.
    changes.copies += within
    return changes


def _patch(
    entry: Entry, had: Mapping[str, Entry], gone: Gone, left: int
) -> Patch | None:
    if entry.size < settings.ARTEFACT_DELTA_BYTES:
        return None
    old = had.get(entry.path) or _renamed(entry, gone)
    if old is None or old.size < settings.ARTEFACT_DELTA_BYTES:
        return None
    block, most = _block_for(entry.size), int(entry.size * PATCH_SAVES)
    most_pieces = min(MOST_PIECES_OF_FILE, LEAST_PIECES + entry.size // PIECE_BYTES)
    if entry.size < SMALL_BYTES:
        most_pieces = min(most_pieces, left)
    files = store.blob_path(old.sha256), store.blob_path(entry.sha256)
    try:
        pieces = pieces_of(*files, block, most, most_pieces)
    except OSError:
        # Damaged or gone: the whole file tells.
        return None
    return None if pieces is None else Patch(old.path, entry, block, pieces)


def _block_for(size: int) -> int:
    """Choose the blocks of a file: a power of two that gives some dozens of them, up to what the settings say."""
    block = 1 << max(size // BLOCKS, SMALLEST_BLOCK).bit_length() - 1
    return min(block, settings.ARTEFACT_BLOCK_BYTES)


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
