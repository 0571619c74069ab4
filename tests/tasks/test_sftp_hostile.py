"""Our SFTP with servers that answer what they like: an error, and never more memory, time or another place."""

from __future__ import annotations

import struct

import pytest

from tasks.ssh import sftp as client
from tasks.ssh import sftp_wire as wire
from tasks.ssh.sftp import Sftp
from tasks.ssh.sftp_wire import SftpError


class Nonsense:
    """A channel whose server answers what it likes."""

    def __init__(self, said: bytes) -> None:
        self.said = said

    def settimeout(self, seconds: float) -> None:
        """Take note of nothing."""

    def close(self) -> None:
        """Say nothing more."""
        self.said = b""

    def sendall(self, data: bytes) -> None:
        """Swallow what is asked."""

    def recv(self, size: int) -> bytes:
        """Say the next part."""
        part, self.said = self.said[:size], self.said[size:]
        return part


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\xff\xff\xff\xff\x02",
        b"\0\0\0\0",
        struct.pack(">IBI", 5, 2, 1),
        struct.pack(">IBI", 5, 101, 3),
        struct.pack(">IBII", 9, 2, 3, 2**31),
    ],
)
def test_nonsense_is_an_error_and_never_more_memory(said: bytes) -> None:
    with pytest.raises(client.TROUBLE):
        Sftp(Nonsense(said), 1)  # type: ignore[arg-type]


def packet(kind: int, number: int, *fields: bytes) -> bytes:
    """Write an answer."""
    body = struct.pack(">BI", kind, number) + b"".join(fields)
    return struct.pack(">I", len(body)) + body


def text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


GREETING = struct.pack(">IBI", 5, wire.VERSION, 3)
DONE = struct.pack(">I", wire.OK) + text(b"") + text(b"")
NO_ATTRIBUTES = struct.pack(">I", 0)
HANDLE, DATA, NAMES, ATTRIBUTES = range(102, 106)


def talking(*answers: bytes) -> tuple[Sftp, Nonsense]:
    """Give a session whose server answers this, whatever it is asked."""
    channel = Nonsense(GREETING + b"".join(answers))
    return Sftp(channel, 1), channel  # type: ignore[arg-type]


def test_an_answer_that_nobody_asked_for_ends_the_session() -> None:
    more = b"".join(packet(NAMES, n, b"x" * 1000) for n in range(2, 2000))
    sftp, channel = talking(more, packet(ATTRIBUTES, 1, NO_ATTRIBUTES))
    with pytest.raises(EOFError, match="nonsense"):
        sftp.look(b"/x")
    assert channel.said == b""
    with pytest.raises(EOFError):
        sftp.look(b"/x")


def test_a_question_is_answered_once() -> None:
    twice = packet(ATTRIBUTES, 1, NO_ATTRIBUTES) * 2
    sftp, _channel = talking(twice)
    sftp.look(b"/x")
    with pytest.raises(EOFError, match="nonsense"):
        sftp.look(b"/x")


def test_answers_before_their_turn_are_kept_up_to_a_bound() -> None:
    large = b"x" * (client.WINDOW_BYTES // 8)
    early = [packet(DATA, number, text(large)) for number in range(2, 30)]
    sftp, _channel = talking(*early)
    numbers = [sftp.request(wire.READ) for _each in range(30)]
    with pytest.raises(EOFError, match="nonsense"):
        sftp.answer_to(numbers[0])


def test_more_than_was_asked_for_is_not_taken() -> None:
    sftp, _channel = talking(packet(DATA, 1, text(b"x" * 11)))
    with pytest.raises(EOFError, match="nonsense"):
        list(sftp.read(b"handle", 0, 10))


@pytest.mark.parametrize(
    "name", [b"", b"../../etc/cron.d/x", b"/etc/passwd", b"a/b", b"a\0b", b"x" * 1025]
)
def test_a_name_that_is_a_way_elsewhere_is_refused(name: bytes) -> None:
    listed = struct.pack(">I", 1) + text(name) + text(b"line") + NO_ATTRIBUTES
    sftp, _channel = talking(
        packet(HANDLE, 1, text(b"h")),
        packet(NAMES, 2, listed),
        packet(wire.STATUS, 3, DONE),
    )
    with pytest.raises(SftpError, match="nonsense"):
        list(sftp.entries(b"/folder"))


@pytest.mark.parametrize("names", [[], [b"."] * 3])
def test_a_folder_that_never_ends_and_has_no_names_is_given_up(
    names: list[bytes],
) -> None:
    each = [text(name) + text(b"line") + NO_ATTRIBUTES for name in names]
    listed = struct.pack(">I", len(names)) + b"".join(each)
    sftp, _channel = talking(packet(HANDLE, 1, text(b"h")), packet(NAMES, 2, listed))
    with pytest.raises(EOFError):
        list(sftp.entries(b"/folder"))
