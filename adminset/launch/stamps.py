"""Stamps: a step that has run writes the hash of what it read, and is skipped while that stays the same."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def of_files(files: Iterable[Path], *words: str) -> str:
    """Hash names and contents of files, and words that matter as much."""
    digest = hashlib.sha256()
    for word in words:
        digest.update(word.encode() + b"\0")
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def of_folders(folders: Iterable[Path], *words: str) -> str:
    """Hash every file under the folders; hidden files do not count."""
    files = [
        file
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    ]
    return of_files((file for file in files if not file.name.startswith(".")), *words)


def read(stamp: Path) -> str:
    """Read a stamp; empty when the step has not run."""
    try:
        return stamp.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def write(stamp: Path, value: str) -> None:
    """Remember that the step has run."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(value + "\n", encoding="ascii")
