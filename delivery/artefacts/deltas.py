"""What changed in one file: found block by block, wherever the old blocks stand in the new file, with numpy and without a loop a byte.

The old file is cut into blocks. Each has a weak sum of two parts (as in rsync) that can be computed for every offset of the new file
at once; where one agrees, the bytes themselves are compared. What agrees is copied from the old file, the rest is sent.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# So much of the new file is looked at together, with about ten times as much memory: matches come soon after a change.
WINDOW_BYTES = 256 * 1024
# More pieces than this cost the host more than the bytes they save.
MOST_PIECES = 1000
# So many places that look like a block and are none: a file that was made to, or one that is not worth it.
MOST_MISSES = 20_000
Sums = NDArray[np.uint64]


@dataclass(frozen=True)
class Copy:
    """So many blocks of the old file, after skipping `skip` blocks; `size` in bytes."""

    skip: int
    count: int
    size: int


@dataclass(frozen=True)
class Literal:
    """Bytes `start` to `end` of the new file."""

    start: int
    end: int


Piece = Copy | Literal


def pieces_of(
    old: Path, new: Path, block: int, most_literal: int
) -> list[Piece] | None:
    """Say how the new file is made of the old one; None where more than `most_literal` bytes would be sent, or too many pieces.

    Args:
        block: bytes of a block.
    """
    before = np.memmap(old, dtype=np.uint8, mode="r")
    after = np.memmap(new, dtype=np.uint8, mode="r")
    if len(before) < block or len(after) < block:
        return None
    finder = _Finder(before, block)
    pieces: list[Piece] = []
    literal_from = at = sent = 0
    end = len(after)
    while at + block <= end:
        found = finder.next_match(after, at, literal_from + most_literal - sent)
        if found is None:
            break
        at, number = found
        sent += at - literal_from
        if at > literal_from:
            pieces.append(Literal(literal_from, at))
        count = finder.run_length(after, at, number)
        pieces.append(Copy(number, count, count * block))
        at += count * block
        literal_from = at
        if len(pieces) > MOST_PIECES or sent > most_literal:
            return None
    sent += end - literal_from
    if end > literal_from:
        pieces.append(Literal(literal_from, end))
    return pieces if sent <= most_literal else None


class _Finder:
    """Finds blocks of one file in another."""

    def __init__(self, before: NDArray[np.uint8], block: int) -> None:
        self._before, self._block = before, block
        count = len(before) // block
        whole = np.asarray(before[: count * block]).reshape(count, block)
        # Block by block in groups: the sums need eight bytes for each byte.
        parts = [whole[i : i + 64] for i in range(0, count, 64)]
        sums = np.concatenate([_sums_of_rows(part) for part in parts])
        order = np.argsort(sums, kind="stable")
        self._sums, self._numbers = sums[order], order
        self._misses = 0
        self._window: tuple[int, NDArray[np.int64]] | None = None

    def next_match(
        self, after: NDArray[np.uint8], at: int, until: int
    ) -> tuple[int, int] | None:
        """Give the first offset from `at` to `until` where a block of the old file stands, and that block's number."""
        begin = at
        while begin + self._block <= len(after) and begin <= until:
            for offset in self._candidates(after, begin):
                number = self._number_at(after, int(offset))
                if number is not None:
                    return int(offset), number
                self._misses += 1
                if self._misses > MOST_MISSES:
                    return None
            begin = self._begin_of(begin) + WINDOW_BYTES
        return None

    def _begin_of(self, at: int) -> int:
        return at - at % WINDOW_BYTES

    def _candidates(self, after: NDArray[np.uint8], at: int) -> NDArray[np.int64]:
        """Give the offsets from `at` to the end of its window whose sums are those of some block."""
        begin = self._begin_of(at)
        if self._window is None or self._window[0] != begin:
            data = np.asarray(after[begin : begin + WINDOW_BYTES + self._block - 1])
            sums = _rolling_sums(data, self._block)
            place = np.searchsorted(self._sums, sums)
            place[place == len(self._sums)] = 0
            hits = np.flatnonzero(self._sums[place] == sums) + begin
            self._window = (begin, hits)
        hits = self._window[1]
        return hits[np.searchsorted(hits, at) :]

    def _number_at(self, after: NDArray[np.uint8], offset: int) -> int | None:
        data = after[offset : offset + self._block]
        wanted = _sums_of_rows(np.asarray(data).reshape(1, -1))[0]
        first = int(np.searchsorted(self._sums, wanted))
        # Equal blocks (zeros) are many; any of them will do, so a few are enough.
        for place in range(first, min(first + 4, len(self._sums))):
            number = int(self._numbers[place])
            begin = number * self._block
            if np.array_equal(self._before[begin : begin + self._block], data):
                return number
        return None

    def run_length(self, after: NDArray[np.uint8], at: int, number: int) -> int:
        """Count the blocks that agree from here on, side by side."""
        count, block = 1, self._block
        while True:
            old, new = (number + count) * block, at + count * block
            one = self._before[old : old + block]
            if len(one) < block or not np.array_equal(one, after[new : new + block]):
                return count
            count += 1


def _sums_of_rows(rows: NDArray[np.uint8]) -> Sums:
    """Give the sum of each row: the plain one, and the one weighted by the distance from its end."""
    block = rows.shape[1]
    wide = rows.astype(np.uint64)
    weights = np.arange(block, 0, -1, dtype=np.uint64)
    return _joined(wide.sum(axis=1), wide @ weights)


def _rolling_sums(data: NDArray[np.uint8], block: int) -> Sums:
    """Give the sums of the block that begins at each offset."""
    if len(data) < block:
        return np.empty(0, dtype=np.uint64)
    plain = np.zeros(len(data) + 1, dtype=np.uint64)
    np.cumsum(data, dtype=np.uint64, out=plain[1:])
    twice = np.zeros(len(data) + 2, dtype=np.uint64)
    np.cumsum(plain, out=twice[1:])
    last = len(data) - block + 1
    sums = plain[block : block + last] - plain[:last]
    # The sum of the plain sums within the block, each counted from its beginning.
    inner = twice[block + 1 : block + 1 + last] - twice[1 : 1 + last]
    weighted = inner - np.uint64(block) * plain[:last]
    return _joined(sums, weighted)


def _joined(plain: Sums, weighted: Sums) -> Sums:
    return (weighted << np.uint64(24)) ^ plain
