"""One file of the spool: written by one process only, read with all its damage."""

import errno
import json
import os
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Set, Tuple

from agent.files import write_private

SEGMENT_BYTES = 256 << 10
SEGMENT_SAMPLES = 200
# The first line of a file that was thinned; it is no sample, so readers skip it.
THINNED = b'{"thinned":true}'
FIELDS: Tuple[Tuple[str, Any], ...] = (
    ("boot_id", str),
    ("seq", int),
    ("time", (int, float)),
    ("values", dict),
)

Sample = Dict[str, Any]


class Segment:
    """A file `<number>.jsonl`; `done` names the samples that the portal has.

    `written` is a moment of the monotonic clock: a step of the wall clock must
    not age a spool by years.
    """

    def __init__(self, path: Path, size: int, written: float) -> None:
        self.path = path
        self.number = int(path.stem)
        self.size = size
        self.written = written
        self.count = 0
        self.thinned = False
        self.done: Set[Tuple[str, int]] = set()
        self.descriptor: Optional[int] = None

    @classmethod
    def found(cls, path: Path) -> "Segment":
        """A file of a former process: read, and never appended to."""
        try:
            age = max(time.time() - path.stat().st_mtime, 0.0)
            lines = path.read_bytes().splitlines()
        except OSError:
            return cls(path, 0, time.monotonic())
        segment = cls(path, sum(map(len, lines)) + len(lines), time.monotonic() - age)
        segment.thinned = lines[:1] == [THINNED]
        segment.count = len(lines) - segment.thinned
        return segment

    @classmethod
    def create(cls, folder: Path, number: int) -> "Segment":
        segment = cls(folder / f"{number:012d}.jsonl", 0, time.monotonic())
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        segment.descriptor = os.open(str(segment.path), flags, 0o600)
        return segment

    def is_full(self, incoming: int) -> bool:
        return self.count >= SEGMENT_SAMPLES or self.size + incoming > SEGMENT_BYTES

    def append(self, line: bytes) -> None:
        """Durable when it returns; after an OSError the file is as it was before."""
        descriptor = self.descriptor
        if descriptor is None:
            raise OSError(errno.EBADF, "the segment is closed")
        try:
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, "no space left for a whole sample")
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, self.size)
            raise
        self.size += len(line)
        self.count += 1
        self.written = time.monotonic()

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def left(self) -> int:
        """How many samples wait, as far as it is known without reading."""
        return max(self.count - len(self.done), 0)

    def waiting(self) -> List[Sample]:
        """Samples that the portal does not have yet; damaged lines are skipped.

        OSError: it cannot be read now (no descriptor left, a disk's fault), which says nothing of what is in it.
        """
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        samples = [sample for sample in map(parse, lines) if sample]
        return [
            entry
            for entry in samples
            if (entry["boot_id"], entry["seq"]) not in self.done
        ]

    def is_done(self) -> bool:
        """Whether nothing in it waits; False where that cannot be seen now."""
        try:
            return not self.waiting()
        except OSError:
            return False

    def thin(self) -> None:
        """Keep every second sample only, in one step; raises OSError."""
        state = self.path.stat()
        kept = [encoded(sample) for sample in self.waiting()[1::2]]
        text = b"".join([THINNED + b"\n", *kept])
        write_private(self.path, text.decode())
        os.utime(str(self.path), (state.st_atime, state.st_mtime))
        self.size, self.count, self.done = len(text), len(kept), set()
        self.thinned = True


def encoded(sample: Sample) -> bytes:
    """One line; ValueError for a number that is none."""
    return json.dumps(sample, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def parse(line: bytes) -> Optional[Sample]:
    """None for a line that was cut off, or is not a sample of ours."""
    try:
        sample = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(sample, dict):
        return None
    whole = all(isinstance(sample.get(name), kind) for name, kind in FIELDS)
    return sample if whole else None
