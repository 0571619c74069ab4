"""Samples on disk until the portal has them: segments of JSON lines, newest first out."""

import collections
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any, Deque, Iterable, List, Optional

from agent import batch as batches
from agent.batch import Batch, key
from agent.files import sync_directory
from agent.logs import quoted
from agent.schedule import number
from agent.segment import Sample, Segment, encoded
from agent.spool_folder import held, segments_in

MEMORY_SAMPLES = 240
# A portal that says nonsense must not empty the spool.
LEAST_AGE = 3600.0
log = logging.getLogger(__name__)


class Spool:
    """Append-only and fsynced; where the disk refuses, a bounded piece of memory.

    A sample leaves by `remove` only, or when the bounds are passed: of the older
    half first every second sample, then, when that is done, the oldest segment.
    `lost` counts those that nobody will ever have.
    """

    def __init__(self, folder: Path, max_bytes: int, max_age_seconds: float) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.max_age_seconds = max_age_seconds
        self.portal_age = float("inf")
        self.lost = 0
        self.segments: List[Segment] = []
        # Of the last segment ever begun: a file that could not be removed keeps its name.
        self.highest = 0
        self.memory: Deque[Sample] = collections.deque(maxlen=MEMORY_SAMPLES)
        self.active: Optional[Segment] = None
        self.guard = threading.Lock()
        self.on_disk = True
        self.fallen = 0
        self.lock_descriptor: Optional[int] = None
        self._open()

    def _open(self) -> None:
        """Take the lock and list what a former agent left."""
        try:
            self.lock_descriptor = held(self.folder)
        except OSError as error:
            self._disk_refused(error)
        self.segments = segments_in(self.folder)
        self.highest = self.segments[-1].number if self.segments else 0

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
                self._remember(sample)
                return
            if not self.on_disk:
                log.warning("event=spool_on_disk_again")
                self.on_disk = True

    def _remember(self, sample: Sample) -> None:
        """In memory; what falls off its end is said with the first one and each full round."""
        if len(self.memory) == MEMORY_SAMPLES:
            if self.fallen % MEMORY_SAMPLES == 0:
                log.warning("event=spool_memory_full lost=%d", self.lost + 1)
            self.fallen += 1
            self.lost += 1
        self.memory.append(sample)

    def follow(self, settings: Any) -> None:
        """The portal says how old a sample may be: what it would refuse is not kept for it."""
        said = (
            settings.get("sample_age_seconds") if isinstance(settings, dict) else None
        )
        seconds = number(said)
        if seconds is not None:
            self.portal_age = max(seconds, LEAST_AGE)

    def _write(self, line: bytes) -> None:
        if self.active is not None and self.active.is_full(len(line)):
            self._rotate()
        if self.active is None:
            self.highest += 1
            fresh = Segment.create(self.folder, self.highest)
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
        most, bound = min(
            (self.max_age_seconds, "age"), (self.portal_age, "age_of_portal")
        )
        oldest = time.monotonic() - most
        while self.segments and self.segments[0].written < oldest:
            self._drop_oldest(bound)
        while self.segments and self._bytes() + incoming > self.max_bytes:
            self._make_room()

    def _bytes(self) -> int:
        return sum(segment.size for segment in self.segments)

    def _make_room(self) -> None:
        """The newer half stays whole: it is what somebody looks at."""
        for segment in self.segments[: len(self.segments) // 2]:
            if not segment.thinned and segment is not self.active:
                before, waited = segment.size, segment.left()
                try:
                    segment.thin()
                except OSError:
                    break
                self.lost += max(waited - segment.left(), 0)
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
        self.lost += first.left()
        self._forget(first)

    def count(self) -> int:
        """Samples that wait."""
        with self.guard:
            kept = sum(segment.left() for segment in self.segments)
            return kept + len(self.memory)

    def _done_with(self, segment: Segment) -> None:
        """Nothing that can be read waits in it; lines that a crash or the disk spoilt are said."""
        if segment.left():
            log.warning(
                "event=spool_damaged path=%s samples=%d", segment.path, segment.left()
            )
            self.lost += segment.left()
        self._forget(segment)

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

    def newest(self, limit: int, behind: bool = False) -> Optional[Batch]:
        """The newest samples, at most `limit`; None when there is nothing.

        With `behind` those that the sampler adds to come last: it may add to them
        as fast as they are sent, and nothing older would ever have its turn.
        """
        with self.guard:
            if self.memory and not behind:
                return batches.newest(list(self.memory), limit, None)
            segments = self.segments[::-1]
            if behind and self.active in segments:
                segments.remove(self.active)
                segments.append(self.active)
            for segment in segments:
                try:
                    waiting = segment.waiting()
                except OSError as error:
                    # It is tried again; older ones go on meanwhile.
                    log.warning("event=spool_unreadable error=%s", quoted(error))
                    continue
                if waiting:
                    return batches.newest(waiting, limit, segment)
                self._done_with(segment)
            if self.memory:
                return batches.newest(list(self.memory), limit, None)
        return None

    def drop(self, sent: Batch) -> None:
        """Forget a batch that nobody will take."""
        with self.guard:
            self.lost += len(sent.samples)
        self.remove(sent, batches.numbers(sent))

    def remove(self, sent: Batch, numbers: Iterable[int]) -> None:
        """Forget the samples of the batch with these sequence numbers."""
        gone = {(sent.boot_id, number) for number in numbers}
        with self.guard:
            if sent.segment is None:
                kept = [entry for entry in self.memory if key(entry) not in gone]
                self.memory = collections.deque(kept, maxlen=MEMORY_SAMPLES)
            elif sent.segment in self.segments:
                sent.segment.done.update(gone)
                if sent.segment.is_done():
                    self._done_with(sent.segment)
