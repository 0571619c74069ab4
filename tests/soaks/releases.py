"""Reads a deploy path: which release is live there, and whether it is whole."""

from __future__ import annotations

import contextlib
from pathlib import Path

PAD_BYTES = 5000


def live_of(root: Path) -> str:
    """Give the release that is live; "" where there is none."""
    with contextlib.suppress(OSError):
        return str((root / "current").readlink()).removeprefix("releases/")
    return ""


def is_whole(root: Path, release: str) -> bool:
    """Say whether all files of a release are there."""
    folder = root / "releases" / release
    try:
        word = (folder / "word").read_text()
        size = (folder / "pad").stat().st_size
    except OSError:
        return False
    number = release.partition("-")[0]
    return (folder / ".adminset-release").exists() and (word, size) == (
        f"release {number}",
        PAD_BYTES,
    )
