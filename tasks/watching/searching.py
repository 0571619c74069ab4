"""Looks for words in the output of runs: line by line in the files, bounded, from where the last look ended."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

from tasks.models import RunHost
from tasks.output import path_of
from tasks.output_text import plain

CHUNK_BYTES = 2**20
# One look at one output: so many bytes, so many lines that have it.
MOST_BYTES = 32 * 2**20
MOST_HITS = 200
# A line that is longer is looked through in pieces.
LONG_LINE = 64 * 1024
EXCERPT_BYTES = 200
SHORTEST, LONGEST = 1, 200
# One look over many hosts: so long, then the browser asks for the rest.
SECONDS_AT_ONCE = 0.5
COUNTED = 100


@dataclass(frozen=True)
class Hit:
    """A line that has the words: its number from 1, the byte at which they stand, what stands around them."""

    offset: int
    line: int
    text: str


@dataclass
class Place:
    """Where a look goes on: a byte offset, and the number of the line that begins or goes on there."""

    offset: int = 0
    line: int = 1


@dataclass
class Found:
    """What one look brought: `place` is where the next goes on, None at the end of the output."""

    hits: list[Hit] = field(default_factory=list)
    place: Place | None = None


@dataclass(frozen=True)
class SayingHost:
    """A host whose output has the words: its first line with them, and how many lines (`more`: at least so many)."""

    row: RunHost
    hit: Hit
    count: int
    more: bool


def wanted_of(text: str) -> str:
    """Give what is looked for, "" where it is too short or too long: one line."""
    line = text.split("\n")[0].strip("\r")
    return line if SHORTEST <= len(line) <= LONGEST else ""


def search(
    run_id: int,
    host_id: int | None,
    wanted: str,
    place: Place,
    *,
    most_hits: int = MOST_HITS,
    most_bytes: int = MOST_BYTES,
) -> Found:
    """Find lines of an output that have the words, from a place on; small and capital letters of ASCII are the same."""
    try:
        with path_of(run_id, host_id).open("rb") as file:
            file.seek(place.offset)
            look = _Look(wanted.encode().lower(), most_hits, Place(**vars(place)))
            return look.through(file, place.offset + most_bytes)
    except (OSError, OverflowError, ValueError):
        return Found()


@dataclass
class _Look:
    needle: bytes
    most_hits: int
    place: Place
    found: Found = field(default_factory=Found)

    def through(self, file: BinaryIO, until: int) -> Found:
        """Read block after block; each is looked through up to its last whole line."""
        rest = b""
        while self.place.offset < until:
            data = file.read(CHUNK_BYTES)
            block = rest + data
            if not block:
                return self.found
            if not self._in_block(block, self._cut(block, last=not data)):
                return self._to_be_continued()
            if not data:
                return self.found
            rest = block[self._cut(block, last=False) :]
        return self._to_be_continued()

    def _cut(self, block: bytes, *, last: bool) -> int:
        line = block.rfind(b"\n") + 1
        if last:
            return len(block)
        if line or len(block) < LONG_LINE:
            return line
        # The words may stand across the cut.
        return len(block) - len(self.needle) + 1

    def _in_block(self, block: bytes, cut: int) -> bool:
        """Look through a block up to a cut; False where enough was found before that."""
        lowered, begin, counted = block.lower(), self.place.offset, 0
        at = lowered.find(self.needle)
        while 0 <= at < cut:
            self.place.line += block.count(b"\n", counted, at)
            counted = at
            text = _excerpt(block, at, len(self.needle))
            self.found.hits.append(Hit(begin + at, self.place.line, text))
            following = block.find(b"\n", at) + 1 or at + len(self.needle)
            if len(self.found.hits) >= self.most_hits:
                self.place.line += block.count(b"\n", counted, following)
                self.place.offset = begin + following
                return False
            at = lowered.find(self.needle, following)
        self.place.line += block.count(b"\n", counted, cut)
        self.place.offset = begin + cut
        return True

    def _to_be_continued(self) -> Found:
        self.found.place = self.place
        return self.found


def _excerpt(block: bytes, at: int, length: int) -> str:
    begin = max(block.rfind(b"\n", 0, at) + 1, at - EXCERPT_BYTES // 4)
    end = block.find(b"\n", at)
    end = min(len(block) if end < 0 else end, begin + EXCERPT_BYTES + length)
    return plain(block[begin:end].decode("utf-8", "replace")).strip()


def hosts_that_say(
    rows: Iterable[RunHost], wanted: str
) -> tuple[list[SayingHost], int, RunHost | None]:
    """Look through the outputs of hosts of one run for a moment.

    Returns:
        the hosts that have the words, how many were looked at, and the last of these where there may be more.
    """
    until = time.monotonic() + SECONDS_AT_ONCE
    saying: list[SayingHost] = []
    number = 0
    for number, row in enumerate(rows, 1):
        found = search(row.run_id, row.pk, wanted, Place(), most_hits=COUNTED)
        if found.hits:
            count = len(found.hits)
            more = found.place is not None
            saying.append(SayingHost(row, found.hits[0], count, more))
        if time.monotonic() >= until:
            return saying, number, row
    return saying, number, None
