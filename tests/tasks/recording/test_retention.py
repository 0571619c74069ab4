"""What the policy clears away, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host
from tasks.models import TerminalCommand, TerminalSession
from tasks.recording.frames import path_of
from tasks.recording.recorder import Recorder
from tasks.recording.retention import clear_recordings
from tasks.recording.verifying import Verdict, verify
from tests.tasks.recording.recordings import new_session

Ended = Callable[..., TerminalSession]


@pytest.fixture
def ended(admin: User, host: Host, record: Callable[..., Recorder]) -> Ended:
    """Make a session with a recording that ended so many days ago."""

    def make(days: int, **fields: Any) -> TerminalSession:
        session = new_session(admin, host)
        TerminalCommand.objects.create(session=session, number=1, text="ls")
        record(session, b"x" * 100).close()
        moment = timezone.now() - timedelta(days=days)
        given = {"state": "ended", "ended_at": moment, "opened_at": moment, **fields}
        TerminalSession.objects.filter(pk=session.pk).update(**given)
        session.refresh_from_db()
        return session

    return make


def test_old_recordings_go_with_their_commands_and_keys(
    ended: Ended, settings: Any
) -> None:
    settings.TERMINAL_KEEP_DAYS = 30
    old, new = ended(31), ended(29)
    assert clear_recordings() == 1
    old.refresh_from_db()
    assert old.recording == TerminalSession.Recording.CLEARED
    assert old.recording_key is None
    assert old.recording_sha256
    assert not path_of(old.key).exists()
    assert not old.commands.exists()
    line = AuditEntry.objects.get(verb="terminalsession.clear")
    assert line.target_id == str(old.pk)
    assert verify(old).verdict == Verdict.CLEARED
    new.refresh_from_db()
    assert new.recording == TerminalSession.Recording.SEALED
    assert new.commands.exists()
    assert verify(new).verdict == Verdict.OK
    assert clear_recordings() == 0


def test_with_nought_days_nothing_goes(ended: Ended, settings: Any) -> None:
    settings.TERMINAL_KEEP_DAYS = 0
    old = ended(5000)
    assert clear_recordings() == 0
    assert path_of(old.key).exists()


def test_what_goes_on_stays_however_old_it_is(ended: Ended, settings: Any) -> None:
    settings.TERMINAL_KEEP_DAYS = 1
    live = ended(20, state="live", ended_at=None)
    assert clear_recordings() == 0
    assert path_of(live.key).exists()
    assert live.commands.exists()


def test_the_oldest_go_first_when_there_is_no_room(ended: Ended, settings: Any) -> None:
    rows = [ended(3), ended(2), ended(1)]
    settings.TERMINAL_KEEP_BYTES = rows[0].recording_bytes * 2
    assert clear_recordings() == 1
    left = [path_of(row.key).exists() for row in rows]
    assert left == [False, True, True]
    # The commands stay until the days are over.
    assert rows[0].commands.exists()
