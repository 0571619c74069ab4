"""Terminal sessions with recordings of known content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from cmdb.models import Host, HostGroup
from tasks.models import TerminalCommand, TerminalSession
from tasks.recording.recorder import Recorder
from tests.factories import make_host
from tests.tasks.recording.recordings import Clock, new_session


@pytest.fixture(autouse=True)
def terminal_dir(settings: Any, tmp_path: Path) -> Path:
    """A folder of its own for the recordings of each test."""
    settings.TERMINAL_DIR = tmp_path / "terminals"
    return settings.TERMINAL_DIR


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The recorders' clock, which stands until it is told to go on."""
    clock = Clock()
    monkeypatch.setattr("tasks.recording.recorder.time.monotonic", clock)
    return clock


@pytest.fixture
def host(group: HostGroup) -> Host:
    """A host of the operator's group."""
    return make_host("db1", groups=[group])


@pytest.fixture
def session(admin: User, host: Host) -> TerminalSession:
    """A live session of the administrator."""
    return new_session(admin, host)


@pytest.fixture
def record(clock: Clock) -> Callable[..., Recorder]:
    """Begin a recording, with some output if wanted; it stays open."""

    def begin(session: TerminalSession, *said: bytes) -> Recorder:
        recorder = Recorder(session, timezone.now(), 80, 24)
        for data in said:
            clock.go(1.0)
            recorder.output(data)
            recorder.flush()
        return recorder

    return begin


@pytest.fixture
def sealed(
    session: TerminalSession, record: Callable[..., Recorder]
) -> TerminalSession:
    """A session with a command and a sealed recording."""
    recorder = record(session, b"$ ls\r\n", b"a needle\r\n", b"<b>$(x)</b>\r\n")
    TerminalCommand.objects.create(session=session, number=1, at_ms=1000, text="ls -l")
    recorder.close()
    session.refresh_from_db()
    return session
