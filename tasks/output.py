"""The output of runs: append-only files, read by byte offset. The one file that knows where they lie."""

import codecs
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings

from adminset import redis_door
from tasks.kept_output import Keeper, laid_aside
from tasks.redaction import StreamRedactor

WHOLE_RUN = None
CHUNK_BYTES = 128 * 1024
HINT_SECONDS = 0.1
# Small pieces are gathered for so long, or up to so many bytes, and written together.
FLUSH_SECONDS = 0.2
FLUSH_BYTES = 64 * 1024
# However many hosts a run has, so much is kept of each.
LEAST_BYTES = 4096
# The beginning of a line is looked for so far back.
LONG_LINE = 64 * 1024
# A Redis that takes so long to be told is left alone for a while: the run goes first.
SLOW_SECONDS = 0.5
PAUSE_SECONDS = 5.0
logger = logging.getLogger(__name__)


def channel(run_id: int) -> str:
    """Name the Redis channel on which a run says that something is new."""
    return f"adminset:run:{run_id}"


def folder(run_id: int) -> Path:
    """Name the folder of a run's output."""
    return Path(settings.RUN_DIR) / str(run_id)


def path_of(run_id: int, host_id: int | None) -> Path:
    """Name the file of one host of a run (RunHost's id), or of the whole run (None)."""
    return folder(run_id) / ("run.log" if host_id is WHOLE_RUN else f"{host_id}.log")


class Hints:
    """Tells whoever watches a run that something is new, and never what: the files and the database say that."""

    def __init__(self, run_id: int) -> None:
        self._channel = channel(run_id)
        self._told: dict[object, float] = {}
        self._silent_until = 0.0

    def output(self, host_id: int | None) -> None:
        """Say that a file grew; at most ten times a second for each (watchers look by themselves each second)."""
        now = time.monotonic()
        if now - self._told.get(host_id, 0.0) >= HINT_SECONDS:
            self._told[host_id] = now
            self._tell({"output": host_id})

    def status(self) -> None:
        """Say that a host, or the run itself, stands otherwise."""
        self._tell({"status": True})

    def _tell(self, hint: dict[str, object]) -> None:
        before = time.monotonic()
        if before < self._silent_until:
            return
        redis_door.publish(self._channel, json.dumps(hint))
        if time.monotonic() - before > SLOW_SECONDS:
            self._silent_until = time.monotonic() + PAUSE_SECONDS


class OutputFile:
    """Appends to one file: secrets masked, head and end kept, small pieces gathered.

    Many threads may call it. What comes after a silence is written at once; what follows within FLUSH_SECONDS waits for
    the next piece, for `flush_due` (which a lane calls a few times a second) or for the end.

    Attributes:
        received: bytes that came, secrets masked. kept: of these in the file. size: of the file, with the portal's mark.
        digest: SHA-256 of the file.
        broken: why the disk took no more of it, or empty. Nothing is appended from then on, so that no hole goes unseen.
    """

    def __init__(
        self,
        run_id: int,
        host_id: int | None,
        secrets: Iterable[str],
        hints: Hints,
        limit: int | None = None,
    ) -> None:
        self.host_id = host_id
        self.broken = ""
        self._hints = hints
        self._secrets = list(secrets)
        self._redactors: dict[str, StreamRedactor] = {}
        self._waiting = bytearray()
        self._flushed = 0.0
        self._lock = threading.Lock()
        path = path_of(run_id, host_id)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        most = settings.RUN_OUTPUT_BYTES_PER_HOST if limit is None else limit
        self._keeper = Keeper(path, most, settings.RUN_OUTPUT_TAIL_BYTES)

    @property
    def received(self) -> int:
        """Bytes that came."""
        return self._keeper.received

    @property
    def kept(self) -> int:
        """Bytes of these that are kept."""
        return self._keeper.kept

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._keeper.size

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return self._keeper.digest

    def write(self, data: bytes, stream: str = "stdout") -> None:
        """Append what a stream brought; the possible start of a secret waits for its rest.

        Raises:
            OSError: the disk takes no more, now or when something was written before.
        """
        with self._lock:
            redactor = self._redactors.setdefault(stream, StreamRedactor(self._secrets))
            self._waiting += redactor.feed(data)
            due = len(self._waiting) >= FLUSH_BYTES or self._is_due()
            grew = due and self._flush()
        if self.broken:
            raise OSError(self.broken)
        self._hint(grew)

    def flush_due(self) -> None:
        """Write what has waited long enough; where the disk does not take it, `broken` says so."""
        if not self._waiting:
            return
        with self._lock:
            grew = self._is_due() and self._flush()
        self._hint(grew)

    def close(self) -> None:
        """Append what was held back, and the end where not all is kept; `broken` says whether all was taken."""
        with self._lock:
            for redactor in self._redactors.values():
                self._waiting += redactor.flush()
            self._redactors.clear()
            grew = self._flush()
            self._put(self._keeper.close)
        self._hint(grew)

    def _hint(self, grew: bool) -> None:
        # Outside the lock: a slow Redis must not hold up whoever writes.
        if grew:
            self._hints.output(self.host_id)

    def _is_due(self) -> bool:
        return time.monotonic() - self._flushed >= FLUSH_SECONDS

    def _flush(self) -> bool:
        if not self._waiting:
            return False
        data = bytes(self._waiting)
        self._waiting.clear()
        self._flushed = time.monotonic()
        return self._put(partial(self._keeper.append, data))

    def _put(self, act: Callable[[], None]) -> bool:
        if self.broken:
            return False
        try:
            act()
        except OSError as error:
            logger.exception("an output cannot be written")
            self.broken = error.strerror or str(error)
        return not self.broken


