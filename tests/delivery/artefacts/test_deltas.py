"""What changed in one file: found wherever it stands, and given up where that does not pay."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from delivery.artefacts import deltas


def large(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311 - bytes for tests


def apply(pieces: list[deltas.Piece], old: bytes, new: bytes, block: int) -> bytes:
    made = b""
    for piece in pieces:
        if isinstance(piece, deltas.Copy):
            part = old[piece.skip * block : (piece.skip + piece.count) * block]
            assert len(part) == piece.size
            made += part
        else:
            made += new[piece.start : piece.end]
    return made


BLOCK = 4096
OLD = large(300_000, 7)
CASES = {
    "nothing": OLD,
    "one byte": OLD[:100_000] + b"x" + OLD[100_001:],
    "something put in": OLD[:5] + b"hello" + OLD[5:],
    "something taken out": OLD[:150_000] + OLD[150_777:],
    "parts that changed places": OLD[200_000:] + OLD[:200_000],
    "twice": OLD + OLD,
    "half": OLD[:150_000],
    "zeros": OLD[:100_000] + bytes(200_000),
}


@pytest.mark.parametrize("new", CASES.values(), ids=CASES.keys())
def test_what_changed_in_a_file_is_found_wherever_it_is(
    new: bytes, tmp_path: Path
) -> None:
    (tmp_path / "old").write_bytes(OLD)
    (tmp_path / "new").write_bytes(new)
    pieces = deltas.pieces_of(tmp_path / "old", tmp_path / "new", BLOCK, len(new), 1000)
    assert pieces is not None
    assert apply(pieces, OLD, new, BLOCK) == new
    sent = sum(p.end - p.start for p in pieces if isinstance(p, deltas.Literal))
    assert sent <= (210_000 if bytes(9999) in new else 4 * BLOCK)


def test_a_file_of_which_most_changed_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(OLD)
    (tmp_path / "new").write_bytes(large(300_000, 8))
    files = tmp_path / "old", tmp_path / "new"
    assert deltas.pieces_of(*files, BLOCK, 150_000, 1000) is None


def test_little_in_one_place_is_found_without_a_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deltas, "_Finder", None)
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(OLD)
    for made in (
        OLD[:-1] + b"!",
        b"!" + OLD,
        OLD + b"!",
        OLD[:-5000],
        OLD[5000:],
        OLD[:90_000] + b"put in" + OLD[90_000:],
        OLD[:90_000] + OLD[90_777:],
    ):
        new.write_bytes(made)
        pieces = deltas.pieces_of(old, new, BLOCK, len(made), 3)
        assert pieces is not None
        assert apply(pieces, OLD, made, BLOCK) == made
        literal = [one for one in pieces if isinstance(one, deltas.Literal)]
        assert sum(one.end - one.start for one in literal) <= 2 * BLOCK


def test_the_last_block_of_a_file_is_no_piece_of_its_own(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(OLD[:10_000])
    new.write_bytes(OLD[:1000] + b"x" + OLD[1001:10_000])
    pieces = deltas.pieces_of(old, new, 512, 5000, 1000)
    assert pieces is not None
    assert len(pieces) == 3
    assert apply(pieces, old.read_bytes(), new.read_bytes(), 512) == new.read_bytes()
    assert pieces[-1] == deltas.Copy(2, 18, 10_000 - 1024)
