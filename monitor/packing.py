"""Rows of numbers as few bytes, without loss: decimals become integers, integers small steps, steps are compressed."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

# Hosts report rounded numbers: most rows are whole multiples of one of these, and sums of them are exact.
SCALES = np.array([1.0, 10.0, 100.0, 1e3, 1e4, 1e6])
# The row is no multiple of anything: its doubles are kept bit for bit.
NO_SCALE = 255
EXACT = float(2**52)
STEPS, OFFSETS = 0, 1
HEAD = struct.Struct("<II")
WIDTHS = (1, 2, 4, 8)
LEVEL = 6


def scales_of(rows: Floats) -> npt.NDArray[np.uint8]:
    """Give for each row the place in SCALES that makes its numbers whole, NO_SCALE where none does; NaN fits all."""
    found = np.full(len(rows), NO_SCALE, np.uint8)
    for place, scale in enumerate(SCALES):
        open_rows = np.flatnonzero(found == NO_SCALE)
        if not len(open_rows):
            break
        some = rows[open_rows]
        with np.errstate(over="ignore"):
            whole = np.rint(some * scale)
        # Minus zero is no integer: its sign would be lost.
        fits = ((whole / scale == some) & (np.abs(whole) < EXACT)) | np.isnan(some)
        fits &= ~((some == 0) & np.signbit(some))
        found[open_rows[fits.all(axis=1)]] = place
    return found


def factor_of(scales: npt.NDArray[np.uint8]) -> Floats:
    """Give what rows are multiplied by to be whole, as a column; 1 for those that cannot be."""
    known = np.where(scales == NO_SCALE, 0, scales)
    factors: Floats = SCALES[known][:, None]
    return factors


def pack(rows: Floats) -> bytes:
    """Write a matrix of doubles; NaN is kept as one more number."""
    count, length = rows.shape
    scales = scales_of(rows)
    scales[np.isnan(rows).any(axis=1)] = NO_SCALE
    plain = scales == NO_SCALE
    ints = np.rint(np.where(plain[:, None], 0.0, rows) * factor_of(scales))
    words, modes, firsts = _as_steps(ints.astype(np.int64))
    bits = np.ascontiguousarray(rows[plain]).view(np.uint64)
    if length and len(bits):
        words[plain] = np.concatenate(
            [np.zeros((len(bits), 1), np.uint64), bits[:, 1:] ^ bits[:, :-1]], axis=1
        )
        firsts[plain] = bits[:, 0].view(np.int64)
    widths = _widths(words)
    parts: list[Any] = [HEAD.pack(count, length), scales, modes, widths, firsts]
    parts += [_planes(words[widths == width], width) for width in WIDTHS]
    body = b"".join(p if isinstance(p, bytes) else p.tobytes() for p in parts)
    return zlib.compress(body, LEVEL)


def _as_steps(ints: Ints) -> tuple[Words, npt.NDArray[np.uint8], Ints]:
    """Give rows as small positive numbers: steps from one to the next, or distances from the lowest."""
    if not ints.size:
        nothing = np.zeros(len(ints), np.uint8)
        return ints.astype(np.uint64), nothing, np.zeros(len(ints), np.int64)
    steps = np.diff(ints, axis=1, prepend=ints[:, :1])
    zigzag = ((steps << 1) ^ (steps >> 63)).view(np.uint64)
    lowest = ints.min(axis=1)
    offsets = (ints - lowest[:, None]).view(np.uint64)
    by_offset = _bits(offsets) < _bits(zigzag)
    words = np.where(by_offset[:, None], offsets, zigzag)
    firsts = np.where(by_offset, lowest, ints[:, 0])
    return words, by_offset.astype(np.uint8), firsts


def _bits(words: Words) -> Floats:
    total: Floats = np.log2(words.astype(np.float64) + 1).sum(axis=1)
    return total


def _widths(words: Words) -> npt.NDArray[np.uint8]:
    if not words.size:
        return np.zeros(len(words), np.uint8)
    highest = words.max(axis=1)
    widths = np.zeros(len(words), np.uint8)
    for width, limit in ((1, 0), (2, 2**8 - 1), (4, 2**16 - 1), (8, 2**32 - 1)):
        widths[highest > limit] = width
    return widths


def _planes(words: Words, width: int) -> bytes:
    """Write bytes of equal weight side by side: they resemble each other."""
    small = words.astype(f"<u{width}")
    return (
        small.view(np.uint8).reshape(*words.shape, width).transpose(2, 0, 1).tobytes()
    )


class Packed:
    """Reads what `pack` wrote, only the rows that are asked for."""

    def __init__(self, packed: bytes) -> None:
        self._body = zlib.decompress(packed)
        self.count, self.length = HEAD.unpack_from(self._body)
        at = HEAD.size
        self._scales = self._take(np.uint8, at)
        self._modes = self._take(np.uint8, at + self.count)
        self._widths = self._take(np.uint8, at + 2 * self.count)
        self._firsts = self._take(np.int64, at + 3 * self.count)
        self._start = at + 11 * self.count

    def _take(self, kind: Any, at: int) -> Any:
        return np.frombuffer(self._body, kind, self.count, at)

    def rows(self, wanted: Sequence[int] | Ints) -> Floats:
        """Give some rows, in the order asked for."""
        places = np.asarray(wanted, np.int64)
        words = self._words(places)
        scales, firsts = self._scales[places], self._firsts[places]
        plain = scales == NO_SCALE
        stepped = (self._modes[places] == STEPS) & ~plain
        ints = words.view(np.int64).copy()
        part = words[stepped]
        if part.size:
            steps = (part >> np.uint64(1)).view(np.int64) ^ -(part & np.uint64(1)).view(
                np.int64
            )
            ints[stepped] = np.cumsum(steps, axis=1)
        found: Floats = (ints + firsts[:, None]) / factor_of(scales)
        if plain.any() and self.length:
            bits = words[plain]
            bits[:, 0] = firsts[plain].view(np.uint64)
            found[plain] = np.bitwise_xor.accumulate(bits, axis=1).view(np.float64)
        return found

    def _words(self, places: Ints) -> Words:
        words = np.zeros((len(places), self.length), np.uint64)
        at, widths = self._start, self._widths[places]
        for width in WIDTHS:
            members = self._widths == width
            count = int(np.count_nonzero(members))
            size = count * self.length
            mine = np.flatnonzero(widths == width)
            if len(mine) and size:
                order = (np.cumsum(members) - 1)[places[mine]]
                data = np.frombuffer(self._body, np.uint8, size * width, at)
                planes = data.reshape(width, count, self.length)[:, order]
                whole = np.ascontiguousarray(planes.transpose(1, 2, 0))
                words[mine] = whole.view(f"<u{width}")[:, :, 0]
            at += size * width
        return words
