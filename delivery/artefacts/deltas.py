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
# So many places that look like a block and are none: a file that was made to, or one that is not worth it.
MOST_MISSES = 20_000
# A file that changed in one place, and so little of it, is not looked at further: the rest begins or ends it as before.
FEW_BLOCKS = 3
FEW_OF_IT = 50
Bytes = NDArray[np.uint8]
Sums = NDArray[np.uint64]


@dataclass(frozen=True)
class Copy:
    """So many blocks of the old file, after skipping `skip` blocks; `size` in bytes: its last block may be shorter."""

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
    old: Path, new: Path, block: int, most_literal: int, most_pieces: int
) -> list[Piece] | None:
    """Say how the new file is made of the old one; None where more than `most_literal` bytes would be sent, or too many pieces.

    Args:
        block: bytes of a block.
        most_pieces: each costs the host a process.
    """
    before = np.memmap(old, dtype=np.uint8, mode="r")
    after = np.memmap(new, dtype=np.uint8, mode="r")
    if len(before) < block or len(after) < block:
        return None
    simple = _in_one_place(before, after, block, most_literal)
    if 0 < len(simple) <= most_pieces:
        return simple
    return _found(before, after, block, most_literal, most_pieces)


def _found(
    before: Bytes, after: Bytes, block: int, most_literal: int, most_pieces: int
) -> list[Piece] | None:
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
        if len(pieces) > most_pieces or sent > most_literal:
            return None
    longer = _with_end(before, after[literal_from:], pieces[-1:], block)
    if longer is not None:
        pieces[-1], literal_from = longer, end
    sent += end - literal_from
    if end > literal_from:
        pieces.append(Literal(literal_from, end))
    return pieces if sent <= most_literal else None


def _in_one_place(before: Bytes, after: Bytes, block: int, most: int) -> list[Piece]:
    """Say how the new file is made where only one place of it changed, and little; empty where that is not so."""
    old, new = len(before), len(after)
    first = _alike(before, after) // block
    begin = first * block
    behind = _alike(before[begin:][::-1], after[begin:][::-1])
    # Copies begin where a block does.
    last = -((behind - old) // block)
    end = new - max(old - last * block, 0)
    if end - begin > min(max(FEW_BLOCKS * block, new // FEW_OF_IT), most):
        return []
    pieces: list[Piece] = [
        Copy(0, first, begin),
        Literal(begin, end),
        Copy(last, -(-old // block) - last, new - end),
    ]
    return [one for one in pieces if not _is_empty(one)]


def _is_empty(piece: Piece) -> bool:
    if isinstance(piece, Copy):
        return piece.size == 0
    return piece.start == piece.end


def _alike(one: Bytes, other: Bytes) -> int:
    """Count the bytes with which both begin."""
    most = min(len(one), len(other))
    for begin in range(0, most, WINDOW_BYTES):
        end = min(begin + WINDOW_BYTES, most)
        differ = one[begin:end] != other[begin:end]
        if differ.any():
            return begin + int(differ.argmax())
    return most


def _with_end(before: Bytes, rest: Bytes, last: list[Piece], block: int) -> Copy | None:
    """Make the last copy longer where the rest of the new file is the last, shorter block of the old one behind it."""
    copy = last[0] if last else None
    if not isinstance(copy, Copy) or not 0 < len(rest) < block:
        return None
    if not np.array_equal(before[(copy.skip + copy.count) * block :], rest):
        return None
    return Copy(copy.skip, copy.count + 1, copy.size + len(rest))


class _Finder:
    """Finds blocks of one file in another."""

    def __init__(self, before: Bytes, block: int) -> None:
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

    def next_match(self, after: Bytes, at: int, until: int) -> tuple[int, int] | None:
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

    def _candidates(self, after: Bytes, at: int) -> NDArray[np.int64]:
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

    def _number_at(self, after: Bytes, offset: int) -> int | None:
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

    def run_length(self, after: Bytes, at: int, number: int) -> int:
        """Count the blocks that agree from here on, side by side."""
        count, block = 1, self._block
        while True:
            old, new = (number + count) * block, at + count * block
            one = self._before[old : old + block]
            if len(one) < block or not np.array_equal(one, after[new : new + block]):
                return count
            count += 1


def _sums_of_rows(rows: Bytes) -> Sums:
    """Give the sum of each row: the plain one, and the one weighted by the distance from its end."""
    block = rows.shape[1]
    wide = rows.astype(np.uint64)
    weights = np.arange(block, 0, -1, dtype=np.uint64)
    return _joined(wide.sum(axis=1), wide @ weights)


def _rolling_sums(data: Bytes, block: int) -> Sums:
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
