"""Looking for words in what terminals printed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tasks.models import TerminalSession
from tasks.recording import searching
from tasks.recording.frames import path_of
from tasks.recording.recorder import Recorder
from tasks.recording.searching import Cursor, Look, cursor_of, search
from tests.tasks.recording.recordings import Clock, new_session

Record = Callable[..., Recorder]


def look_for(wanted: str) -> Look:
    return search(TerminalSession.objects.all(), wanted)


def test_a_line_is_found_with_its_time(
    session: TerminalSession, record: Record
) -> None:
    record(session, b"one\r\n", b"two Needle\r\n", b"three\r\n").close()
    look = look_for("needle")
    assert [(each.at_ms, each.text) for each in look.said] == [(2000, "two Needle")]
    assert (look.recordings, look.after) == (1, None)


def test_words_that_came_letter_by_letter_are_found(
    session: TerminalSession, record: Record
) -> None:
    record(session, *[bytes([each]) for each in b"$ needle"], b"\r\n").close()
    look = look_for("needle")
    assert [each.text for each in look.said] == ["$ needle"]
    assert look.said[0].at_ms == 3000


def test_colours_do_not_hide_words(session: TerminalSession, record: Record) -> None:
    record(session, b"nee\x1b[1;3", b"1mdle\x1b[0m\r\n").close()
    assert [each.text for each in look_for("needle").said] == ["needle"]


def test_a_line_that_has_not_ended_is_found(
    session: TerminalSession, record: Record
) -> None:
    recorder = record(session, b"$ needle")
    assert len(look_for("needle").said) == 1
    recorder.close()


def looks_for(wanted: str) -> list[Look]:
    """Look until all is looked through."""
    looks = [look_for(wanted)]
    while looks[-1].after is not None:
        assert len(looks) < 100
        cursor = cursor_of(str(looks[-1].after))
        assert cursor == looks[-1].after
        looks.append(search(TerminalSession.objects.all(), wanted, cursor))
    return looks


def test_a_line_tells_once_and_a_look_goes_on_in_a_recording_with_many(
    session: TerminalSession, record: Record
) -> None:
    older, most = new_session(session.user, session.host), searching.MOST_OF_ONE
    newer = new_session(session.user, session.host)
    wanted = [f"needle needle {number}" for number in range(2 * most + 5)]
    text = "\r\nno\r\n".join(wanted).encode()
    record(newer, text[:300], text[300:]).close()
    record(older, b"needle\r\n").close()
    looks = looks_for("needle")
    assert [len(look.said) for look in looks] == [most, most, 6]
    said = [(each.session.pk, each.text) for look in looks for each in look.said]
    assert said == [(newer.pk, text) for text in wanted] + [(older.pk, "needle")]
    assert looks[0].after is not None
    assert looks[0].after.following == Cursor(newer.pk - 1)


def test_a_line_that_two_looks_share_is_found_once(
    session: TerminalSession, record: Record, settings: Any
) -> None:
    settings.TERMINAL_SEARCH_BYTES = 1
    letters = [bytes([each]) for each in b"$ needle"]
    record(session, b"one\r\ntwo\r\n$ ", *letters, b"\r\nneedle\r\n").close()
    said = [each.text for look in looks_for("needle") for each in look.said]
    assert said == ["$ $ needle", "needle"]


@pytest.mark.parametrize("seconds", [0.0, 60.0])
@pytest.mark.parametrize("piece", [b"\x1b[1;1H", b"$ ", b"", b"\x1b[1;1Hxy"])
def test_each_look_brings_one_further(
    session: TerminalSession,
    record: Record,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    piece: bytes,
    seconds: float,
) -> None:
    settings.TERMINAL_SEARCH_BYTES = 1
    monkeypatch.setattr(searching, "SECONDS_AT_ONCE", seconds)
    record(session, b"$ ", *[piece] * 20, b"needle").close()
    said = [each.text for look in looks_for("needle") for each in look.said]
    assert len(said) == 1


def test_letters_that_lower_makes_two_of_move_nothing(
    session: TerminalSession, record: Record
) -> None:
    turkish = "\u0130" * 500
    record(session, turkish.encode(), b"\r\n", b"the Needle here\r\n").close()
    look = look_for("nEEDLE")
    assert [(each.at_ms, each.text) for each in look.said] == [
        (3000, "the Needle here")
    ]


def test_what_stands_before_an_altered_frame_is_found(
    session: TerminalSession, record: Record
) -> None:
    record(session, b"$ needle", b" and more\r\n").close()
    path = path_of(session.key)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    look = look_for("needle")
    assert [each.text for each in look.said] == ["$ needle"]
    assert (look.unreadable, look.after) == (1, None)


def test_a_look_that_is_long_enough_says_where_it_goes_on(
    session: TerminalSession, record: Record, settings: Any
) -> None:
    other = new_session(session.user, session.host)
    for each in (session, other):
        record(each, b"a needle\r\n", b"x" * 5000 + b"\r\n", b"needle b\r\n").close()
    settings.TERMINAL_SEARCH_BYTES = 3000
    looks = looks_for("needle")
    assert len(looks) > 2
    assert [(each.session.pk, each.text) for look in looks for each in look.said] == [
        (other.pk, "a needle"),
        (other.pk, "needle b"),
        (session.pk, "a needle"),
        (session.pk, "needle b"),
    ]


def test_one_that_cannot_be_opened_is_counted(
    session: TerminalSession, record: Record
) -> None:
    record(session, b"needle\r\n").close()
    path_of(session.key).unlink()
    look = look_for("needle")
    assert (look.said, look.unreadable) == ([], 1)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.", ".30-0.0", "x.30-0.0", "1.30.0", "1.30-0", "1.30-0.x", "²." * 9],
)
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert cursor_of(text) is None


@pytest.mark.parametrize("text", ["", "x", "y" * 201, "\n needle"])
def test_too_little_or_too_much_is_not_looked_for(text: str) -> None:
    assert searching.wanted_of(text) == ""


def test_a_huge_line_costs_no_more_than_its_length(
    session: TerminalSession, record: Record, clock: Clock
) -> None:
    recorder = record(session)
    for _ in range(50):
        clock.go(1)
        recorder.output(b"y" * 60_000)
    recorder.output(b" needle")
    recorder.close()
    assert len(look_for("needle").said) == 1


def test_many_small_pieces_cost_no_more_than_their_length(
    session: TerminalSession, record: Record, clock: Clock
) -> None:
    recorder = record(session)
    for _ in range(60_000):
        clock.go(0.02)
        recorder.output(b"a small piece\r\n")
    recorder.output(b"needle\r\n")
    recorder.close()
    before = time.process_time()
    assert len(look_for("needle").said) == 1
    assert time.process_time() - before < 10
