"""Files that come in pieces: one process at a time has such a file, and nobody writes into it once it has its final name."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path

from django.utils.translation import gettext as _

from adminset.errors import Conflict

# A piece is written in less; who asks again after a broken connection meets the one before.
PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.05


@contextmanager
def held(path: Path) -> Iterator[BufferedRandom]:
    """Open a file that grows, for this process alone.

    Raises:
        FileNotFoundError: it is not there, or was finished while this one waited.
        Conflict: another piece of it is still being written.
    """
    with path.open("r+b") as file:
        _wait(file)
        if not os.path.samestat(path.stat(), os.fstat(file.fileno())):
            raise FileNotFoundError(path)
        yield file


def _wait(file: BufferedRandom) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise Conflict(
                    _("Another piece of this file is still being written."),
                    _("Try again in a moment."),
                    code="upload_busy",
                ) from None
            time.sleep(LOOK_SECONDS)
        else:
            return


def settle(file: BufferedRandom, place: Path) -> None:
    """Give a file that `held` has its final name, all of it on the disk and never written again."""
    file.flush()
    os.fchmod(file.fileno(), 0o400)
    os.fsync(file.fileno())
    Path(file.name).replace(place)
    sync_folder(place.parent)


def sync_folder(folder: Path) -> None:
    """See that the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
