"""Writes a pack, compressed where that pays, and knows its SHA-256 as it goes."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from delivery.artefacts import store
from delivery.artefacts.manifests import Entry

# Whether compressing pays is tried on so many pieces of so many bytes: a fifth has to go.
SAMPLES = 64
SAMPLE_BYTES = 32 * 1024
WORTH_IT = 0.8
# What the lists of a pack take for each entry, and what gzip leaves of that: hashes stay, paths go.
LISTED_BYTES = 150
LISTED_RATIO = 0.5


def is_worth_it(sent: Sequence[Entry], entries: int) -> bool:
    """Say whether gzip makes a pack much smaller, by a sample of the files that are sent whole."""
    before = after = 0
    step = max(1, len(sent) // SAMPLES)
    for entry in sent[::step][:SAMPLES]:
        with suppress(OSError), store.blob_path(entry.sha256).open("rb") as file:
            file.seek(max(0, entry.size // 2 - SAMPLE_BYTES // 2))
            data = file.read(SAMPLE_BYTES)
            before += len(data)
            after += len(gzip.compress(data, 1))
    size, listed = sum(entry.size for entry in sent), entries * LISTED_BYTES
    packed = size * after / max(before, 1) + listed * LISTED_RATIO
    return packed < WORTH_IT * (size + listed)


class Counted(io.RawIOBase):
    """Writes a file, compressed or not, and knows its SHA-256 and sizes."""

    def __init__(self, file: IO[bytes], *, compressed: bool) -> None:
        self._file, self._digest = file, hashlib.sha256()
        self.size = self.raw_size = 0
        # 31: with gzip's head, which has no name and no time in it.
        self._zip = zlib.compressobj(1, zlib.DEFLATED, 31) if compressed else None

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write some more."""
        self.raw_size += len(data)
        self._put(self._zip.compress(data) if self._zip else data)
        return len(data)

    def close(self) -> None:
        """Write what was held back; the file itself stays open."""
        if not self.closed and self._zip:
            self._put(self._zip.flush())
        super().close()

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written so far."""
        return self._digest.hexdigest()
