"""Reading a recording: while it is written, after a crash, after somebody laid hands on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adminset import crypto, rotation
from adminset.crypto import Secret
from adminset.errors import DomainError, NotFound
from tasks.models import TerminalSession
from tasks.recording import reading
from tasks.recording.frames import HEAD, START, path_of, walk
from tasks.recording.recorder import Recorder
from tasks.recording.verifying import Verdict, verify
from tests.tasks.recording.recordings import Clock, new_session

Record = Callable[..., Recorder]


def said(session: TerminalSession) -> list[str]:
    return [event.text for event in reading.events(session)]


def test_it_is_read_while_it_is_written(
    session: TerminalSession, record: Record, clock: Clock
) -> None:
    recorder = record(session, b"first")
    assert said(session) == ["first"]
    page = reading.page(session)
    assert page.at_end
    recorder.output(b"second")
    assert reading.page(session, page.after).events == []
    recorder.flush()
    later = reading.page(session, page.after)
    assert [event.text for event in later.events] == ["second"]
    recorder.close()


def test_a_torn_end_is_left_out(session: TerminalSession, record: Record) -> None:
    record(session, b"first", b"second", b"third").close()
    path = path_of(session.key)
    whole = path.read_bytes()
    for cut in (1, 5, HEAD.size + 3):
        path.write_bytes(whole[:-cut])
        assert said(session) == ["first", "second"]
    path.write_bytes(whole + b"\0\0\0\x09 half a frame")
    assert said(session) == ["first", "second", "third"]


def test_what_was_altered_ends_the_reading(
    session: TerminalSession, record: Record
) -> None:
    record(session, b"first", b"second", b"third").close()
    path = path_of(session.key)
    with path.open("rb") as file:
        frames = list(walk(file))
    data = bytearray(path.read_bytes())
    data[frames[2].after.offset - 1] ^= 1
    path.write_bytes(data)
    assert said(session) == ["first"]
    assert reading.page(session).broken


def test_frames_cannot_change_places(session: TerminalSession, record: Record) -> None:
    record(session, b"first", b"secon", b"third").close()
    path = path_of(session.key)
    data = path.read_bytes()
    with path.open("rb") as file:
        one, two = list(walk(file))[1:3]
    first = data[one.place.offset : one.after.offset]
    second = data[two.place.offset : two.after.offset]
    # With their own numbers, and with the numbers of the places where they stand.
    swapped = data[: one.place.offset] + second + first + data[two.after.offset :]
    path.write_bytes(swapped)
    assert said(session) == []
    renumbered = second[:4] + first[4 : HEAD.size] + second[HEAD.size :]
    path.write_bytes(data[: one.place.offset] + renumbered + data[one.after.offset :])
    assert said(session) == []


def test_the_recording_of_another_session_is_none(
    session: TerminalSession, record: Record
) -> None:
    other = new_session(session.user, session.host)
    record(session, b"first").close()
    record(other, b"elsewhere").close()
    path_of(session.key).write_bytes(path_of(other.key).read_bytes())
    assert said(session) == []
    # Nor with the other's key.
    TerminalSession.objects.filter(pk=session.pk).update(
        recording_key=other.recording_key
    )
    session.refresh_from_db()
    assert said(session) == []


def test_reading_begins_where_it_is_asked_to(
    session: TerminalSession, record: Record
) -> None:
    record(session, b"a", b"b", b"c", b"d").close()
    since = [event.text for event in reading.events(session, since_ms=3000)]
    assert since == ["c", "d"]
    assert list(reading.events(session, since_ms=10**9)) == []


def test_it_comes_in_pages(session: TerminalSession, record: Record) -> None:
    record(session, *[b"x" * 400] * 10).close()
    place, found, pages = START, 0, 0
    while True:
        page = reading.page(session, place, most=1000)
        found += len(page.events)
        pages += 1
        place = page.after
        if page.at_end:
            break
        assert reading.place_of(str(place)) == place
    assert found == 10
    assert pages > 3


@pytest.mark.parametrize(
    "text", ["", "x", "1", "-", "1-", "-1", "0-0", "9" * 60 + "-1", "³0-0", "30-²"]
)
def test_what_is_no_place_is_none(text: str) -> None:
    assert reading.place_of(text) is None


def test_a_place_between_frames_gives_nothing(
    session: TerminalSession, record: Record
) -> None:
    record(session, b"a", b"b").close()
    place = reading.place_of("37-1")
    assert place is not None
    assert reading.page(session, place).events == []


def test_its_size_and_length_are_told(session: TerminalSession, record: Record) -> None:
    record(session, b"a", b"b", b"c").close()
    told = reading.summary(session)
    assert (told.columns, told.rows, told.length_ms) == (80, 24, 3000)
    assert told.bytes == path_of(session.key).stat().st_size


def test_without_key_or_file_there_is_no_recording(
    session: TerminalSession, record: Record
) -> None:
    with pytest.raises(NotFound):
        list(reading.events(session))
    record(session, b"a").close()
    path_of(session.key).write_bytes(b"something else")
    with pytest.raises(NotFound):
        list(reading.events(session))
    path_of(session.key).unlink()
    with pytest.raises(NotFound):
        list(reading.events(session))


def test_a_change_of_the_portals_keys_leaves_it_readable(
    session: TerminalSession, record: Record, settings: Any
) -> None:
    old, new = {"old": b"o" * 32}, {"new": b"n" * 32}
    settings.ENCRYPTION_KEYS = old
    record(session, b"a").close()
    settings.ENCRYPTION_KEYS = new | old
    rotation.rotate("new", lambda column, rows: None)
    settings.ENCRYPTION_KEYS = new
    session.refresh_from_db()
    assert said(session) == ["a"]
    assert verify(session).verdict == Verdict.OK


def test_without_its_key_of_the_ring_it_says_what_to_do(
    session: TerminalSession, record: Record, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS = {"old": b"o" * 32}
    record(session, b"a").close()
    settings.ENCRYPTION_KEYS = {"new": b"n" * 32}
    with pytest.raises(DomainError, match="not on the key ring"):
        said(session)


def test_a_key_that_is_none_is_told_in_the_readers_language(
    session: TerminalSession, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(session, b"hello").close()
    session.refresh_from_db()
    context = TerminalSession._meta.get_field("recording_key").context
    session.recording_key = Secret(crypto.encrypt("bm8ga2V5", context), context)
    monkeypatch.setattr("tasks.recording.keys._", lambda text: f"translated: {text}")
    with pytest.raises(DomainError, match=r"^translated: The key of this recording"):
        reading.summary(session)
