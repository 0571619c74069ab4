"""The newest output in memory: what is there, what is gone, and where somebody begins who has seen nothing."""

from __future__ import annotations

from tasks.terminal.ring import BLOCK_BYTES, Backlog


def test_it_gives_what_follows_a_place() -> None:
    kept = Backlog(1000, 1000)
    for piece in (b"abc", b"def", b"ghi"):
        kept.add(piece, kept.end)
    assert kept.read(0, 100) == b"abcdefghi"
    assert kept.read(4, 3) == b"efg"
    assert kept.read(9, 100) == b""
    assert kept.read(99, 1) == b""
    assert (kept.start, kept.end, kept.opening()) == (0, 9, 0)


def test_the_oldest_goes_and_its_place_is_told() -> None:
    kept = Backlog(2 * BLOCK_BYTES, 2 * BLOCK_BYTES)
    block = b"x" * (BLOCK_BYTES - 1) + b"\n"
    for _number in range(5):
        kept.add(block, kept.end)
    assert kept.end == 5 * BLOCK_BYTES
    assert kept.start == 3 * BLOCK_BYTES
    assert kept.read(0, 10) == b""
    assert kept.read(kept.start, 10) == b"x" * 10
    assert kept.read(kept.end - 2, 10) == b"x\n"


def test_whoever_has_seen_nothing_begins_with_a_whole_line() -> None:
    kept = Backlog(BLOCK_BYTES, BLOCK_BYTES)
    kept.add(b"a" * BLOCK_BYTES, kept.end)
    kept.add("é\nwhole\n".encode() + b"b" * BLOCK_BYTES, kept.end)
    assert kept.read(kept.opening(), 6) == b"whole\n"


def test_single_characters_are_kept_together() -> None:
    kept = Backlog(BLOCK_BYTES, BLOCK_BYTES)
    for _number in range(3 * BLOCK_BYTES):
        kept.add(b"x", kept.end)
    assert len(kept._blocks) <= 2
    assert len(kept.read(kept.start, 10**6)) == kept.end - kept.start


def test_what_the_page_has_not_shown_is_kept_up_to_a_bound() -> None:
    kept, block = Backlog(BLOCK_BYTES, 3 * BLOCK_BYTES), b"x" * BLOCK_BYTES
    for _number in range(3):
        kept.add(block, seen=0)
    assert kept.start == 0
    kept.add(block, seen=0)
    assert kept.start == BLOCK_BYTES
    kept.add(block, seen=kept.end)
    assert kept.start == 4 * BLOCK_BYTES
