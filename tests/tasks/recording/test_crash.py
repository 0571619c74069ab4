"""A process that records is killed: what was flushed is there, and the reaper seals it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from adminset.errors import DomainError
from adminset.models import AuditEntry
from tasks.models import TerminalSession
from tasks.recording import keys, reading, sealing
from tasks.recording.frames import path_of
from tasks.recording.recorder import Recorder
from tasks.recording.verifying import Verdict, verify
from tests.tasks.recording.recordings import new_session

Record = Callable[..., Recorder]
DEAD = timedelta(minutes=5)


def killed_writer(session: TerminalSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Record in a child, which is killed in the middle; what needs the database is done here, for the child has none."""
    cipher = keys.make(session)
    sealing.begun(session)
    monkeypatch.setattr("tasks.recording.recorder.keys.make", lambda session: cipher)
    monkeypatch.setattr("tasks.recording.recorder.sealing.begun", lambda session: None)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _write_for_ever(session, writer)
    os.read(reader, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)


def _write_for_ever(session: TerminalSession, writer: int) -> None:
    try:
        recorder = Recorder(session, timezone.now(), 80, 24)
        for number in range(100):
            recorder.output(b"line %d\r\n" % number)
            recorder.flush()
        recorder.output(b"of the last second")
        os.write(writer, b"x")
        while True:
            signal.pause()
    finally:
        os._exit(0)


def test_a_killed_process_loses_only_what_was_not_flushed(
    session: TerminalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_writer(session, monkeypatch)
    session.refresh_from_db()
    text = "".join(event.text for event in reading.events(session))
    assert text.splitlines()[-1] == "line 99"
    assert len(text.splitlines()) == 100


def test_the_reaper_seals_what_is_there(
    session: TerminalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_writer(session, monkeypatch)
    session.lease_until = timezone.now() - DEAD
    session.save(update_fields=["lease_until"])
    assert sealing.seal_forsaken() == 1
    session.refresh_from_db()
    assert session.recording == TerminalSession.Recording.SEALED
    assert "sealed later" in session.recording_problem
    assert session.recording_bytes == path_of(session.key).stat().st_size
    line = AuditEntry.objects.get(verb="terminalsession.seal")
    assert {
        "field": "sha256",
        "old": None,
        "new": session.recording_sha256,
    } in line.changes
    assert verify(session).verdict == Verdict.OK
    assert sealing.seal_forsaken() == 0


def test_a_writer_that_lives_is_left_alone(
    session: TerminalSession, record: Record
) -> None:
    recorder = record(session, b"still here")
    session.lease_until = timezone.now() - DEAD
    session.save(update_fields=["lease_until"])
    assert sealing.seal_forsaken() == 0
    session.refresh_from_db()
    assert session.recording == TerminalSession.Recording.RUNNING
    assert not AuditEntry.objects.filter(verb="terminalsession.seal").exists()
    recorder.close()


def test_those_that_wait_do_not_hide_older_ones(
    session: TerminalSession,
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "AT_ONCE", 1)
    record(session, b"a").close()
    newer = new_session(session.user, session.host)
    recorder = record(newer, b"still here")
    TerminalSession.objects.update(
        recording="running", lease_until=timezone.now() - DEAD
    )
    assert sealing.seal_forsaken() == 1
    assert sealing.seal_forsaken() == 0
    newest = new_session(session.user, session.host)
    TerminalSession.objects.filter(pk=newest.pk).update(
        recording="running", lease_until=timezone.now() - DEAD
    )
    assert sealing.seal_forsaken() == 1
    recorder.close()


def test_one_that_breaks_the_sealing_does_not_keep_the_others_from_it(
    session: TerminalSession, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_session(session.user, session.host)
    for each in (session, other):
        record(each, b"a").close()
    TerminalSession.objects.update(
        recording="running", lease_until=timezone.now() - DEAD
    )
    texts = reading.texts

    def breaks(found: TerminalSession) -> Any:
        if found.pk == session.pk:
            raise RuntimeError("something that nobody thought of")
        return texts(found)

    monkeypatch.setattr("tasks.recording.sealing.reading.texts", breaks)
    assert sealing.seal_forsaken() == 1
    states = dict(TerminalSession.objects.values_list("pk", "recording"))
    assert states == {session.pk: "running", other.pk: "sealed"}


@pytest.mark.parametrize("must", [False, True])
def test_where_the_database_is_full_too_the_policy_counts(
    session: TerminalSession,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    must: bool,
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr("tasks.recording.sealing.audit.record", full)
    settings.TERMINAL_MUST_RECORD = must
    assert sealing.failed(session, DomainError("The disk is full.")) is must


def test_a_recording_without_a_file_is_told_as_failed(
    session: TerminalSession, record: Record
) -> None:
    record(session, b"a").close()
    path_of(session.key).unlink()
    TerminalSession.objects.filter(pk=session.pk).update(
        recording="running", state="lost", ended_at=timezone.now() - DEAD
    )
    assert sealing.seal_forsaken() == 1
    session.refresh_from_db()
    assert session.recording == TerminalSession.Recording.FAILED
    assert AuditEntry.objects.filter(verb="terminalsession.unrecorded").count() == 1


def test_a_recording_whose_key_is_away_waits_for_it(
    session: TerminalSession, record: Record, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS = {"old": b"o" * 32}
    record(session, b"a").close()
    TerminalSession.objects.filter(pk=session.pk).update(
        recording="running", state="lost", ended_at=timezone.now() - DEAD
    )
    settings.ENCRYPTION_KEYS = {"new": b"n" * 32}
    assert sealing.seal_forsaken() == 0
    settings.ENCRYPTION_KEYS = {"old": b"o" * 32}
    assert sealing.seal_forsaken() == 1
