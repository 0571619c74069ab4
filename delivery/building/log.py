"""What a build prints: a file beside its row, head and end kept, secrets masked, read by byte offset while it grows."""

import codecs
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from tasks.kept_output import Keeper
from tasks.redaction import StreamRedactor

CHUNK_BYTES = 128 * 1024


def path_of(build_id: int) -> Path:
    """Name the file of a build's output."""
    return Path(settings.BUILD_DIR) / "logs" / f"{int(build_id)}.log"


class BuildLog:
    """Appends to the output of a build."""

    def __init__(self, build_id: int, secrets: Iterable[str] = ()) -> None:
        path = path_of(build_id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        most = settings.BUILD_OUTPUT_BYTES
        self._keeper = Keeper(path, most, min(most // 4, 256 * 1024))
        self._redactor = StreamRedactor(list(secrets))

    def write(self, data: bytes) -> None:
        """Append what a command printed; the possible start of a secret waits for its rest."""
        shown = self._redactor.feed(data)
        if shown:
            self._keeper.append(shown)

    def say(self, words: str) -> None:
        """Append a line of the portal's own."""
        self._keeper.append(self._redactor.flush())
        self._keeper.append(f"# {words}\n".encode())

    def close(self) -> int:
        """Append what was held back, and the end where not all is kept; give the size of the file."""
        self._keeper.append(self._redactor.flush())
        self._keeper.close()
        return self._keeper.size


@dataclass(frozen=True)
class Piece:
    """Text from byte `offset` on; the next piece begins at `next_offset`."""

    offset: int
    next_offset: int
    text: str


def read(
    build_id: int, offset: int, *, most: int = CHUNK_BYTES, last: bool = False
) -> Piece:
    """Read from a byte offset on, whole characters only.

    Args:
        last: nothing will be added, so a broken character at the end is shown as such.
    """
    try:
        with path_of(build_id).open("rb") as file:
            file.seek(max(0, offset))
            data = file.read(most)
    except (OSError, OverflowError):
        data = b""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data, final=last and len(data) < most)
    held = decoder.getstate()[0]
    return Piece(offset, offset + len(data) - len(held), text)


def size(build_id: int) -> int:
    """Give the bytes that are there."""
    try:
        return path_of(build_id).stat().st_size
    except OSError:
        return 0


def clean() -> int:
    """Take away outputs that are older than they may be; give how many."""
    old, went = time.time() - settings.BUILD_LOG_DAYS * 86_400, 0
    for path in (Path(settings.BUILD_DIR) / "logs").glob("*"):
        if path.stat().st_mtime < old:
            path.unlink(missing_ok=True)
            went += 1
    return went