def limits(host_count: int, *, whole: bool) -> tuple[int, int]:
    """Share what is kept of a run among its hosts: bytes of each, and of the output of the run as a whole.

    Args:
        whole: there is an output of the run as a whole, which gets half.
    """
    total: int = settings.RUN_OUTPUT_BYTES // (2 if whole else 1)
    share = max(total // max(host_count, 1), LEAST_BYTES)
    return min(settings.RUN_OUTPUT_BYTES_PER_HOST, share), total


@dataclass(frozen=True)
class Piece:
    """Text that begins at byte `offset`; the next piece begins at `next_offset`."""

    offset: int
    next_offset: int
    text: str


def read(
    run_id: int,
    host_id: int | None,
    offset: int,
    *,
    most: int = CHUNK_BYTES,
    last: bool = False,
) -> Piece:
    """Read from a byte offset on, whole characters only.

    Args:
        most: bytes at most.
        last: nothing will be added, so a broken character at the end is shown as such.
    """
    data = _bytes(run_id, host_id, offset, most)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data, final=last and len(data) < most)
    held = decoder.getstate()[0]
    return Piece(offset, offset + len(data) - len(held), text)


def read_before(
    run_id: int, host_id: int | None, end: int, *, most: int = CHUNK_BYTES
) -> Piece:
    """Read what stands before a byte offset, from where a line begins (a character, where no line does)."""
    end = min(end, size(run_id, host_id))
    begin = max(end - most, 0)
    data = _bytes(run_id, host_id, begin, end - begin)
    if begin:
        line = data.find(b"\n") + 1
        cut = line if 0 < line < len(data) else 0
        while cut < len(data) and not line and data[cut] & 0xC0 == 0x80:
            cut += 1
        begin, data = begin + cut, data[cut:]
    return Piece(begin, end, data.decode("utf-8", "replace"))


def line_start(run_id: int, host_id: int | None, offset: int) -> int:
    """Give where the line of a byte offset begins; of a very long line a place shortly before it."""
    begin = max(offset - LONG_LINE, 0)
    data = _bytes(run_id, host_id, begin, offset - begin)
    line = data.rfind(b"\n") + 1
    if line or not begin:
        return begin + line
    return read_before(run_id, host_id, offset, most=256).offset


def newest(run_id: int, host_id: int | None, most: int = 8192) -> tuple[int, str]:
    """Give how many bytes came so far, and the last of them, while more comes than is kept; else 0 and ""."""
    found = laid_aside(path_of(run_id, host_id))
    if found is None:
        return 0, ""
    return found[0], found[1][-most:].decode("utf-8", "replace")


def _bytes(run_id: int, host_id: int | None, offset: int, most: int) -> bytes:
    try:
        with path_of(run_id, host_id).open("rb") as file:
            file.seek(offset)
            return file.read(most)
    except (OSError, OverflowError, ValueError):
        return b""


def size(run_id: int, host_id: int | None) -> int:
    """Give the number of bytes that are there."""
    try:
        return path_of(run_id, host_id).stat().st_size
    except OSError:
        return 0
