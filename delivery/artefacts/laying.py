"""Lays the files of an artefact into a folder, as the hosts have them."""

import shutil
from collections.abc import Callable
from pathlib import Path

from delivery.artefacts import store
from delivery.artefacts.manifests import Entry

# Files between two looks.
LOOK_EACH = 50


def lay_out(sha256: str, folder: Path, look: Callable[[], object]) -> None:
    """Copy all files, links and folders of an artefact into an empty folder: nobody changes the store there.

    Args:
        look: called now and then; what it raises ends the copying.

    Raises:
        DomainError: the artefact is not there. OSError: what the disk says.
    """
    with store.holding():
        for number, entry in enumerate(store.manifest(sha256).entries):
            if number % LOOK_EACH == 0:
                look()
            _lay(entry, folder / entry.path)


def _lay(entry: Entry, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if entry.target:
        place.symlink_to(entry.target)
    elif entry.is_file:
        shutil.copyfile(store.blob_path(entry.sha256), place)
        place.chmod(0o755 if entry.executable else 0o644)
    else:
        place.mkdir(exist_ok=True)
