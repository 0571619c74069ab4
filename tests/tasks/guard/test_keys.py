"""What a terminal answers by itself is told from what somebody types, and by one rule only."""

import pytest

from tasks.guard.keys import first_key, is_answer

SHORT = (
    b"\x1b[I",
    b"\x1b[O",
    b"\x1b[24;80R",
    b"\x1b[?24;80;1R",
    b"\x1b[0n",
    b"\x1b[?1;2c",
    b"\x1b[>0;276;0c",
    b"\x1b[=1c",
    b"\x1b[8;24;80t",
    b"\x1b[?2004;1$y",
    b"\x1b[4;2$y",
    b"\x1b[?1u",
)
LONG = (
    b"\x1b]11;rgb:0000/0000/0000\x07",
    b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1bP1$r0m\x1b\\",
)
TYPED = (
    b"",
    b"ls",
    b"\r",
    b"\x1b",
    b"\x1b[A",
    b"\x1b[3~",
    b"\x1b[R",
    b"\x1b[13;2u",
    b"\x1b[200~",
    b"\x1b]11;rgb",
    b"\x1bx",
)


@pytest.mark.parametrize("data", SHORT)
def test_a_short_answer_is_nobodys_and_changes_no_line(data: bytes) -> None:
    assert is_answer(data)
    assert is_answer(data * 3)
    assert first_key(data + b"l").kind == "report"
    assert first_key(data + b"l").data == data


@pytest.mark.parametrize("data", LONG)
def test_a_long_answer_is_nobodys_but_may_stand_in_a_line(data: bytes) -> None:
    assert is_answer(data)
    assert first_key(data + b"l").kind == "answer"
    assert first_key(data + b"l").data == data


@pytest.mark.parametrize("data", TYPED)
def test_keys_are_somebodys(data: bytes) -> None:
    assert not is_answer(data)
    assert not data or first_key(data).kind not in ("report", "answer")


def test_an_answer_with_something_behind_it_is_somebodys() -> None:
    assert not is_answer(SHORT[0] + b"ls")
    assert not is_answer(LONG[0] + b"\r")


def test_the_mouse_is_somebodys_and_changes_no_line() -> None:
    assert not is_answer(b"\x1b[<0;10;20M")
    assert first_key(b"\x1b[<0;10;20M").kind == "report"
