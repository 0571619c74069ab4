"""The newest output of a terminal in memory, by its place in all that was ever printed."""

from __future__ import annotations

import mmap
import threading
from collections import deque

# What is taken from a shell at once.
CHUNK_BYTES = 64 * 1024
BLOCK_BYTES = 64 * 1024


class _Block:
    """Some bytes that follow each other, outside the heap: there the memory of two hundred floods would be given back to nobody."""

    def __init__(self) -> None:
        self._pages = mmap.mmap(-1, BLOCK_BYTES)
        self.size = 0

    @property
    def room(self) -> int:
        """How many bytes it still takes."""
        return BLOCK_BYTES - self.size

    def add(self, data: bytes) -> None:
        """Take bytes for which there is room."""
        self._pages[self.size : self.size + len(data)] = data
        self.size += len(data)

    def part(self, first: int, most: int) -> bytes:
        """Give what begins at a place, at most so many bytes."""
        return self._pages[first : min(first + most, self.size)]

    def find(self, what: bytes) -> int:
        """Give where something stands, -1 where it does not."""
        return self._pages.find(what, 0, self.size)


class Backlog:
    """Keeps the last bytes, and what the page has not shown yet; threads may call it at the same time.

    Args:
        least: how many bytes are kept in any case. most: how many of those that were not shown.

    Attributes:
        end: how many bytes were printed since the beginning.
    """

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most
        self._blocks: deque[_Block] = deque([_Block()])
        self._held = 0
        self._lock = threading.Lock()
        self.end = 0

    @property
    def start(self) -> int:
        """The first byte that is still there."""
        return self.end - self._held

    def add(self, data: bytes, seen: int) -> None:
        """Take in what was printed; the oldest goes of what was `seen`, up to which byte its page says."""
        with self._lock:
            at = 0
            while at < len(data):
                if not self._blocks[-1].room:
                    self._blocks.append(_Block())
                part = data[at : at + self._blocks[-1].room]
                self._blocks[-1].add(part)
                at += len(part)
            self.end += len(data)
            self._held += len(data)
            wanted = max(self._least, min(self._most, self.end - seen))
            while self._held - self._blocks[0].size >= wanted:
                self._held -= self._blocks.popleft().size

    def read(self, offset: int, most: int) -> bytes:
        """Give what follows a place: at most so many bytes, b"" where nothing does or the place is gone."""
        with self._lock:
            start = self.start
            if not start <= offset < self.end:
                return b""
            found, at = bytearray(), start
            for block in self._blocks:
                if at + block.size > offset:
                    found += block.part(max(offset - at, 0), most - len(found))
                if len(found) >= most:
                    break
                at += block.size
        return bytes(found)

    def opening(self) -> int:
        """Give where somebody begins who has seen nothing: at the oldest byte, or the first whole line after it."""
        with self._lock:
            start = self.start
            if not start:
                return 0
            # A cut may lie within a character or a control sequence: a line's end is safe.
            at = start
            for block in self._blocks:
                found = block.find(b"\n")
                if found >= 0:
                    return at + found + 1
                at += block.size
            return start
