"""Writes private files, and removes the private directory of a run whatever still writes there."""

from __future__ import annotations

import logging
import os
import shutil
import time
from pathlib import Path

# Long enough for a process that was killed to be gone.
WIPES, WIPE_SECONDS = 50, 0.1
logger = logging.getLogger(__name__)


def wipe(*folders: Path) -> None:
    """Remove private folders; what a dying process still writes there goes with the next try."""
    for _ in range(WIPES):
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        if not any(folder.exists() for folder in folders):
            return
        time.sleep(WIPE_SECONDS)
    logger.error("the private directory of a run could not be removed: %s", folders)


def write_private(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file that nobody but its owner may read, from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def hand_over(folder: Path, owner: tuple[int, int]) -> None:
    """Give a folder and all in it to a user id and a group id; raises OSError without the right to."""
    for parent, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(parent) / name, *owner, follow_symlinks=False)
