"""The clean directory of one build: the source, a home of its own, what it may keep for the next one; wiped whatever happens."""

import os
import shutil
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.conf import settings

from tasks.ansible_stop import stop
from tasks.services.orphans import living_below

WIPES, WIPE_SECONDS = 50, 0.1
FOLDER_BYTES = 4096


@dataclass(frozen=True)
class Room:
    """The directory of a build.

    Attributes:
        root: all of it. caches: folders of the project that outlive builds.
    """

    root: Path
    caches: Path

    @property
    def source(self) -> Path:
        """Where the files of the source are, and the commands run."""
        return self.root / "source"

    @property
    def home(self) -> Path:
        """HOME of the commands. It tells their processes from all others of this machine."""
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        """TMPDIR of the commands."""
        return self.root / "tmp"

    @property
    def mark(self) -> Path:
        """Says, once it is there, which commit lies in `source`, whole."""
        return self.root / "fetched.json"

    def size(self) -> int:
        """Count the bytes of all files."""
        return size_of(self.root)

    def size_of_caches(self) -> int:
        """Count the bytes that the project's caches take; those that are lent to a build count there."""
        return size_of(self.caches)


def room_of(name: str, project_id: int) -> Room:
    """Name the room of a build: of a deploy all attempts have the same, so that each finds what the one before left."""
    base = Path(settings.BUILD_DIR)
    return Room(base / "work" / name, base / "caches" / str(project_id))


def end_orphans(room: Room) -> int:
    """End what earlier workers left running for this build; give how many processes."""
    found = living_below(room.root)
    if found:
        stop(found)
    return len(found)


def make_clean(room: Room) -> None:
    """Empty the room, with an end to all that still runs in it, and make its folders."""
    clear(room)
    limit_caches(room)
    for folder in (room.root, room.source, room.home, room.temporary):
        folder.mkdir(mode=0o700, parents=True)


def clear(room: Room) -> None:
    """Take the room away, whatever still writes there, and whatever may not be written there."""
    end_orphans(room)
    wipe(room.root)


def wipe(folder: Path) -> None:
    """Remove a folder. Folders that their makers made read-only are opened first (Go does that)."""
    for _try in range(WIPES):
        if not folder.is_symlink() and folder.is_dir():
            _open_up(folder)
            shutil.rmtree(folder, ignore_errors=True)
        else:
            folder.unlink(missing_ok=True)
        if not os.path.lexists(folder):
            return
        time.sleep(WIPE_SECONDS)


def _open_up(folder: Path) -> None:
    for _root, folders, _files, handle in os.fwalk(folder, follow_symlinks=False):
        for name in folders:
            with suppress(OSError):
                mode = os.lstat(name, dir_fd=handle).st_mode
                if stat.S_ISDIR(mode) and mode & 0o700 != 0o700:
                    os.chmod(name, 0o700, dir_fd=handle)


def size_of(folder: Path) -> int:
    """Count the bytes of all files below a folder; what goes meanwhile does not count."""
    total = 0
    if not folder.is_dir():
        return 0
    for _root, folders, files, handle in os.fwalk(folder, onerror=None):
        # A folder costs the disk as much as a small file.
        total += len(folders) * FOLDER_BYTES
        for name in files:
            with suppress(OSError):
                about = os.lstat(name, dir_fd=handle)
                total += min(about.st_size, about.st_blocks * 512)
    return total


def lend_caches(room: Room, paths: Iterable[str]) -> None:
    """Move the cached folders of the project to their places in the source; another build that runs meanwhile has none."""
    for number, path in _numbered(paths):
        kept, place = room.caches / number, room.source / path
        if kept.is_dir() and _is_plain(room.source, path) and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            with suppress(OSError):
                kept.rename(place)


def take_caches_back(room: Room, paths: Iterable[str]) -> None:
    """Move them back after a build that ended well; all go where they have become too large together."""
    room.caches.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number, path in _numbered(paths):
        place, kept = room.source / path, room.caches / number
        if _is_plain(room.source, path) and place.is_dir() and not place.is_symlink():
            wipe(kept)
            with suppress(OSError):
                place.rename(kept)
    limit_caches(room)


def limit_caches(room: Room) -> bool:
    """Clear all caches of the project where they are larger together than they may be; say whether they were."""
    if room.size_of_caches() <= settings.BUILD_CACHE_BYTES:
        return False
    wipe(room.caches)
    return True


def _numbered(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Name each cached folder for the disk: its path may be anything."""
    cleaned = [path.strip().strip("/") for path in paths]
    return [(f"kept-{quote(path, safe='')}", path) for path in cleaned]


def _is_plain(root: Path, path: str) -> bool:
    """Say whether no part of the way to a path is a link that the source brought along."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return False
    steps = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return not any((root / step).is_symlink() for step in steps)
