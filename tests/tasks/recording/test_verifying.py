"""A recording against the hash in the audit trail: page and command find what was done to it."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import models

from accounts.models import User
from adminset.errors import Unavailable
from adminset.models import AuditEntry
from tasks.models import TerminalSession
from tasks.recording import sealing
from tasks.recording.frames import path_of, walk
from tasks.recording.recorder import Recorder
from tasks.recording.verifying import Verdict, verify, verify_now
from tests.tasks.recording.recordings import new_session

Record = Callable[..., Recorder]


@pytest.fixture
def sealed(session: TerminalSession, record: Record) -> TerminalSession:
    """A session whose recording is sealed."""
    record(session, b"first", b"second").close()
    session.refresh_from_db()
    return session


def test_a_recording_that_nobody_touched_is_as_it_was_sealed(
    sealed: TerminalSession,
) -> None:
    found = verify(sealed)
    assert found.verdict == Verdict.OK
    assert found.found == found.sealed == sealed.recording_sha256


def test_a_recording_that_was_cut_at_a_frame_is_found(sealed: TerminalSession) -> None:
    path = path_of(sealed.key)
    with path.open("rb") as file:
        last = list(walk(file))[-1]
    path.write_bytes(path.read_bytes()[: last.place.offset])
    assert verify(sealed).verdict == Verdict.ALTERED


def test_a_changed_byte_is_found(sealed: TerminalSession) -> None:
    path = path_of(sealed.key)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert verify(sealed).verdict == Verdict.ALTERED


def test_another_hash_in_the_row_changes_nothing(sealed: TerminalSession) -> None:
    TerminalSession.objects.filter(pk=sealed.pk).update(recording_sha256="0" * 64)
    sealed.refresh_from_db()
    assert verify(sealed).verdict == Verdict.OK


def test_a_line_of_the_trail_that_was_altered_is_found(sealed: TerminalSession) -> None:
    plain: models.QuerySet[AuditEntry] = models.QuerySet(AuditEntry)
    changes = [{"field": "sha256", "old": None, "new": "0" * 64}]
    plain.filter(verb="terminalsession.seal").update(changes=changes)
    assert verify(sealed).verdict == Verdict.ALTERED


def test_a_file_that_is_gone_is_found(sealed: TerminalSession) -> None:
    path_of(sealed.key).unlink()
    assert verify(sealed).verdict == Verdict.MISSING


def test_cleared_away_is_believed_to_the_trail_only(sealed: TerminalSession) -> None:
    path_of(sealed.key).unlink()
    TerminalSession.objects.filter(pk=sealed.pk).update(recording="cleared")
    sealed.refresh_from_db()
    assert verify(sealed).verdict == Verdict.MISSING


def test_a_row_that_says_sealed_without_a_line_in_the_trail_is_found(
    session: TerminalSession,
) -> None:
    session.recording, session.recording_sha256 = "sealed", "0" * 64
    session.save()
    assert verify(session).verdict == Verdict.UNSEALED


def test_one_that_is_written_or_never_was_is_no_trouble(
    session: TerminalSession, record: Record
) -> None:
    assert verify(session).verdict == Verdict.NONE
    recorder = record(session, b"first")
    assert verify(session).verdict == Verdict.OPEN
    recorder.close()


def test_a_failed_one_says_why(session: TerminalSession) -> None:
    assert sealing.failed(session, Unavailable("The disk is full.")) is False
    found = verify(session)
    assert (found.verdict, found.words) == (Verdict.NONE, "The disk is full.")


def test_who_verifies_is_told_of(sealed: TerminalSession, admin: User) -> None:
    verify_now(actor=admin, session=sealed)
    line = AuditEntry.objects.get(verb="terminalsession.verify")
    assert line.actor == admin
    assert line.changes[0]["new"] == "ok"


def test_the_command_is_silent_about_what_is_right(sealed: TerminalSession) -> None:
    out = StringIO()
    call_command("verify_recordings", stdout=out, stderr=StringIO())
    assert "1 recording" in out.getvalue()
    assert sealed.key not in out.getvalue()


def test_the_command_names_what_is_wrong_and_fails(
    sealed: TerminalSession, record: Record
) -> None:
    other = new_session(sealed.user, sealed.host)
    record(other, b"fine").close()
    path_of(sealed.key).unlink()
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_recordings", stdout=out, stderr=StringIO())
    assert ended.value.code == 1
    assert f"#{sealed.pk} " in out.getvalue()
    assert f"#{other.pk} " not in out.getvalue()
    out = StringIO()
    call_command("verify_recordings", str(other.pk), stdout=out, stderr=StringIO())
    assert "1 recording" in out.getvalue()
