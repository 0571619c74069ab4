"""Writing a recording: what is in the file, what the trail says, what happens when it cannot go on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from adminset.models import AuditEntry
from tasks import tasks
from tasks.models import TerminalSession
from tasks.recording import reading, sealing
from tasks.recording.cast import Event
from tasks.recording.frames import path_of, walk
from tasks.recording.recorder import Recorder, RecordingError
from tests.tasks.recording.recordings import Clock

Record = Callable[..., Recorder]


def test_what_was_printed_is_read_back_with_its_times(
    session: TerminalSession, record: Record, clock: Clock
) -> None:
    recorder = record(session, b"hello ", "wörld 你好\r\n".encode())
    clock.go(0.25)
    recorder.resize(132, 43)
    assert recorder.mark("ls -l") == 2250
    recorder.close()
    assert list(reading.events(session)) == [
        Event(1000, "o", "hello "),
        Event(2000, "o", "wörld 你好\r\n"),
        Event(2250, "r", "132x43"),
        Event(2250, "m", "ls -l"),
    ]


def test_the_text_is_an_asciicast_of_version_2(
    session: TerminalSession, record: Record
) -> None:
    record(session, b'a "quoted" \x1b[31mred\x1b[0m \xff byte').close()
    lines = b"".join(reading.texts(session)).splitlines()
    head = json.loads(lines[0])
    assert (head["version"], head["width"], head["height"]) == (2, 80, 24)
    assert json.loads(lines[1]) == [
        1.0,
        "o",
        'a "quoted" \x1b[31mred\x1b[0m � byte',
    ]


def test_a_character_that_comes_in_two_pieces_is_one(
    session: TerminalSession, record: Record
) -> None:
    data = "你".encode()
    record(session, b"a" + data[:2], data[2:] + b"b").close()
    said = [event.text for event in reading.events(session)]
    assert said == ["a", "你b"]


def test_small_pieces_of_one_moment_are_one_event(
    session: TerminalSession, record: Record, clock: Clock
) -> None:
    recorder = record(session)
    for letter in (b"a", b"b", b"c"):
        clock.go(0.002)
        recorder.output(letter)
    clock.go(0.02)
    recorder.output(b"d")
    recorder.close()
    assert [each.text for each in reading.events(session)] == ["abc", "d"]


def test_nothing_of_it_can_be_read_in_the_file(
    session: TerminalSession, record: Record
) -> None:
    record(session, b"the secret word " * 50).close()
    path = path_of(session.key)
    assert b"secret" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


def test_the_end_puts_the_hash_into_the_row_and_the_trail(
    session: TerminalSession, record: Record
) -> None:
    sealed = record(session, b"hello").close()
    session.refresh_from_db()
    text = b"".join(reading.texts(session))
    assert sealed.sha256 == hashlib.sha256(text).hexdigest()
    assert sealed.size == path_of(session.key).stat().st_size
    assert session.recording == TerminalSession.Recording.SEALED
    assert session.recording_sha256 == sealed.sha256
    assert session.recording_bytes == sealed.size
    line = AuditEntry.objects.get(verb="terminalsession.seal")
    assert line.target_id == str(session.pk)
    assert {"field": "sha256", "old": None, "new": sealed.sha256} in line.changes


def test_closing_twice_seals_once(session: TerminalSession, record: Record) -> None:
    recorder = record(session, b"hello")
    assert recorder.close() == recorder.close()
    assert AuditEntry.objects.filter(verb="terminalsession.seal").count() == 1
    with pytest.raises(RecordingError):
        recorder.output(b"later")


def test_much_that_waits_is_written_without_a_flush(
    session: TerminalSession, record: Record
) -> None:
    recorder = record(session)
    for _ in range(40):
        recorder.output(os.urandom(32 * 1024))
    assert recorder.waiting < 2**20
    assert path_of(session.key).stat().st_size > 2**19


def test_a_recording_that_becomes_too_long_fails_and_keeps_what_it_has(
    session: TerminalSession, record: Record, settings: Any
) -> None:
    settings.TERMINAL_RECORDING_BYTES = 4096
    recorder = record(session, b"first")
    recorder.output(os.urandom(8 * 1024).hex().encode())
    with pytest.raises(RecordingError):
        recorder.flush()
    with pytest.raises(RecordingError):
        recorder.output(b"more")
    sealed = recorder.close()
    session.refresh_from_db()
    assert session.recording == TerminalSession.Recording.FAILED
    assert "4 KiB" in session.recording_problem
    assert session.recording_sha256 == sealed.sha256
    assert [each.text for each in reading.events(session)] == ["first"]


def _print_for_long(recorder: Recorder) -> None:
    for _ in range(100):
        recorder.output(b"y\r\n" * 4096)
        recorder.flush()


def test_what_packs_to_nothing_has_a_limit_too(
    session: TerminalSession, record: Record, settings: Any
) -> None:
    settings.TERMINAL_RECORDING_BYTES = 64 * 1024
    recorder = record(session)
    with pytest.raises(RecordingError, match="512 KiB"):
        _print_for_long(recorder)
    assert path_of(session.key).stat().st_size < 64 * 1024
    recorder.close()


def test_a_disk_that_takes_no_more_is_told_in_a_sentence(
    session: TerminalSession, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = record(session, b"first")

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tasks.recording.recorder.os.write", full)
    recorder.output(b"second")
    with pytest.raises(RecordingError, match="No space left on device"):
        recorder.flush()
    monkeypatch.undo()


def test_there_is_no_recording_over_another_one(
    session: TerminalSession, record: Record, terminal_dir: Path
) -> None:
    record(session, b"first").close()
    before = path_of(session.key).read_bytes()
    with pytest.raises(RecordingError):
        record(session)
    assert path_of(session.key).read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(
    session: TerminalSession, record: Record, terminal_dir: Path
) -> None:
    terminal_dir.write_text("a file in its place")
    with pytest.raises(RecordingError):
        record(session)
    session.refresh_from_db()
    assert session.recording == TerminalSession.Recording.NONE
    assert session.recording_key is None


def test_a_huge_output_is_cut_into_events_and_frames(
    session: TerminalSession, record: Record
) -> None:
    data = os.urandom(6 * 2**20).hex()
    recorder = record(session)
    recorder.output(data.encode())
    recorder.close()
    found = [event.text for event in reading.events(session)]
    assert "".join(found) == data
    assert max(map(len, found)) <= 64 * 1024
    with path_of(session.key).open("rb") as file:
        assert all(
            frame.after.offset - frame.place.offset < 2 * 2**20 for frame in walk(file)
        )


def test_without_a_database_it_closes_and_is_sealed_later(
    session: TerminalSession, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = record(session, b"hello")

    def away(*_words: object) -> None:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr("tasks.recording.recorder.sealing.seal", away)
        sealed = recorder.close()
    session.refresh_from_db()
    assert session.recording == TerminalSession.Recording.RUNNING
    TerminalSession.objects.filter(pk=session.pk).update(
        state="ended", ended_at=timezone.now() - timedelta(minutes=5)
    )
    tasks.seal_recordings()
    session.refresh_from_db()
    assert session.recording == TerminalSession.Recording.SEALED
    assert session.recording_sha256 == sealed.sha256


@pytest.mark.parametrize("must", [True, False])
def test_the_policy_says_whether_a_session_goes_on_without_a_recording(
    session: TerminalSession, settings: Any, must: bool
) -> None:
    settings.TERMINAL_MUST_RECORD = must
    assert sealing.failed(session, RecordingError("The disk is full.")) is must
    session.refresh_from_db()
    assert session.recording == TerminalSession.Recording.FAILED
    assert session.recording_problem == "The disk is full."
    line = AuditEntry.objects.get(verb="terminalsession.unrecorded")
    assert line.reason == "The disk is full."
