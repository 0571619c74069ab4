"""Clears the store: manifests that nobody wants, and the files that no manifest names."""

import logging
import shutil
import time
from collections.abc import Collection
from pathlib import Path

from adminset.errors import DomainError
from delivery.artefacts import manifests, store

logger = logging.getLogger(__name__)
# What was added so lately is nobody's leftover yet: its row may still be on its way.
GRACE_SECONDS = 24 * 3600


def clean(wanted: Collection[str]) -> tuple[int, int]:
    """Take away all artefacts but those wanted and those of the last day: (artefacts, bytes) that went.

    Args:
        wanted: SHA-256 of manifests; their files stay, whoever else had them too.
    """
    went = freed = 0
    with store.holding(alone=True):
        used: set[str] = set()
        for place in store.MANIFESTS.root.glob("??/*"):
            young = time.time() - place.stat().st_mtime < GRACE_SECONDS
            if place.name in wanted or young:
                used |= _blobs_of(place)
            else:
                place.unlink()
                went += 1
        for blob in store.BLOBS.root.glob("??/*"):
            if blob.name not in used:
                freed += blob.stat().st_size
                blob.unlink()
        shutil.rmtree(store.root() / "aside", ignore_errors=True)
    return went, freed


def _blobs_of(place: Path) -> set[str]:
    """Name the files of a manifest. A damaged one stops no cleaning, and keeps what it still names."""
    if place.name.startswith("."):
        return set()
    data = place.read_bytes()
    try:
        found = manifests.read(place.name, data)
    except DomainError:
        logger.warning("The manifest %s is damaged.", place.name)
        return manifests.blobs_named(data)
    return {entry.sha256 for entry in found.files.values()}
