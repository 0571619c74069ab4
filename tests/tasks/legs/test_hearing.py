"""What a program tells the portal is bounded, whatever comes and in whatever pieces."""

from __future__ import annotations

import pytest

from tasks.legs.hearing import MOST_BYTES, MOST_KEYS, MOST_VALUE_BYTES, Ear

MARK = "0123456789abcdef" * 2


class Heard:
    """An ear, and what it handed over."""

    def __init__(self, size: int = 0, secrets: list[str] | None = None) -> None:
        self.out: list[tuple[str, bytes]] = []
        self.ear = Ear(MARK, self.take, secrets or [], size)

    def take(self, data: bytes, stream: str) -> None:
        self.out.append((stream, data))

    def hear(self, data: bytes, piece: int = 0) -> Heard:
        step = piece or len(data)
        for begin in range(0, len(data), step):
            self.ear(data[begin : begin + step], "stdout")
        self.ear.close()
        return self

    @property
    def text(self) -> bytes:
        return b"".join(data for _stream, data in self.out)

    @property
    def said(self) -> dict[str, str]:
        return dict(self.ear.report().get("said", {}))

    @property
    def refused(self) -> int:
        return int(self.ear.report().get("refused", 0))


@pytest.mark.parametrize("piece", [0, 1, 7, 40])
def test_marked_lines_are_taken_out_in_whatever_pieces_they_come(piece: int) -> None:
    lines = (
        f"one\n@{MARK} live 3-ab\ntwo @{MARK} live 4\n@{MARK}x no\n@{MARK} a b c\nend"
    )
    heard = Heard().hear(lines.encode(), piece)
    assert heard.said == {"live": "3-ab", "a": "b c"}
    assert heard.text.decode() == f"one\ntwo @{MARK} live 4\n@{MARK}x no\nend"


def test_output_without_a_line_end_is_not_held_back() -> None:
    heard = Heard()
    heard.ear(b"at 50 %", "stdout")
    assert heard.text == b"at 50 %"
    heard.ear(b"@01", "stderr")
    assert heard.out[-1] == ("stderr", b"@01")
    heard.ear(b"\n@012", "stdout")
    assert heard.text == b"at 50 %@01\n"
    heard.ear.close()
    assert heard.text.endswith(b"\n@012")


def test_marks_on_stderr_and_of_others_are_plain_output() -> None:
    heard = Heard()
    line = f"@{MARK} live forged\n".encode()
    heard.ear(line, "stderr")
    other = f"@{'f' * 32} live forged\n".encode()
    heard.hear(other)
    assert heard.said == {}
    assert heard.text == line + other


@pytest.mark.parametrize(
    "line",
    [
        b"UPPER x",
        b"../../etc x",
        b"\xff\xfe x",
        b" x",
        b"a" * 65 + b" x",
        b"k " + b"v" * (MOST_VALUE_BYTES + 1),
        b"k " + b"v" * 10_000_000,
    ],
)
def test_hostile_lines_are_refused_and_counted(line: bytes) -> None:
    heard = Heard().hear(f"@{MARK} ".encode() + line + b"\nafter\n", 65536)
    assert (heard.said, heard.refused, heard.text) == ({}, 1, b"after\n")


def test_a_value_is_text_without_control_characters() -> None:
    heard = Heard(secrets=["hush-hush"])
    heard.hear(f"@{MARK} k a\0b\x1b[31mc\td \r\n@{MARK} s my hush-hush\n".encode())
    assert heard.said == {"k": "a\ufffdb\ufffd[31mc\td ", "s": "my ••••"}


def test_keys_and_bytes_have_an_end_and_what_is_known_may_still_change() -> None:
    heard = Heard()
    for number in range(MOST_KEYS + 50):
        heard.hear(f"@{MARK} k{number} v\n".encode())
    assert (len(heard.said), heard.refused) == (MOST_KEYS, 50)
    heard.hear(f"@{MARK} k0 other\n".encode())
    assert heard.said["k0"] == "other"
    for number in range(MOST_KEYS):
        heard.hear(f"@{MARK} k{number} {'x' * 4000}\n".encode())
    assert sum(len(value) for value in heard.said.values()) <= MOST_BYTES


@pytest.mark.parametrize("place", ["11", "-1", "1e3", "٣", "9" * 30, "", "0x1"])
def test_a_place_that_the_file_does_not_have_is_none(place: str) -> None:
    heard = Heard(size=10).hear(f"@{MARK} ready {place}\n".encode())
    assert (heard.ear.ready, heard.refused) == (None, 1)


def test_the_first_place_counts() -> None:
    heard = Heard(size=10).hear(f"@{MARK} ready 4\n@{MARK} ready 0\n".encode())
    assert (heard.ear.ready, heard.refused, heard.said) == (4, 1, {})
