"""Samples and slots as bytes with their names, as the store keeps them, and read again; pure, no store."""

import struct
import sys
import zlib
from typing import Any

import numpy as np

from monitor.packing import Floats, Ints, Packed, pack
from monitor.remembering import Held
from monitor.rollups import Block, Samples, columns_of, points_of
from monitor.series import Names, Points, Selection

SEPARATOR = "\n"
LENGTH = struct.Struct("<I")


def pack_samples(samples: Samples) -> bytes:
    """Write samples, names and all."""
    matrix = np.vstack([samples.times.astype(np.float64)[None, :], samples.values])
    return _with_names(samples.names, matrix)


def unpack_samples(data: bytes, selection: Selection | None = None) -> Samples:
    """Read what `pack_samples` wrote; only the metrics that are wanted."""
    names, packed = _names_and_rows(data)
    chosen = (
        selection.positions(names) if selection is not None else list(enumerate(names))
    )
    rows = packed.rows([0, *(1 + i for i, _ in chosen)])
    times = np.rint(rows[0]).astype(np.int64)
    return Samples(times, tuple(name for _, name in chosen), rows[1:])


def pack_block(block: Block) -> bytes:
    """Write a block, names and all, its place in time apart."""
    fields = [_filled(field, block.counts) for field in columns_of(block)]
    return _with_names(block.names, np.vstack([f.astype(np.float64) for f in fields]))


def _filled(field: Any, counts: Ints) -> Any:
    """Put the number before into each hole: it compresses to nothing."""
    if field is counts:
        return counts
    places = np.where(counts > 0, np.arange(counts.shape[1]), 0)
    return np.take_along_axis(field, np.maximum.accumulate(places, axis=1), axis=1)


def unpack_block(data: bytes, start: int, step: int) -> Block:
    """Read what `pack_block` wrote."""
    names, packed = _names_and_rows(data)
    rows = packed.rows(range(packed.count)).reshape(5, len(names), packed.length)
    counts = np.rint(rows[4]).astype(np.int64)
    return Block(start, step, names, rows[0], rows[1], rows[2], rows[3], counts)


def unpack_points(
    data: bytes, start: int, step: int, selection: Selection
) -> dict[str, Points]:
    """Read what `pack_block` wrote, as Block.points gives it, only the metrics that are wanted."""
    names, packed = _names_and_rows(data)
    chosen = selection.positions(names)
    if not chosen:
        return {}
    # What a slot's last reading was no chart asks.
    places = [i + field * len(names) for field in (0, 1, 2, 4) for i, _ in chosen]
    rows = packed.rows(places).reshape(4, len(chosen), packed.length)
    fields = (rows[0], rows[1], rows[2], np.rint(rows[3]).astype(np.int64))
    return points_of(start, step, tuple(name for _, name in chosen), fields)


def names_in(data: bytes) -> Names:
    """Read the names alone of what `pack_samples` or `pack_block` wrote."""
    (length,) = LENGTH.unpack_from(data)
    return _names_of(data[LENGTH.size : LENGTH.size + length])


def _with_names(names: Names, rows: Floats) -> bytes:
    text = zlib.compress(SEPARATOR.join(names).encode())
    return LENGTH.pack(len(text)) + text + pack(rows)


_known: Held[bytes, Names] = Held(200_000)


def _names_of(text: bytes) -> Names:
    found = _known.get(text)
    if found is None:
        joined = zlib.decompress(text).decode()
        # Ten thousand hosts repeat the same names.
        names = joined.split(SEPARATOR) if joined else ()
        found = tuple(sys.intern(name) for name in names)
        _known.put(text, found, len(found))
    return found


def _names_and_rows(data: bytes) -> tuple[Names, Packed]:
    (length,) = LENGTH.unpack_from(data)
    end = LENGTH.size + length
    return _names_of(data[LENGTH.size : end]), Packed(data[end:])
