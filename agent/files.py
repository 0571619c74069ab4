"""Small files: tolerant reading, and writing that survives a crash."""

import os
from pathlib import Path
from typing import Optional, Union

Name = Union[str, Path]


def read_text(path: Name) -> Optional[str]:
    """The stripped text of a small file, or None when it is empty or unreadable."""
    try:
        raw = Path(path).read_bytes()
    except OSError:
        return None
    return raw.decode("utf-8", "replace").strip("\0 \t\r\n") or None


def read_integer(path: Name) -> Optional[int]:
    text = read_text(path)
    try:
        return int(text) if text else None
    except ValueError:
        return None


def sync_directory(path: Name) -> None:
    """Make a new, renamed or removed name in the directory durable."""
    if not hasattr(os, "O_DIRECTORY"):
        # Windows keeps names by itself.
        return
    descriptor = os.open(str(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, mode 0600; raises OSError.

    Written by root into the directory of an unprivileged service, the file is
    given to the owner of the directory, so that the service can read it.
    """
    draft = path.with_name(path.name + ".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(str(draft), flags, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as handle:
        if hasattr(os, "fchown"):
            own(descriptor, path.parent)
        handle.write(text)
        handle.flush()
        os.fsync(descriptor)
    draft.replace(path)
    sync_directory(path.parent)


def own(descriptor: int, folder: Path) -> None:
    """Mode 0600, and, done by root, the folder's owner."""
    os.fchmod(descriptor, 0o600)
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
