"""One file of the spool: written by one process only, read with all its damage."""

import errno
import json
import os
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Set, Tuple

SEGMENT_BYTES = 256 << 10
SEGMENT_SAMPLES = 200
FIELDS: Tuple[Tuple[str, Any], ...] = (
    ("boot_id", str),
    ("seq", int),
    ("time", (int, float)),
    ("values", dict),
)

Sample = Dict[str, Any]


class Segment:
    """A file `<number>.jsonl`; `done` names the samples that the portal has."""

    def __init__(self, path: Path, size: int, written: float) -> None:
        self.path = path
        self.number = int(path.stem)
        self.size = size
        self.written = written
        self.count = 0
        self.done: Set[Tuple[str, int]] = set()
        self.descriptor: Optional[int] = None

    @classmethod
    def found(cls, path: Path) -> "Segment":
        """A file of a former process: read, and never appended to."""
        try:
            state = path.stat()
        except OSError:
            return cls(path, 0, time.time())
        return cls(path, state.st_size, state.st_mtime)

    @classmethod
    def create(cls, folder: Path, number: int) -> "Segment":
        segment = cls(folder / f"{number:012d}.jsonl", 0, time.time())
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
        self.written = time.time()

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def waiting(self) -> List[Sample]:
        """Samples that the portal does not have yet; damaged lines are skipped."""
        try:
            lines = self.path.read_bytes().splitlines()
        except OSError:
            return []
        samples = [sample for sample in map(parse, lines) if sample]
        return [
            entry
            for entry in samples
            if (entry["boot_id"], entry["seq"]) not in self.done
        ]


def parse(line: bytes) -> Optional[Sample]:
    """None for a line that was cut off, or is not a sample of ours."""
    try:
        sample = json.loads(line.decode("utf-8"))
    except ValueError:
        return None
    if not isinstance(sample, dict):
        return None
    whole = all(isinstance(sample.get(name), kind) for name, kind in FIELDS)
    return sample if whole else None
