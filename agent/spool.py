"""Samples on disk until the portal has them: segments of JSON lines, newest first out."""

import collections
import logging
import os
import threading
import time
from pathlib import Path
from typing import Deque, Iterable, List, Optional

from agent import batch as batches
from agent.batch import Batch, key
from agent.errors import ConfigError
from agent.files import sync_directory
from agent.locks import lock
from agent.logs import quoted
from agent.segment import Sample, Segment, encoded

MEMORY_SAMPLES = 240
log = logging.getLogger(__name__)


class Spool:
    """Append-only and fsynced; where the disk refuses, a bounded piece of memory.

    A sample leaves by `remove` only, or when the bounds are passed: of the older
    half first every second sample, then, when that is done, the oldest segment.
    """

    def __init__(self, folder: Path, max_bytes: int, max_age_seconds: float) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.max_age_seconds = max_age_seconds
        self.segments: List[Segment] = []
        self.memory: Deque[Sample] = collections.deque(maxlen=MEMORY_SAMPLES)
        self.active: Optional[Segment] = None
        self.guard = threading.Lock()
        self.on_disk = True
        self.lock_descriptor: Optional[int] = None
        self._open()

    def _open(self) -> None:
        """Take the lock and list what a former agent left."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.lock_descriptor = os.open(
                str(self.folder / "lock"), os.O_RDWR | os.O_CREAT, 0o600
            )
        except OSError as error:
            self._disk_refused(error)
        self._lock()
        found = [Segment.found(path) for path in self._files()]
        self.segments = sorted(found, key=lambda segment: segment.number)

    def _files(self) -> List[Path]:
        """The segments; a draft that a crash left goes."""
        try:
            for draft in self.folder.glob("*.jsonl.new"):
                draft.unlink()
            return [path for path in self.folder.glob("*.jsonl") if path.stem.isdigit()]
        except OSError:
            return []

    def _lock(self) -> None:
        if self.lock_descriptor is None:
            return
        try:
            lock(self.lock_descriptor)
        except OSError as error:
            os.close(self.lock_descriptor)
            raise ConfigError(
                f"Another agent already uses the spool {self.folder}: stop it, "
                "or give this one another spool_dir and credential_file."
            ) from error

    def close(self) -> None:
        with self.guard:
            self._rotate()
            if self.lock_descriptor is not None:
                os.close(self.lock_descriptor)
                self.lock_descriptor = None

    def append(self, sample: Sample) -> None:
        """Durable when it returns, unless the disk refuses (said once in the log)."""
        line = encoded(sample)
        with self.guard:
            self._keep_bounds(len(line))
            try:
                self._write(line)
            except OSError as error:
                self._disk_refused(error)
                self.memory.append(sample)
                return
            if not self.on_disk:
                log.warning("event=spool_on_disk_again")
                self.on_disk = True

    def _write(self, line: bytes) -> None:
        if self.active is not None and self.active.is_full(len(line)):
            self._rotate()
        if self.active is None:
            number = self.segments[-1].number + 1 if self.segments else 1
            fresh = Segment.create(self.folder, number)
            self.segments.append(fresh)
            self.active = fresh
            sync_directory(self.folder)
        try:
            self.active.append(line)
        except OSError:
            broken = self.active
            self._rotate()
            if not broken.size:
                self._forget(broken)
            raise

    def _rotate(self) -> None:
        if self.active is not None:
            self.active.close()
            self.active = None

    def _disk_refused(self, error: OSError) -> None:
        if self.on_disk:
            log.warning(
                "event=spool_in_memory folder=%s keeps=%d error=%s",
                self.folder,
                MEMORY_SAMPLES,
                quoted(error),
            )
        self.on_disk = False

    def _keep_bounds(self, incoming: int) -> None:
        oldest = time.monotonic() - self.max_age_seconds
        while self.segments and self.segments[0].written < oldest:
            self._drop_oldest("age")
        while self.segments and self._bytes() + incoming > self.max_bytes:
            self._make_room()

    def _bytes(self) -> int:
        return sum(segment.size for segment in self.segments)

    def _make_room(self) -> None:
        """The newer half stays whole: it is what somebody looks at."""
        for segment in self.segments[: len(self.segments) // 2]:
            if not segment.thinned and segment is not self.active:
                before = segment.size
                try:
                    segment.thin()
                except OSError:
                    break
                log.warning("event=spool_thinned bytes=%d", before - segment.size)
                return
        self._drop_oldest("bytes")

    def _drop_oldest(self, bound: str) -> None:
        first = self.segments[0]
        log.warning(
            "event=spool_dropped_oldest bound=%s bytes=%d samples=%d",
            bound,
            first.size,
            first.left(),
        )
        self._forget(first)

    def count(self) -> int:
        """Samples that wait."""
        with self.guard:
            kept = sum(segment.left() for segment in self.segments)
            return kept + len(self.memory)

    def _forget(self, segment: Segment) -> None:
        """Remove the file; one that cannot be removed is at least not sent again."""
        if segment is self.active:
            self._rotate()
        self.segments.remove(segment)
        try:
            segment.path.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning(
                "event=spool_file_stays path=%s error=%s", segment.path, quoted(error)
            )

    def newest(self, limit: int) -> Optional[Batch]:
        """The newest samples, at most `limit`; None when there is nothing."""
        with self.guard:
            if self.memory:
                return batches.newest(list(self.memory), limit, None)
            for segment in reversed(list(self.segments)):
                waiting = segment.waiting()
                if waiting:
                    return batches.newest(waiting, limit, segment)
                self._forget(segment)
        return None

    def remove(self, sent: Batch, numbers: Iterable[int]) -> None:
        """Forget the samples of the batch with these sequence numbers."""
        gone = {(sent.boot_id, number) for number in numbers}
        with self.guard:
            if sent.segment is None:
                kept = [entry for entry in self.memory if key(entry) not in gone]
                self.memory = collections.deque(kept, maxlen=MEMORY_SAMPLES)
            elif sent.segment in self.segments:
                sent.segment.done.update(gone)
                if not sent.segment.waiting():
                    self._forget(sent.segment)
