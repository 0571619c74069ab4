"""Files that come in pieces: one process at a time has such a file, and nobody writes into it once it has its final name."""

import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError, NotFound

TICKET = re.compile(r"[0-9a-f]{32}")
# A piece is written in less; who asks again after a broken connection meets the one before.
PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.05
# A file that nobody goes on with for so long makes room for others.
IDLE_SECONDS = 3600


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


def settle(file: IO[bytes], place: Path) -> None:
    """Give a file that nobody else writes its final name, all of it on the disk and never written again."""
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


@dataclass(frozen=True)
class Bounds:
    """How many files of a folder may have begun and not ended, and how many bytes they may take together.

    Attributes:
        refusal: what is raised where there would be more.
    """

    files: int
    size: int
    refusal: Callable[[], DomainError]


class Incoming:
    """Files that come in pieces into a folder, each by a ticket that nobody guesses.

    Args:
        of: begins the names of those meant here; others of the folder are not found by their tickets, but count for the bounds.
    """

    def __init__(self, folder: Path, bounds: Bounds, *, of: str = "") -> None:
        self._folder, self._bounds, self._of = folder, bounds, of
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path_of(self, ticket: str) -> Path:
        """Say where a file grows; raises NotFound where that is no ticket."""
        if not TICKET.fullmatch(ticket):
            raise _no_such()
        return self._folder / f"{self._of}{ticket}.part"

    def begin(self) -> str:
        """Begin a file; give the ticket that its pieces name.

        Where too many have begun, those that nobody went on with for an hour make room; raises the refusal of the bounds
        where none does.
        """
        if len(self._open_ones()) >= self._bounds.files:
            self.forget(older_seconds=IDLE_SECONDS)
        if len(self._open_ones()) >= self._bounds.files:
            raise self._bounds.refusal()
        ticket = secrets.token_hex(16)
        self.path_of(ticket).touch(mode=0o600)
        return ticket

    def add(
        self, ticket: str, offset: int, data: bytes, judge: Callable[[int], None]
    ) -> int:
        """Append a piece; give how many bytes are there. The last one once more is done: its sender did not hear that it came.

        Args:
            judge: is told how many bytes there would be, and raises where that is too many.

        Raises:
            Conflict: it begins elsewhere than the file ends, or another piece is being written.
            NotFound: no such file. The refusal of the bounds: all together would take too much.
        """
        with self._held(ticket) as file:
            end = file.seek(0, os.SEEK_END)
            if offset + len(data) == end and _is_there(file, offset, data):
                return end
            if offset != end:
                raise Conflict(
                    _("%(size)s bytes are there: go on from there.") % {"size": end},
                    code="wrong_offset",
                )
            judge(end + len(data))
            there = sum(about.st_size for _path, about in self._open_ones())
            if there + len(data) > self._bounds.size:
                raise self._bounds.refusal()
            file.write(data)
        return end + len(data)

    def finish(
        self, ticket: str, place_for: Callable[[str], Path], *, sha256: str = ""
    ) -> tuple[str, int]:
        """Give a file the name that `place_for` says for its SHA-256: (SHA-256, size). No piece is written meanwhile, and none later.

        Args:
            sha256: what its sender says it has to be; "" where nothing is said.

        Raises:
            DomainError: it is not what its sender says, and so it is gone.
        """
        with self._held(ticket) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 and sha256.lower() != found:
                Path(file.name).unlink()
                raise _wrong_hash()
            size = file.tell()
            settle(file, place_for(found))
        return found, size

    def _open_ones(self) -> list[tuple[Path, os.stat_result]]:
        """List the files of the folder that have begun and not ended."""
        found = []
        for path in self._folder.glob("*.part"):
            with suppress(FileNotFoundError):
                found.append((path, path.stat()))
        return found

    def forget(self, *, older_seconds: float) -> int:
        """Take away files of the folder with which nobody went on for so long; give how many."""
        old = time.time() - older_seconds
        late = [path for path, about in self._open_ones() if about.st_mtime < old]
        for path in late:
            path.unlink(missing_ok=True)
        return len(late)

    @contextmanager
    def _held(self, ticket: str) -> Iterator[BufferedRandom]:
        with ExitStack() as stack:
            try:
                file = stack.enter_context(held(self.path_of(ticket)))
            except FileNotFoundError:
                raise _no_such() from None
            yield file


def _is_there(file: BufferedRandom, offset: int, data: bytes) -> bool:
    file.seek(max(offset, 0))
    there = file.read(len(data))
    file.seek(0, os.SEEK_END)
    return there == data


def _no_such() -> NotFound:
    return NotFound(_("There is no such upload."), code="no_such_upload")


def _wrong_hash() -> DomainError:
    return DomainError(
        _("What came has another SHA-256 than what was sent."),
        _("Send it again."),
        code="wrong_hash",
    )
